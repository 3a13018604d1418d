import { planDeliveries } from '../../domain/delivery.js';
import type { DeliverableEvent, PlannedDelivery } from '../../domain/delivery.js';
import type { Policy } from '../../domain/policy.js';
import type { Database, Transaction } from '../database.js';

interface PlannedEventRow {
  readonly event_id: string;
  readonly employee_id: string;
  readonly kind: DeliverableEvent['kind'];
  readonly episode: number;
  readonly effective_at: string;
  readonly time_zone: string;
  readonly detected_at: string;
  readonly due_at: string;
}

const BATCH = 1_000;

/**
 * Gives every subscriber its rows for all that is still planned, also one that was added to the policy since, or that asks for another moment now.
 * Does nothing where the subscribers are those of the last time. @returns how many rows came or moved.
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
    await transaction.run('select pg_advisory_xact_lock(hashtextextended($1, 0))', [
      `personio:${connectionId}:employees`,
    ]);
    const changed = await planAll(transaction, connectionId, policy);
    await transaction.run(
      `insert into personio.delivery_plans (connection_id, fingerprint, applied_at) values ($1, $2, clock_timestamp())
       on conflict (connection_id) do update set fingerprint = excluded.fingerprint, applied_at = excluded.applied_at`,
      [connectionId, fingerprint],
    );
    return changed;
  });
}

/** Only what the rows depend on: another workflow type needs no new plan. */
function toFingerprint({ subscribers, lifecycle }: Policy): string {
  return JSON.stringify([lifecycle.noticeDays, subscribers.map(({ name, events, when }) => [name, events, when])]);
}

/** A worker with other subscribers has committed events: whoever comes next with these has to look again. */
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
     select event_id, employee_id, kind, episode, effective_at, time_zone, detected_at, due_at from personio.lifecycle_events
     where connection_id = '${connectionId.replaceAll("'", "''")}' and state = 'planned' and due_at > '${now}'::timestamptz`,
  );
  let changed = 0;
  for (;;) {
    const events = await transaction.query<PlannedEventRow>(`fetch ${BATCH} from still_planned`);
    if (events.length === 0) break;
    const rows = events.flatMap((event) =>
      planEventDeliveries(event, policy, now).map((delivery) => toDeliveryRow(delivery, event, connectionId)),
    );
    changed += await upsertDeliveries(transaction, rows);
  }
  await transaction.run('close still_planned');
  return changed;
}

/** Notices whose moment passed before the subscriber was there are left out. */
function planEventDeliveries(event: PlannedEventRow, policy: Policy, now: string): readonly PlannedDelivery[] {
  const { subscribers, lifecycle } = policy;
  return planDeliveries(
    {
      eventId: event.event_id,
      kind: event.kind,
      effectiveAt: event.effective_at,
      timeZone: event.time_zone,
      state: 'planned' as const,
      late: false,
      dueAt: event.due_at,
    },
    { subscribers, noticeDays: lifecycle.noticeDays, detectedAt: event.detected_at, notifiedSubscribers: new Set() },
  ).filter(({ purpose, dueAt }) => purpose === 'event' || dueAt > now);
}

function toDeliveryRow(delivery: PlannedDelivery, event: PlannedEventRow, connectionId: string): object {
  return {
    delivery_id: delivery.deliveryId,
    event_id: delivery.eventId,
    connection_id: connectionId,
    employee_id: event.employee_id,
    episode: event.episode,
    subscriber: delivery.subscriber,
    purpose: delivery.purpose,
    due_at: delivery.dueAt,
    late: delivery.late,
  };
}

/** Rows that were never tried follow the policy; the others stay. The events are handed over again, so that the workflows look. */
async function upsertDeliveries(transaction: Transaction, rows: readonly object[]): Promise<number> {
  if (rows.length === 0) return 0;
  return transaction.run(
    `with written as (
       insert into personio.deliveries as x (delivery_id, event_id, connection_id, employee_id, episode, subscriber, purpose, state, due_at, late)
       select delivery_id, event_id, connection_id, employee_id, episode, subscriber, purpose, 'waiting', due_at, late
       from jsonb_to_recordset($1::jsonb) as given (delivery_id text, event_id text, connection_id text, employee_id text, episode integer,
         subscriber text, purpose text, due_at timestamptz, late boolean)
       on conflict (delivery_id) do update set due_at = excluded.due_at, late = excluded.late
         where x.state = 'waiting' and x.attempts = 0 and x.due_at is distinct from excluded.due_at
       returning event_id
     ) update personio.lifecycle_events v set handed_over_to = null from written w where v.event_id = w.event_id`,
    [JSON.stringify(rows)],
  );
}
