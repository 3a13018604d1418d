import type { EmployeeRef, ParsedAcknowledgement } from '../../contracts/internal/activities.js';
import type { Queries } from '../database.js';

/**
 * Records an attempt before it is made, so that every attempt counts, even if its worker is killed. The deadline counts
 * from the first attempt and never moves.
 *
 * @returns false when there is nothing to send: the delivery was acknowledged or withdrawn meanwhile.
 */
export async function beginAttempt(
  queries: Queries,
  deliveryId: string,
  acknowledgeWithinSeconds: number,
): Promise<boolean> {
  const begun = await queries.run(
    `update personio.deliveries
     set attempts = attempts + 1,
       trying_since = clock_timestamp(),
       first_attempt_at = coalesce(first_attempt_at, clock_timestamp()),
       deadline_at = coalesce(deadline_at, clock_timestamp() + $2 * interval '1 second')
     where delivery_id = $1
       and state in ('waiting', 'sent', 'overdue')`,
    [deliveryId, acknowledgeWithinSeconds],
  );
  return begun > 0;
}

export interface AttemptOutcome {
  readonly deliveryId: string;
  readonly isAccepted: boolean;
  /** Reason why Temporal did not accept it, or why an accepted one is not acknowledged yet; null for none. */
  readonly reason: string | null;
  readonly nextAttemptInMs: number;
}

/** Records the outcome of an attempt. A delivery that was acknowledged or withdrawn meanwhile keeps its state. */
export async function endAttempt(queries: Queries, attempt: AttemptOutcome): Promise<void> {
  await queries.run(
    `update personio.deliveries
     set last_error = $2,
       next_attempt_at = clock_timestamp() + $3 * interval '1 millisecond',
       trying_since = null,
       refusals = case when $4 then 0 else refusals + 1 end,
       sent_at = case when $4 then coalesce(sent_at, clock_timestamp()) else sent_at end,
       state = case when $4 and state = 'waiting' then 'sent' else state end
     where delivery_id = $1`,
    [attempt.deliveryId, attempt.reason, attempt.nextAttemptInMs, attempt.isAccepted],
  );
}

export async function recordReason(queries: Queries, deliveryId: string, reason: string): Promise<void> {
  await queries.run('update personio.deliveries set last_error = $2 where delivery_id = $1', [deliveryId, reason]);
}

/**
 * Stores a subscriber's acknowledgement. `done` is final. A delivery that was never attempted cannot be acknowledged:
 * nobody may skip one by guessing its id.
 *
 * @returns whether it changed one of this person's deliveries.
 */
export async function recordAcknowledgement(
  queries: Queries,
  { connectionId, employeeId }: EmployeeRef,
  acknowledgement: ParsedAcknowledgement,
): Promise<boolean> {
  const isDone = acknowledgement.outcome === 'done';
  const changed = await queries.run(
    `update personio.deliveries
     set state = $4,
       note = $5,
       acknowledged_at = case when $6 then clock_timestamp() else acknowledged_at end,
       sent_at = coalesce(sent_at, clock_timestamp())
     where delivery_id = $1
       and connection_id = $2
       and employee_id = $3
       and attempts > 0
       and state in ${isDone ? `('waiting', 'sent', 'failed', 'overdue', 'dead')` : `('waiting', 'sent', 'overdue')`}`,
    [
      acknowledgement.deliveryId,
      connectionId,
      employeeId,
      isDone ? 'acknowledged' : 'failed',
      acknowledgement.note,
      isDone,
    ],
  );
  return changed > 0;
}
