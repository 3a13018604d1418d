import { isCorrection } from '../../domain/delivery.js';
import type { Subscriber } from '../../domain/policy.js';
import { appendAuditEntry } from '../audit-log.js';
import type { Attribution } from '../audit-log.js';
import type { Database, Transaction } from '../database.js';
import { EVENT_COLUMNS } from '../events/columns.js';
import type { StoredEvent } from '../events/columns.js';
import { DELIVERY_COLUMNS, NEW_DELIVERY_COLUMNS, isFormerEpisode } from './columns.js';
import type { StoredDelivery } from './columns.js';

const REF_FIELDS = ['deliveryId', 'connectionId', 'employeeId'] as const satisfies readonly (keyof StoredDelivery)[];

type DeliveryRef = Pick<StoredDelivery, (typeof REF_FIELDS)[number]>;

export interface Redelivery {
  readonly redelivered: readonly DeliveryRef[];
  readonly refused: readonly { readonly deliveryId: string; readonly sentence: string }[];
}

type Candidate = DeliveryRef &
  Pick<StoredDelivery, 'state'> & { readonly isFormer: boolean; readonly isWithdrawn: boolean };

const CANDIDATES = `
  select
    ${DELIVERY_COLUMNS.select('deliveries', [...REF_FIELDS, 'state'])},
    coalesce(${isFormerEpisode('deliveries')}, false) as "isFormer",
    events.state = 'superseded' as "isWithdrawn"
  from personio.deliveries as deliveries
  join personio.lifecycle_events as events using (event_id)
  left join personio.employees as employees
    on employees.connection_id = deliveries.connection_id
    and employees.employee_id = deliveries.employee_id`;

/**
 * Sends dead, failed and overdue deliveries again as if they were new. Their ids stay, so that receivers know a
 * repeat.
 */
export async function redeliver(
  database: Database,
  deliveryIds: readonly string[],
  by: Attribution,
): Promise<Redelivery> {
  return database.transaction(async (transaction) => {
    const rows = await transaction.query<Candidate>(
      `${CANDIDATES}
       where deliveries.delivery_id = any($1)
       for update of deliveries`,
      [deliveryIds],
    );
    const known = new Map(rows.map((row) => [row.deliveryId, row]));
    const refused = deliveryIds.flatMap((deliveryId) => {
      const sentence = findRefusal(known.get(deliveryId));
      return sentence === null ? [] : [{ deliveryId, sentence }];
    });
    const redelivered = rows.filter((row) => findRefusal(row) === null).map(toDeliveryRef);
    await reopen(transaction, redelivered);
    for (const { deliveryId } of redelivered)
      await appendAuditEntry(transaction, { ...by, what: 'redeliver', subject: `delivery ${deliveryId}` });
    return { redelivered, refused };
  });
}

/**
 * Sends one subscriber what it missed since a moment: events it never received, and dead, failed or overdue
 * deliveries.
 */
export async function redeliverSince(
  database: Database,
  subscriber: Subscriber,
  since: string,
  by: Attribution,
): Promise<Redelivery> {
  return database.transaction(async (transaction) => {
    const rows = await transaction.query<Candidate>(
      `${CANDIDATES}
       where deliveries.subscriber = $1
         and deliveries.due_at >= $2
         and deliveries.state in ('dead', 'failed', 'overdue')
       for update of deliveries`,
      [subscriber.name, since],
    );
    const reopened = rows.filter((row) => findRefusal(row) === null).map(toDeliveryRef);
    await reopen(transaction, reopened);
    const redelivered = [...reopened, ...(await addMissed(transaction, subscriber, since))];
    const subject = `subscriber ${subscriber.name} since ${since}: ${redelivered.length} deliveries`;
    await appendAuditEntry(transaction, { ...by, what: 'redeliver', subject });
    return { redelivered, refused: [] };
  });
}

function toDeliveryRef({ deliveryId, connectionId, employeeId }: Candidate): DeliveryRef {
  return { deliveryId, connectionId, employeeId };
}

function findRefusal(row: Candidate | undefined): string | null {
  if (row === undefined) return 'There is no such delivery; `personio-sync deliveries` lists them.';
  if (row.isFormer) return 'It belongs to a former employment: the person is back, so no subscriber needs the leaving.';
  if (row.isWithdrawn) return 'Its event was corrected or withdrawn; the correction has deliveries of its own.';
  if (['dead', 'failed', 'overdue'].includes(row.state)) return null;
  return `It is ${row.state}; only dead, failed and overdue deliveries can be sent again.`;
}

/**
 * Resets deliveries to their state before the first attempt. Their events become undispatched, so that workflows
 * look.
 */
async function reopen(transaction: Transaction, deliveries: readonly DeliveryRef[]): Promise<void> {
  await transaction.run(
    `with reopened as (
       update personio.deliveries
       set state = 'waiting',
         first_attempt_at = null,
         next_attempt_at = null,
         sent_at = null,
         deadline_at = null,
         escalated_at = null,
         trying_since = null,
         refusals = 0,
         last_error = null
       where delivery_id = any($1)
       returning event_id
     )
     update personio.lifecycle_events as events
     set handed_over_to = null
     from reopened
     where events.event_id = reopened.event_id`,
    [deliveries.map(({ deliveryId }) => deliveryId)],
  );
}

const MISSED_FIELDS = [
  'eventId',
  'connectionId',
  'employeeId',
  'class',
  'kind',
  'episode',
] as const satisfies readonly (keyof StoredEvent)[];

type MissedEvent = Pick<StoredEvent, (typeof MISSED_FIELDS)[number]> & { readonly isNotified: boolean };

/**
 * Adds deliveries of the current employments, and of corrections where the date that they correct was sent or is sent
 * now.
 */
async function addMissed(
  transaction: Transaction,
  subscriber: Subscriber,
  since: string,
): Promise<readonly DeliveryRef[]> {
  const events = await listMissedEvents(transaction, subscriber, since);
  const notified = new Set<string>();
  const missed = events.filter((event) => {
    const subject = JSON.stringify([event.connectionId, event.employeeId, event.class, event.episode]);
    if (isCorrection(event.kind)) return event.isNotified || notified.has(subject);
    notified.add(subject);
    return true;
  });
  return transaction.query<DeliveryRef>(
    `with added as (
       insert into personio.deliveries (${NEW_DELIVERY_COLUMNS})
       select
         event_id || ':' || $1,
         event_id,
         connection_id,
         employee_id,
         episode,
         $1,
         'event',
         'waiting',
         due_at,
         late
       from personio.lifecycle_events
       where event_id = any($2)
       on conflict do nothing
       returning delivery_id, event_id
     )
     update personio.lifecycle_events as events
     set handed_over_to = null
     from added
     where events.event_id = added.event_id
     returning
       added.delivery_id as "deliveryId",
       events.connection_id as "connectionId",
       events.employee_id as "employeeId"`,
    [subscriber.name, missed.map((event) => event.eventId)],
  );
}

async function listMissedEvents(
  transaction: Transaction,
  subscriber: Subscriber,
  since: string,
): Promise<readonly MissedEvent[]> {
  return transaction.query<MissedEvent>(
    `select
       ${EVENT_COLUMNS.select('events', MISSED_FIELDS)},
       exists (
         select from personio.deliveries as sent
         join personio.lifecycle_events as earlier using (event_id)
         where sent.subscriber = $1
           and sent.sent_at is not null
           and earlier.connection_id = events.connection_id
           and earlier.employee_id = events.employee_id
           and earlier.class = events.class
           and earlier.episode = coalesce(corrected.episode, events.episode)
       ) as "isNotified"
     from personio.lifecycle_events as events
     left join personio.lifecycle_events as corrected
       on corrected.event_id = events.supersedes
     join personio.employees as employees
       on employees.connection_id = events.connection_id
       and employees.employee_id = events.employee_id
     where events.state = 'due'
       and not ${isFormerEpisode('events')}
       and events.due_at >= $2
       and events.kind = any($3)
       and not exists (
         select from personio.deliveries as deliveries
         where deliveries.event_id = events.event_id
           and deliveries.subscriber = $1
           and deliveries.purpose = 'event'
       )
     order by events.sequence`,
    [subscriber.name, since, subscriber.events],
  );
}
