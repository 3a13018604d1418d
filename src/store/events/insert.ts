import type { EmployeesCommitRequest } from '../../contracts/internal/activities.js';
import { isCorrection, planDeliveries } from '../../domain/delivery.js';
import type { PlannedDelivery } from '../../domain/delivery.js';
import type { EventDraft } from '../../domain/lifecycle.js';
import type { Policy } from '../../domain/policy.js';
import type { Transaction } from '../database.js';
import {
  EMPLOYED_STATES,
  NEW_DELIVERIES,
  NEW_DELIVERY_COLUMNS,
  OPEN_STATES,
  toDeliveryRow,
} from '../deliveries/columns.js';
import { forgetOtherPlans } from '../deliveries/plans.js';
import { DRAFT_FIELDS, EVENT_COLUMNS } from './columns.js';
import type { StoredEvent } from './columns.js';
import { reserveSequences } from './feed.js';
import { relateEvents } from './related.js';

type NewEvent = EventDraft & Pick<StoredEvent, 'employeeId'>;

const BATCH = 1_000;

/**
 * Stores the events of people who are not held, with their deliveries. Leaves the temporary table `new_events`, from
 * which `assignSequences` gives them their places in the feed at the end. Returns how many events.
 */
export async function storeEvents(
  transaction: Transaction,
  request: EmployeesCommitRequest,
  policy: Policy,
): Promise<number> {
  await selectNewEvents(transaction);
  await supersede(transaction, request.connectionId);
  const columns = EVENT_COLUMNS.list(['employeeId', ...DRAFT_FIELDS]);
  const stored = await transaction.run(
    `insert into personio.lifecycle_events (connection_id, detected_at, run_id, ${columns})
     select $1, $2, $3, ${columns}
     from new_events
     order by ord`,
    [request.connectionId, request.collectedAt, request.runId],
  );
  if (stored > 0) {
    await storeDeliveries(transaction, request, policy);
    await forgetOtherPlans(transaction, request.connectionId, policy);
    await relateEvents(transaction, request);
  }
  await endFormerEpisodes(transaction, request.connectionId);
  return stored;
}

/**
 * Leaves the temporary table `new_events`. An event with a stored id is the same event: deciding again never doubles
 * it.
 */
async function selectNewEvents(transaction: Transaction): Promise<void> {
  await transaction.run(
    `create temp table new_events on commit drop as
     select decided_events.*
     from decided_events
     join decided using (employee_id)
     where decided_events.is_made
       and not decided.is_held
       and decided_events.event_id not in (
         select stored.event_id
         from personio.lifecycle_events as stored
         where stored.event_id = any(array(select event_id from decided_events))
       )`,
  );
}

/** Marks events and their unsent deliveries as superseded. Only planned events are: what became due stays due. */
async function supersede(transaction: Transaction, connectionId: string): Promise<void> {
  await transaction.run(
    `update personio.lifecycle_events as events
     set state = 'superseded',
       superseded_by = decided_superseded.superseded_by
     from decided_superseded
     join decided using (employee_id)
     where events.event_id = decided_superseded.event_id
       and events.event_id = any(array(select event_id from decided_superseded))
       and events.connection_id = $1
       and events.state = 'planned'
       and not decided.is_held`,
    [connectionId],
  );
  await transaction.run(
    `update personio.deliveries as deliveries
     set state = 'superseded'
     from decided_superseded
     join decided using (employee_id)
     where deliveries.event_id = decided_superseded.event_id
       and deliveries.event_id = any(array(select event_id from decided_superseded))
       and deliveries.connection_id = $1
       and deliveries.state in ('waiting', 'overdue')
       and deliveries.sent_at is null
       and not decided.is_held`,
    [connectionId],
  );
}

/**
 * Ends the deliveries of former episodes of people who are back: no subscriber may close their accounts. A return that
 * is only announced ends nothing; then `markDue` does, when the person starts.
 */
async function endFormerEpisodes(transaction: Transaction, connectionId: string): Promise<void> {
  await transaction.run(
    `update personio.deliveries as deliveries
     set state = 'superseded'
     from decided
     where deliveries.connection_id = $1
       and deliveries.employee_id = decided.employee_id
       and deliveries.employee_id = any(array(
         select employee_id
         from decided
         where not is_held
           and lifecycle_state in ${EMPLOYED_STATES}
       ))
       and not decided.is_held
       and decided.lifecycle_state in ${EMPLOYED_STATES}
       and deliveries.episode < decided.episode
       and deliveries.state in ${OPEN_STATES}`,
    [connectionId],
  );
}

/**
 * Gives the stored events that are due their places in the feed. Call it last: its lock is the only one that commits of
 * other connections wait for.
 */
export async function assignSequences(transaction: Transaction): Promise<void> {
  const [count] = await transaction.query<{ due: number }>(
    `select count(*) as due from new_events where state = 'due'`,
  );
  const due = count?.due ?? 0;
  if (due === 0) return;
  const lastSequence = await reserveSequences(transaction, due);
  await transaction.run(
    `update personio.lifecycle_events as events
     set sequence = $1 + numbered.position
     from (
       select event_id, row_number() over (order by ord) as position
       from new_events
       where state = 'due'
     ) as numbered
     where events.event_id = numbered.event_id
       and events.event_id = any(array(select event_id from new_events where state = 'due'))`,
    [lastSequence],
  );
}

async function storeDeliveries(
  transaction: Transaction,
  request: EmployeesCommitRequest,
  policy: Policy,
): Promise<void> {
  const { connectionId } = request;
  await transaction.run(
    `declare new_events_in_order no scroll cursor for
     select ${EVENT_COLUMNS.select('new_events', ['employeeId', ...DRAFT_FIELDS])}
     from new_events
     order by ord`,
  );
  for (;;) {
    const events = await transaction.query<NewEvent>(`fetch ${BATCH} from new_events_in_order`);
    if (events.length === 0) break;
    const notified = await findNotifiedSubscribers(transaction, request, events);
    const rows = events.flatMap((event) =>
      planEventDeliveries(event, request, policy, notified).map((delivery) =>
        toDeliveryRow(delivery, { ...event, connectionId }),
      ),
    );
    if (rows.length > 0) await insertDeliveries(transaction, rows);
  }
  await transaction.run('close new_events_in_order');
}

function planEventDeliveries(
  event: NewEvent,
  request: EmployeesCommitRequest,
  { subscribers, lifecycle }: Policy,
  notified: ReadonlyMap<string, ReadonlySet<string>>,
): readonly PlannedDelivery[] {
  return planDeliveries(event, {
    subscribers,
    noticeDays: lifecycle.noticeDays,
    detectedAt: request.collectedAt,
    notifiedSubscribers: notified.get(event.eventId) ?? new Set(),
  });
}

const CORRECTION_FIELDS = ['eventId', 'employeeId', 'class', 'episode', 'supersedes'] as const;

const NOTIFIED_SUBSCRIBERS = `
  with corrections as (
    select
      given.event_id,
      given.employee_id,
      given.class,
      coalesce(corrected.episode, given.episode) as episode
    from jsonb_to_recordset($3::jsonb) as given (${EVENT_COLUMNS.define(CORRECTION_FIELDS)})
    left join personio.lifecycle_events as corrected
      on corrected.event_id = given.supersedes
      and corrected.event_id = any($4)
  )
  select distinct corrections.event_id, deliveries.subscriber
  from corrections
  join personio.lifecycle_events as earlier
    on earlier.connection_id = $1
    and earlier.employee_id = corrections.employee_id
    and earlier.employee_id = any($5)
    and earlier.class = corrections.class
    and earlier.episode = corrections.episode
    and earlier.run_id <> $2
    and earlier.kind ~ '[.](announced|rehired|rescheduled|started|left)$'
    and not exists (
      select from personio.lifecycle_events as rescinded
      left join personio.lifecycle_events as withdrawn
        on withdrawn.event_id = rescinded.supersedes
      where rescinded.connection_id = $1
        and rescinded.employee_id = corrections.employee_id
        and rescinded.employee_id = any($5)
        and rescinded.class = corrections.class
        and coalesce(withdrawn.episode, rescinded.episode) = corrections.episode
        and rescinded.run_id <> $2
        and rescinded.kind like '%.rescinded'
        and rescinded.detected_at >= earlier.detected_at
    )
  join personio.deliveries as deliveries
    on deliveries.event_id = earlier.event_id
    and deliveries.purpose <> 'escalation'
    and (
      deliveries.sent_at is not null
      or deliveries.trying_since is not null
      or deliveries.state in ('waiting', 'overdue')
    )`;

/**
 * Finds the subscribers that know the dates which corrections are about: those that received a start or end of the
 * same episode since it was last withdrawn, by any event that names one. The episode is that of the event which a
 * correction supersedes: a return withdraws the end of the former one. A delivery that is still to be sent counts,
 * since what became due is sent; so does an attempt whose outcome is not known.
 *
 * @returns subscribers by the id of the correction.
 */
async function findNotifiedSubscribers(
  transaction: Transaction,
  { connectionId, runId }: EmployeesCommitRequest,
  events: readonly NewEvent[],
): Promise<ReadonlyMap<string, ReadonlySet<string>>> {
  const corrections = events.filter((event) => isCorrection(event.kind));
  const notified = new Map<string, Set<string>>();
  if (corrections.length === 0) return notified;
  const rows = await transaction.query<{ event_id: string; subscriber: string }>(NOTIFIED_SUBSCRIBERS, [
    connectionId,
    runId,
    JSON.stringify(corrections.map((correction) => EVENT_COLUMNS.toRow(correction, CORRECTION_FIELDS))),
    corrections.map(({ supersedes }) => supersedes),
    corrections.map(({ employeeId }) => employeeId),
  ]);
  for (const row of rows) notified.set(row.event_id, (notified.get(row.event_id) ?? new Set()).add(row.subscriber));
  return notified;
}

async function insertDeliveries(transaction: Transaction, rows: readonly object[]): Promise<void> {
  await transaction.run(
    `insert into personio.deliveries (${NEW_DELIVERY_COLUMNS})
     select ${NEW_DELIVERY_COLUMNS}
     from ${NEW_DELIVERIES}
     on conflict do nothing`,
    [JSON.stringify(rows)],
  );
}
