import type { AgendaRequest } from '../contracts/activities.js';
import type { AttributeChange, EventClass, EventKind } from '../contracts/events.js';
import { DEAD_AFTER_MS } from '../domain/delivery.js';
import type { Database, Queries } from './database.js';

/** A planned event that waits for its moment. */
export interface WaitingEvent {
  readonly eventId: string;
  readonly kind: EventKind;
  readonly dueAt: string;
}

/** A delivery that is neither acknowledged nor over, with the event that it tells of. */
export interface OpenDelivery {
  readonly deliveryId: string;
  readonly eventId: string;
  readonly subscriber: string;
  readonly purpose: 'event' | 'notice' | 'escalation';
  readonly state: 'waiting' | 'sent' | 'failed' | 'overdue';
  readonly attempts: number;
  readonly dueAt: string;
  readonly nextAttemptAt: string | null;
  readonly firstAttemptAt: string | null;
  readonly sentAt: string | null;
  readonly deadlineAt: string | null;
  readonly escalatedAt: string | null;
  readonly late: boolean;
  readonly class: EventClass;
  readonly kind: EventKind;
  readonly episode: number;
  readonly effectiveDate: string;
  readonly effectiveAt: string;
  readonly timeZone: string;
  readonly detectedAt: string;
  readonly supersedes: string | null;
  readonly changes: readonly AttributeChange[];
}

const OPEN = `('waiting', 'sent', 'failed', 'overdue')`;

/**
 * Turns planned events of a person into due ones whose moment has come, each with its place in the feed. Waits for a commit of
 * the same connection, which may be about to withdraw them.
 */
export async function fallDue(database: Database, { connectionId, employeeId }: AgendaRequest): Promise<number> {
  return database.transaction(async (transaction) => {
    await transaction.run('select pg_advisory_xact_lock_shared(hashtextextended($1, 0))', [
      `personio:${connectionId}:employees`,
    ]);
    const due = await transaction.rows<{ event_id: string }>(
      `update personio.lifecycle_events set state = 'due'
       where connection_id = $1 and employee_id = $2 and state = 'planned' and due_at <= clock_timestamp() returning event_id`,
      [connectionId, employeeId],
    );
    if (due.length === 0) return 0;
    const [feed] = await transaction.rows<{ last_sequence: number }>(
      'update personio.lifecycle_feed set last_sequence = last_sequence + $1 returning last_sequence',
      [due.length],
    );
    await transaction.run(
      `update personio.lifecycle_events v set sequence = $1 + n.position
       from (select event_id, row_number() over (order by due_at, event_id) as position from personio.lifecycle_events where event_id = any($2)) n
       where v.event_id = n.event_id`,
      [(feed?.last_sequence ?? 0) - due.length, due.map((row) => row.event_id)],
    );
    return due.length;
  });
}

export async function waitingEvents(
  queries: Queries,
  { connectionId, employeeId }: AgendaRequest,
): Promise<readonly WaitingEvent[]> {
  return queries.rows<WaitingEvent>(
    `select event_id as "eventId", kind, due_at as "dueAt" from personio.lifecycle_events
     where connection_id = $1 and employee_id = $2 and state = 'planned' order by due_at`,
    [connectionId, employeeId],
  );
}

/** In the order in which one subscriber hears of them: by moment, and then corrections, announcements, planned. */
export async function openDeliveries(
  queries: Queries,
  { connectionId, employeeId }: AgendaRequest,
): Promise<readonly OpenDelivery[]> {
  return queries.rows<OpenDelivery>(
    `select x.delivery_id as "deliveryId", x.event_id as "eventId", x.subscriber, x.purpose, x.state, x.attempts, x.due_at as "dueAt",
       x.next_attempt_at as "nextAttemptAt", x.first_attempt_at as "firstAttemptAt", x.sent_at as "sentAt", x.deadline_at as "deadlineAt",
       x.escalated_at as "escalatedAt", x.late, v.class, v.kind, v.episode, v.effective_date as "effectiveDate", v.effective_at as "effectiveAt",
       v.time_zone as "timeZone", v.detected_at as "detectedAt", v.supersedes, v.changes
     from personio.deliveries x join personio.lifecycle_events v using (event_id)
     where x.connection_id = $1 and x.employee_id = $2 and x.state in ${OPEN}
     order by x.due_at, v.kind in ('joiner.started', 'leaver.left'), v.kind not in ('joiner.rescheduled', 'joiner.rescinded', 'leaver.rescheduled', 'leaver.rescinded'), x.delivery_id`,
    [connectionId, employeeId],
  );
}

export interface Attempt {
  readonly deliveryId: string;
  /** Null: Temporal accepted it. Else why not, without anybody's data. */
  readonly error: string | null;
  readonly nextAttemptInMs: number;
  readonly acknowledgeWithinSeconds: number;
}

/** Notes a try. The deadline counts from the first one and is never moved. A delivery that was answered meanwhile stays answered. */
export async function noteAttempt(queries: Queries, attempt: Attempt): Promise<void> {
  const accepted = attempt.error === null;
  await queries.run(
    `update personio.deliveries
     set attempts = attempts + 1, last_error = $2, next_attempt_at = clock_timestamp() + $3 * interval '1 millisecond',
       first_attempt_at = coalesce(first_attempt_at, clock_timestamp()),
       deadline_at = coalesce(deadline_at, clock_timestamp() + $4 * interval '1 second'),
       sent_at = case when $5 then coalesce(sent_at, clock_timestamp()) else sent_at end,
       state = case when $5 and state = 'waiting' then 'sent' else state end
     where delivery_id = $1 and state in ${OPEN}`,
    [attempt.deliveryId, attempt.error, attempt.nextAttemptInMs, attempt.acknowledgeWithinSeconds, accepted],
  );
}

/** Marks what was not acknowledged in time, and what was never. @returns those that are to be escalated now. */
export async function markOverdue(
  queries: Queries,
  { connectionId, employeeId }: AgendaRequest,
): Promise<readonly string[]> {
  await queries.run(
    `update personio.deliveries set state = 'dead'
     where connection_id = $1 and employee_id = $2 and state in ${OPEN} and first_attempt_at < clock_timestamp() - $3 * interval '1 millisecond'`,
    [connectionId, employeeId, DEAD_AFTER_MS],
  );
  await queries.run(
    `update personio.deliveries set state = 'overdue'
     where connection_id = $1 and employee_id = $2 and state in ('waiting', 'sent') and deadline_at <= clock_timestamp()`,
    [connectionId, employeeId],
  );
  const rows = await queries.rows<{ delivery_id: string }>(
    `update personio.deliveries set escalated_at = clock_timestamp()
     where connection_id = $1 and employee_id = $2 and state in ('overdue', 'failed') and escalated_at is null and purpose <> 'escalation'
     returning delivery_id`,
    [connectionId, employeeId],
  );
  return rows.map((row) => row.delivery_id);
}

/** Adds the delivery that tells another subscriber; once, however often it is asked for. */
export async function addEscalation(queries: Queries, deliveryId: string, escalateTo: string): Promise<void> {
  await queries.run(
    `insert into personio.deliveries (delivery_id, event_id, connection_id, employee_id, episode, subscriber, purpose, state, due_at, late)
     select delivery_id || ':escalation', event_id, connection_id, employee_id, episode, $2, 'escalation', 'waiting', clock_timestamp(), late
     from personio.deliveries where delivery_id = $1 on conflict do nothing`,
    [deliveryId, escalateTo],
  );
}

export interface Answer {
  readonly deliveryId: string;
  readonly outcome: 'done' | 'failed';
  readonly note: string | null;
}

/** Stores a subscriber's answer. `done` is final. @returns whether it was about one of this person's deliveries, and new. */
export async function noteAnswer(
  queries: Queries,
  { connectionId, employeeId }: AgendaRequest,
  answer: Answer,
): Promise<boolean> {
  const isDone = answer.outcome === 'done';
  const changed = await queries.run(
    `update personio.deliveries
     set state = $4, note = $5, acknowledged_at = case when $6 then clock_timestamp() else acknowledged_at end
     where delivery_id = $1 and connection_id = $2 and employee_id = $3 and state in ${isDone ? `('waiting', 'sent', 'failed', 'overdue', 'dead')` : `('waiting', 'sent', 'overdue')`}`,
    [answer.deliveryId, connectionId, employeeId, isDone ? 'acknowledged' : 'failed', answer.note, isDone],
  );
  return changed > 0;
}
