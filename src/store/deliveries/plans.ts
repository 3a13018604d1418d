import { planDeliveries } from '../../domain/delivery.js';
import type { PlannedDelivery } from '../../domain/delivery.js';
import type { Policy } from '../../domain/policy.js';
import { hasCome } from '../../domain/zones.js';
import type { Database, Transaction } from '../database.js';
import { EVENT_COLUMNS } from '../events/columns.js';
import type { StoredEvent } from '../events/columns.js';
import { lockEndpoint } from '../locks.js';
import { NEW_DELIVERIES, NEW_DELIVERY_COLUMNS, toDeliveryRow } from './columns.js';
import { IS_ON_HOLD } from './on-hold.js';

const PLANNED_FIELDS = [
  'eventId',
  'connectionId',
  'employeeId',
  'kind',
  'episode',
  'effectiveAt',
  'timeZone',
  'detectedAt',
  'dueAt',
] as const satisfies readonly (keyof StoredEvent)[];

type PlannedEvent = Pick<StoredEvent, (typeof PLANNED_FIELDS)[number]>;

const BATCH = 1_000;

/**
 * Makes the deliveries of all planned events match the policy's subscribers: a subscriber that was added gets its rows,
 * one that asks for another due time has them moved. Does nothing where the subscribers have not changed since the last
 * time.
 *
 * @returns how many rows were added or moved.
 */
export async function applySubscribers(database: Database, connectionId: string, policy: Policy): Promise<number> {
  const fingerprint = toFingerprint(policy);
  const isApplied = await database.query(
    'select 1 from personio.delivery_plans where connection_id = $1 and fingerprint = $2',
    [connectionId, fingerprint],
  );
  if (isApplied.length > 0) return 0;
  return database.transaction(async (transaction) => {
    // After a commit of the same connection: its events must not miss the new subscriber.
    await lockEndpoint(transaction, connectionId, 'employees');
    const changed = await planAll(transaction, connectionId, policy);
    await transaction.run(
      `insert into personio.delivery_plans (connection_id, fingerprint, applied_at)
       values ($1, $2, clock_timestamp())
       on conflict (connection_id) do update
       set fingerprint = excluded.fingerprint,
         applied_at = excluded.applied_at`,
      [connectionId, fingerprint],
    );
    return changed;
  });
}

/** Returns the part of the policy that the rows depend on: another workflow type needs no new plan. */
function toFingerprint({ subscribers, lifecycle }: Policy): string {
  return JSON.stringify([lifecycle.noticeDays, subscribers.map(({ name, events, when }) => [name, events, when])]);
}

/** Deletes the fingerprint of other subscribers: events were committed for these, so a worker with those must plan. */
export async function forgetOtherPlans(transaction: Transaction, connectionId: string, policy: Policy): Promise<void> {
  await transaction.run('delete from personio.delivery_plans where connection_id = $1 and fingerprint <> $2', [
    connectionId,
    toFingerprint(policy),
  ]);
}

async function planAll(transaction: Transaction, connectionId: string, policy: Policy): Promise<number> {
  const [clock] = await transaction.query<{ now: string }>('select clock_timestamp() as now');
  const now = clock?.now ?? '';
  await transaction.run(
    `declare still_planned no scroll cursor for
     select ${EVENT_COLUMNS.select('events', PLANNED_FIELDS)}
     from personio.lifecycle_events as events
     where connection_id = $1
       and state = 'planned'
       and (due_at > $2::timestamptz or ${IS_ON_HOLD})`,
    [connectionId, now],
  );
  let changed = 0;
  for (;;) {
    const events = await transaction.query<PlannedEvent>(`fetch ${BATCH} from still_planned`);
    if (events.length === 0) break;
    const rows = events.flatMap((event) =>
      planEventDeliveries(event, policy, now).map((delivery) => toDeliveryRow(delivery, event)),
    );
    changed += await upsertDeliveries(transaction, rows);
  }
  await transaction.run('close still_planned');
  return changed;
}

/** Plans the deliveries of an event, without notices that were due before the subscriber was added. */
function planEventDeliveries(event: PlannedEvent, policy: Policy, now: string): readonly PlannedDelivery[] {
  const { subscribers, lifecycle } = policy;
  return planDeliveries(
    { ...event, state: 'planned', late: false },
    { subscribers, noticeDays: lifecycle.noticeDays, detectedAt: event.detectedAt, notifiedSubscribers: new Set() },
  ).filter(({ purpose, dueAt }) => purpose === 'event' || !hasCome(dueAt, now));
}

/**
 * Inserts or moves rows that were never attempted; others stay. Their events become undispatched, so that workflows
 * look.
 */
async function upsertDeliveries(transaction: Transaction, rows: readonly object[]): Promise<number> {
  if (rows.length === 0) return 0;
  return transaction.run(
    `with written as (
       insert into personio.deliveries as stored (${NEW_DELIVERY_COLUMNS})
       select ${NEW_DELIVERY_COLUMNS}
       from ${NEW_DELIVERIES}
       on conflict (delivery_id) do update
       set due_at = excluded.due_at,
         late = excluded.late
       where stored.state = 'waiting'
         and stored.attempts = 0
         and stored.due_at is distinct from excluded.due_at
       returning event_id
     )
     update personio.lifecycle_events as events
     set handed_over_to = null
     from written
     where events.event_id = written.event_id`,
    [JSON.stringify(rows)],
  );
}
