import type { EmployeeRef, ParsedAcknowledgement } from '../../contracts/internal/activities.js';
import type { AttributeChange, EventClass, EventKind } from '../../contracts/public/events.js';
import { DEAD_AFTER_MS } from '../../domain/delivery.js';
import type { DeliveryStatus } from '../../domain/delivery.js';
import type { Database, Queries, Transaction } from '../database.js';

/** A planned event that waits for its moment. */
export interface WaitingEvent {
  readonly eventId: string;
  readonly kind: EventKind;
  readonly dueAt: string;
  readonly timeZone: string;
}

/** A delivery that is neither acknowledged nor over, with the event that it tells of. */
export interface OpenDelivery extends DeliveryStatus {
  readonly deliveryId: string;
  readonly eventId: string;
  readonly attempts: number;
  /** Tries in a row that Temporal did not accept. */
  readonly refusals: number;
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

/** What is open for one person, by the database's clock: workers' clocks differ. */
export interface StoredPendingWork {
  readonly now: string;
  readonly planned: readonly WaitingEvent[];
  /** In the order in which one subscriber hears of them: by moment, and then corrections, announcements, planned. */
  readonly deliveries: readonly OpenDelivery[];
}

/** The states in which something is still to be done, or awaited. */
export const OPEN_STATES = `('waiting', 'sent', 'failed', 'overdue')`;

export async function readPendingWork(
  queries: Queries,
  { connectionId, employeeId }: EmployeeRef,
): Promise<StoredPendingWork> {
  const rows = await queries.query<
    { readonly now: string; readonly eventId: string | null } & Omit<WaitingEvent, 'eventId'>
  >(
    `select clock_timestamp() as now, v.event_id as "eventId", v.kind, v.due_at as "dueAt", v.time_zone as "timeZone"
     from (select 1) as always left join personio.lifecycle_events v
       on v.connection_id = $1 and v.employee_id = $2 and v.state = 'planned' order by v.due_at`,
    [connectionId, employeeId],
  );
  const deliveries = await queries.query<OpenDelivery>(
    `select x.delivery_id as "deliveryId", x.event_id as "eventId", x.subscriber, x.purpose, x.state, x.attempts, x.refusals, x.due_at as "dueAt",
       x.next_attempt_at as "nextAttemptAt", x.first_attempt_at as "firstAttemptAt", x.sent_at as "sentAt", x.deadline_at as "deadlineAt",
       x.escalated_at as "escalatedAt", x.late, v.class, v.kind, v.episode, v.effective_date as "effectiveDate", v.effective_at as "effectiveAt",
       v.time_zone as "timeZone", v.detected_at as "detectedAt", v.supersedes, v.changes, v.state = 'superseded' as "isObsolete"
     from personio.deliveries x join personio.lifecycle_events v using (event_id)
     where x.connection_id = $1 and x.employee_id = $2 and x.state in ${OPEN_STATES}
     order by x.due_at, v.kind in ('joiner.started', 'leaver.left'), v.kind !~ '[.](rescheduled|rescinded)$', v.sequence, x.delivery_id`,
    [connectionId, employeeId],
  );
  const planned = rows.flatMap(({ eventId, kind, dueAt, timeZone }) =>
    eventId === null ? [] : [{ eventId, kind, dueAt, timeZone }],
  );
  return { now: rows[0]?.now ?? '', planned, deliveries };
}

/** @returns how many planned events of the connection have the moment in common, counted up to `most`. */
export async function countPlannedAt(
  queries: Queries,
  connectionId: string,
  dueAt: string,
  most: number,
): Promise<number> {
  const [row] = await queries.query<{ together: number }>(
    `select count(*) as together from
       (select from personio.lifecycle_events where connection_id = $1 and state = 'planned' and due_at = $2 limit $3) planned`,
    [connectionId, dueAt, most],
  );
  return row?.together ?? 0;
}

/**
 * Turns planned events of a person into due ones whose moment has come, each with its place in the feed. Waits for a commit of
 * the same connection, which may be about to withdraw them.
 */
export async function markDue(database: Database, { connectionId, employeeId }: EmployeeRef): Promise<void> {
  await database.transaction(async (transaction) => {
    // A long commit is waited for by Temporal, which holds no slot and no connection for it.
    await transaction.run(`set local lock_timeout = '2s'`);
    await transaction.run('select pg_advisory_xact_lock_shared(hashtextextended($1, 0))', [
      `personio:${connectionId}:employees`,
    ]);
    const due = await transaction.query<{ event_id: string }>(
      `update personio.lifecycle_events set state = 'due'
       where connection_id = $1 and employee_id = $2 and state = 'planned' and due_at <= clock_timestamp() returning event_id`,
      [connectionId, employeeId],
    );
    if (due.length === 0) return;
    const [feed] = await transaction.query<{ last_sequence: number }>(
      'update personio.lifecycle_feed set last_sequence = last_sequence + $1 returning last_sequence',
      [due.length],
    );
    await transaction.run(
      `update personio.lifecycle_events v set sequence = $1 + n.position
       from (select event_id, row_number() over (order by due_at, event_id) as position from personio.lifecycle_events where event_id = any($2)) n
       where v.event_id = n.event_id`,
      [(feed?.last_sequence ?? 0) - due.length, due.map((row) => row.event_id)],
    );
  });
}

/** What `markOverdue` found. */
export interface OverdueReport {
  readonly overdue: readonly { readonly deliveryId: string; readonly subscriber: string }[];
  readonly dead: readonly { readonly deliveryId: string; readonly subscriber: string }[];
  /** Subscribers whose silence, or failure, was told to another one. */
  readonly escalated: readonly { readonly deliveryId: string; readonly escalateTo: string }[];
}

type MarkedDelivery = OverdueReport['overdue'][number];

/**
 * Marks what was never acknowledged, what was not in time, and adds the deliveries that tell somebody else of it: once for each,
 * in one transaction, so that no crash loses the telling.
 */
export async function markOverdue(
  database: Database,
  { connectionId, employeeId }: EmployeeRef,
  escalateTo: (subscriber: string) => string | null,
): Promise<OverdueReport> {
  return database.transaction(async (transaction) => {
    const dead = await transaction.query<MarkedDelivery>(
      `update personio.deliveries set state = 'dead'
       where connection_id = $1 and employee_id = $2 and state in ${OPEN_STATES} and first_attempt_at <= clock_timestamp() - $3 * interval '1 millisecond'
       returning delivery_id as "deliveryId", subscriber`,
      [connectionId, employeeId, DEAD_AFTER_MS],
    );
    const overdue = await transaction.query<MarkedDelivery>(
      `update personio.deliveries set state = 'overdue'
       where connection_id = $1 and employee_id = $2 and state in ('waiting', 'sent') and deadline_at <= clock_timestamp()
       returning delivery_id as "deliveryId", subscriber`,
      [connectionId, employeeId],
    );
    const open = await transaction.query<MarkedDelivery>(
      `update personio.deliveries set escalated_at = clock_timestamp()
       where connection_id = $1 and employee_id = $2 and state in ('overdue', 'failed') and escalated_at is null and purpose <> 'escalation'
       returning delivery_id as "deliveryId", subscriber`,
      [connectionId, employeeId],
    );
    const escalated = open.flatMap(({ deliveryId, subscriber }) => {
      const name = escalateTo(subscriber);
      return name === null ? [] : [{ deliveryId, escalateTo: name }];
    });
    await addEscalations(transaction, escalated);
    return { overdue, dead, escalated };
  });
}

async function addEscalations(transaction: Transaction, escalated: OverdueReport['escalated']): Promise<void> {
  if (escalated.length === 0) return;
  await transaction.run(
    `insert into personio.deliveries (delivery_id, event_id, connection_id, employee_id, episode, subscriber, purpose, state, due_at, late)
     select x.delivery_id || ':escalation' || coalesce('-' || nullif(before.times, 0) + 1, ''), x.event_id, x.connection_id, x.employee_id, x.episode, e."escalateTo", 'escalation', 'waiting', clock_timestamp(), x.late
     from jsonb_to_recordset($1::jsonb) as e ("deliveryId" text, "escalateTo" text) join personio.deliveries x on x.delivery_id = e."deliveryId"
     -- A delivery that is sent again by hand may fall silent again.
     cross join lateral (select count(*) as times from personio.deliveries y where y.event_id = x.event_id and y.delivery_id like x.delivery_id || ':escalation%') before`,
    [JSON.stringify(escalated)],
  );
}

/**
 * Notes that a delivery is being tried, before it is: so every try counts, also one whose worker is killed. The deadline counts from the first and
 * is never moved. @returns false when there is nothing to send any more: it was answered or withdrawn meanwhile.
 */
export async function beginAttempt(
  queries: Queries,
  deliveryId: string,
  acknowledgeWithinSeconds: number,
): Promise<boolean> {
  const begun = await queries.run(
    `update personio.deliveries
     set attempts = attempts + 1, trying_since = clock_timestamp(), first_attempt_at = coalesce(first_attempt_at, clock_timestamp()),
       deadline_at = coalesce(deadline_at, clock_timestamp() + $2 * interval '1 second')
     where delivery_id = $1 and state in ('waiting', 'sent', 'overdue')`,
    [deliveryId, acknowledgeWithinSeconds],
  );
  return begun > 0;
}

/** How a try ended. */
export interface AttemptOutcome {
  readonly deliveryId: string;
  readonly isAccepted: boolean;
  /** Why Temporal did not accept it, or why an accepted one is still unanswered; null while there is nothing to say. */
  readonly reason: string | null;
  readonly nextAttemptInMs: number;
}

/** Notes how a try ended. A delivery that was answered, or withdrawn, meanwhile keeps its state. */
export async function endAttempt(queries: Queries, attempt: AttemptOutcome): Promise<void> {
  await queries.run(
    `update personio.deliveries
     set last_error = $2, next_attempt_at = clock_timestamp() + $3 * interval '1 millisecond', trying_since = null,
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
 * Stores a subscriber's answer. `done` is final. What was never tried cannot be answered: nobody may skip a delivery by guessing its id.
 *
 * @returns whether it was about one of this person's deliveries, and new.
 */
export async function recordAcknowledgement(
  queries: Queries,
  { connectionId, employeeId }: EmployeeRef,
  acknowledgement: ParsedAcknowledgement,
): Promise<boolean> {
  const isDone = acknowledgement.outcome === 'done';
  const changed = await queries.run(
    `update personio.deliveries
     set state = $4, note = $5, acknowledged_at = case when $6 then clock_timestamp() else acknowledged_at end,
       sent_at = coalesce(sent_at, clock_timestamp())
     where delivery_id = $1 and connection_id = $2 and employee_id = $3 and attempts > 0
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
