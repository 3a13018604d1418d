import type { EmployeeRef } from '../../contracts/internal/activities.js';
import { DEAD_AFTER_MS } from '../../domain/delivery.js';
import type { DeliveryStatus } from '../../domain/delivery.js';
import type { Database, Queries, Transaction } from '../database.js';
import { EVENT_COLUMNS } from '../events/columns.js';
import type { StoredEvent } from '../events/columns.js';
import { reserveSequences } from '../events/feed.js';
import { lockEndpointShared } from '../locks.js';
import { DELIVERY_COLUMNS, NEW_DELIVERY_COLUMNS, OPEN_STATES } from './columns.js';
import type { StoredDelivery } from './columns.js';
import { IS_ON_HOLD } from './on-hold.js';

const WAITING_FIELDS = ['eventId', 'kind', 'dueAt', 'timeZone'] as const satisfies readonly (keyof StoredEvent)[];

/** A planned event that is not due yet. */
export type WaitingEvent = Pick<StoredEvent, (typeof WAITING_FIELDS)[number]> & {
  /** True while it waits until its withdrawal is approved or rejected, even if its time has come. */
  readonly isOnHold: boolean;
};

const DELIVERY_FIELDS = [
  'deliveryId',
  'eventId',
  'subscriber',
  'purpose',
  'state',
  'attempts',
  'refusals',
  'dueAt',
  'nextAttemptAt',
  'firstAttemptAt',
  'sentAt',
  'deadlineAt',
  'escalatedAt',
  'late',
] as const satisfies readonly (keyof StoredDelivery)[];

const EVENT_FIELDS = [
  'class',
  'kind',
  'episode',
  'effectiveDate',
  'effectiveAt',
  'timeZone',
  'detectedAt',
  'supersedes',
  'relatedEmployeeId',
  'changes',
] as const satisfies readonly (keyof StoredEvent)[];

/** A delivery that is neither acknowledged nor over, with its event. */
export type OpenDelivery = DeliveryStatus &
  Pick<StoredDelivery, Exclude<(typeof DELIVERY_FIELDS)[number], 'state'>> &
  Pick<StoredEvent, (typeof EVENT_FIELDS)[number]>;

/** Pending work of one person, at a moment of the database's clock: workers' clocks differ. */
export interface StoredPendingWork {
  readonly now: string;
  readonly planned: readonly WaitingEvent[];
  /** In the order of dispatch to one subscriber: by due time, then corrections, announcements, planned events. */
  readonly deliveries: readonly OpenDelivery[];
}

export async function readPendingWork(
  queries: Queries,
  { connectionId, employeeId }: EmployeeRef,
): Promise<StoredPendingWork> {
  // A left join on one row, so that there is a `now` even where nothing is planned.
  const rows = await queries.query<
    { readonly now: string; readonly eventId: string | null } & Omit<WaitingEvent, 'eventId'>
  >(
    `select
       clock_timestamp() as now,
       ${EVENT_COLUMNS.select('events', WAITING_FIELDS)},
       ${IS_ON_HOLD} as "isOnHold"
     from (select 1) as always
     left join personio.lifecycle_events as events
       on events.connection_id = $1
       and events.employee_id = $2
       and events.state = 'planned'
     order by events.due_at`,
    [connectionId, employeeId],
  );
  const planned = rows.flatMap(({ eventId, kind, dueAt, timeZone, isOnHold }) =>
    eventId === null ? [] : [{ eventId, kind, dueAt, timeZone, isOnHold }],
  );
  const deliveries = await listOpenDeliveries(queries, { connectionId, employeeId });
  return { now: rows[0]?.now ?? '', planned, deliveries };
}

async function listOpenDeliveries(
  queries: Queries,
  { connectionId, employeeId }: EmployeeRef,
): Promise<readonly OpenDelivery[]> {
  return queries.query<OpenDelivery>(
    `select
       ${DELIVERY_COLUMNS.select('deliveries', DELIVERY_FIELDS)},
       ${EVENT_COLUMNS.select('events', EVENT_FIELDS)},
       events.state = 'superseded' as "isObsolete",
       deliveries.sent_at is null
         and deliveries.purpose <> 'escalation'
         and ${IS_ON_HOLD} as "isOnHold"
     from personio.deliveries as deliveries
     join personio.lifecycle_events as events using (event_id)
     where deliveries.connection_id = $1
       and deliveries.employee_id = $2
       and deliveries.state in ${OPEN_STATES}
     order by
       deliveries.due_at,
       events.kind in ('joiner.started', 'leaver.left'),
       events.kind !~ '[.](rescheduled|rescinded)$',
       events.sequence,
       deliveries.delivery_id`,
    [connectionId, employeeId],
  );
}

/** Counts the connection's planned events that are due at the same time, up to `most`. */
export async function countPlannedAt(
  queries: Queries,
  connectionId: string,
  dueAt: string,
  most: number,
): Promise<number> {
  // The limit inside the subquery: a large crowd is not counted to its end.
  const [row] = await queries.query<{ size: number }>(
    `select count(*) as size
     from (
       select from personio.lifecycle_events
       where connection_id = $1
         and state = 'planned'
         and due_at = $2
       limit $3
     ) as planned`,
    [connectionId, dueAt, most],
  );
  return row?.size ?? 0;
}

/**
 * Marks the person's planned events whose due time has come as due, each with its place in the feed. A start ends the
 * deliveries of former episodes: no subscriber may close the accounts of a person who is back. Waits for a commit of
 * the same connection, which may be about to withdraw them. A leaving whose withdrawal is asked about stays planned.
 */
export async function markDue(database: Database, { connectionId, employeeId }: EmployeeRef): Promise<void> {
  await database.transaction(async (transaction) => {
    // Temporal waits for a long commit: unlike this transaction, it holds no slot and no connection meanwhile.
    await transaction.run(`set local lock_timeout = '2s'`);
    await lockEndpointShared(transaction, connectionId, 'employees');
    const due = await transaction.query<{ event_id: string; kind: string; episode: number }>(
      `update personio.lifecycle_events as events
       set state = 'due'
       where connection_id = $1
         and employee_id = $2
         and state = 'planned'
         and due_at <= clock_timestamp()
         and not ${IS_ON_HOLD}
       returning event_id, kind, episode`,
      [connectionId, employeeId],
    );
    if (due.length === 0) return;
    const started = due.filter(({ kind }) => kind === 'joiner.started').map(({ episode }) => episode);
    if (started.length > 0) await endEpisodesBefore(transaction, { connectionId, employeeId }, Math.max(...started));
    const lastSequence = await reserveSequences(transaction, due.length);
    await transaction.run(
      `update personio.lifecycle_events as events
       set sequence = $1 + numbered.position
       from (
         select event_id, row_number() over (order by due_at, event_id) as position
         from personio.lifecycle_events
         where event_id = any($2)
       ) as numbered
       where events.event_id = numbered.event_id`,
      [lastSequence, due.map((row) => row.event_id)],
    );
  });
}

async function endEpisodesBefore(
  transaction: Transaction,
  { connectionId, employeeId }: EmployeeRef,
  episode: number,
): Promise<void> {
  await transaction.run(
    `update personio.deliveries
     set state = 'superseded'
     where connection_id = $1
       and employee_id = $2
       and episode < $3
       and state in ${OPEN_STATES}`,
    [connectionId, employeeId, episode],
  );
}

type MarkedDelivery = Pick<StoredDelivery, 'deliveryId' | 'subscriber'>;

/** Deliveries that `markOverdue` changed. */
export interface OverdueReport {
  readonly overdue: readonly MarkedDelivery[];
  readonly dead: readonly MarkedDelivery[];
  /** Deliveries that escalate to another subscriber when they are overdue or fail. */
  readonly escalated: readonly { readonly deliveryId: string; readonly escalateTo: string }[];
}

/**
 * Marks deliveries that were never acknowledged (dead) or not in time (overdue), and adds the deliveries that escalate
 * them: one for each, in the same transaction, so that no crash loses an escalation.
 */
export async function markOverdue(
  database: Database,
  { connectionId, employeeId }: EmployeeRef,
  escalateTo: (subscriber: string) => string | null,
): Promise<OverdueReport> {
  return database.transaction(async (transaction) => {
    const person = [connectionId, employeeId];
    const marked = DELIVERY_COLUMNS.select('deliveries', ['deliveryId', 'subscriber']);
    const dead = await transaction.query<MarkedDelivery>(
      `update personio.deliveries
       set state = 'dead'
       where connection_id = $1
         and employee_id = $2
         and state in ${OPEN_STATES}
         and first_attempt_at <= clock_timestamp() - $3 * interval '1 millisecond'
       returning ${marked}`,
      [...person, DEAD_AFTER_MS],
    );
    const overdue = await transaction.query<MarkedDelivery>(
      `update personio.deliveries
       set state = 'overdue'
       where connection_id = $1
         and employee_id = $2
         and state in ('waiting', 'sent')
         and deadline_at <= clock_timestamp()
       returning ${marked}`,
      person,
    );
    const unescalated = await transaction.query<MarkedDelivery>(
      `update personio.deliveries
       set escalated_at = clock_timestamp()
       where connection_id = $1
         and employee_id = $2
         and state in ('overdue', 'failed')
         and escalated_at is null
         and purpose <> 'escalation'
       returning ${marked}`,
      person,
    );
    const escalated = unescalated.flatMap(({ deliveryId, subscriber }) => {
      const name = escalateTo(subscriber);
      return name === null ? [] : [{ deliveryId, escalateTo: name }];
    });
    await addEscalations(transaction, escalated);
    return { overdue, dead, escalated };
  });
}

async function addEscalations(transaction: Transaction, escalated: OverdueReport['escalated']): Promise<void> {
  if (escalated.length === 0) return;
  // A delivery that an operator sends again may fall silent again: its second escalation is `…:escalation-2`.
  await transaction.run(
    `insert into personio.deliveries (${NEW_DELIVERY_COLUMNS})
     select
       deliveries.delivery_id || ':escalation' || coalesce('-' || nullif(earlier.times, 0) + 1, ''),
       deliveries.event_id,
       deliveries.connection_id,
       deliveries.employee_id,
       deliveries.episode,
       escalations."escalateTo",
       'escalation',
       'waiting',
       clock_timestamp(),
       deliveries.late
     from jsonb_to_recordset($1::jsonb) as escalations ("deliveryId" text, "escalateTo" text)
     join personio.deliveries as deliveries
       on deliveries.delivery_id = escalations."deliveryId"
     cross join lateral (
       select count(*) as times
       from personio.deliveries as others
       where others.event_id = deliveries.event_id
         and others.delivery_id like deliveries.delivery_id || ':escalation%'
     ) as earlier`,
    [JSON.stringify(escalated)],
  );
}
