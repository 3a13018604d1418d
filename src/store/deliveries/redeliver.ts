import type { EventKind } from '../../contracts/public/events.js';
import { isCorrection } from '../../domain/delivery.js';
import type { Subscriber } from '../../domain/policy.js';
import type { Database, Transaction } from '../database.js';
import { appendAuditEntry } from '../audit-log.js';
import type { AuditEntry } from '../audit-log.js';

export interface Redelivery {
  readonly redelivered: readonly {
    readonly deliveryId: string;
    readonly connectionId: string;
    readonly employeeId: string;
  }[];
  readonly refused: readonly { readonly deliveryId: string; readonly sentence: string }[];
}

type DeliveryRef = Redelivery['redelivered'][number];
type Attribution = Pick<AuditEntry, 'actor' | 'reason'>;

interface Candidate extends DeliveryRef {
  readonly state: string;
  readonly isFormer: boolean;
  readonly isWithdrawn: boolean;
}

const CANDIDATES = `select x.delivery_id as "deliveryId", x.connection_id as "connectionId", x.employee_id as "employeeId", x.state,
    coalesce(e.episode > x.episode, false) as "isFormer", v.state = 'superseded' as "isWithdrawn"
  from personio.deliveries x join personio.lifecycle_events v using (event_id)
  left join personio.employees e on e.connection_id = x.connection_id and e.employee_id = x.employee_id`;

/** Sends dead, failed and overdue deliveries again, as if they were new; the same ids, so that receivers still know a repeat. */
export async function redeliver(
  database: Database,
  deliveryIds: readonly string[],
  who: Attribution,
): Promise<Redelivery> {
  return database.transaction(async (transaction) => {
    const rows = await transaction.query<Candidate>(`${CANDIDATES} where x.delivery_id = any($1) for update of x`, [
      deliveryIds,
    ]);
    const known = new Map(rows.map((row) => [row.deliveryId, row]));
    const refused = deliveryIds.flatMap((deliveryId) => {
      const sentence = findRefusal(known.get(deliveryId));
      return sentence === null ? [] : [{ deliveryId, sentence }];
    });
    const redelivered = rows.filter((row) => findRefusal(row) === null).map(toDeliveryRef);
    await reopen(transaction, redelivered);
    for (const { deliveryId } of redelivered)
      await appendAuditEntry(transaction, { ...who, what: 'redeliver', subject: `delivery ${deliveryId}` });
    return { redelivered, refused };
  });
}

/** Gives one subscriber what it missed since a moment: what it was never told, and what is dead, failed or overdue. */
export async function redeliverSince(
  database: Database,
  subscriber: Subscriber,
  since: string,
  who: Attribution,
): Promise<Redelivery> {
  return database.transaction(async (transaction) => {
    const rows = await transaction.query<Candidate>(
      `${CANDIDATES} where x.subscriber = $1 and x.due_at >= $2 and x.state in ('dead', 'failed', 'overdue') for update of x`,
      [subscriber.name, since],
    );
    const again = rows.filter((row) => findRefusal(row) === null).map(toDeliveryRef);
    await reopen(transaction, again);
    const redelivered = [...again, ...(await addMissed(transaction, subscriber, since))];
    const subject = `subscriber ${subscriber.name} since ${since}: ${redelivered.length} deliveries`;
    await appendAuditEntry(transaction, { ...who, what: 'redeliver', subject });
    return { redelivered, refused: [] };
  });
}

function toDeliveryRef({ deliveryId, connectionId, employeeId }: Candidate): DeliveryRef {
  return { deliveryId, connectionId, employeeId };
}

function findRefusal(row: Candidate | undefined): string | null {
  if (row === undefined) return 'There is no such delivery; `personio-sync deliveries` lists them.';
  if (row.isFormer)
    return 'It is of a former employment: the person is back, and nobody is told of the leaving any more.';
  if (row.isWithdrawn) return 'Its event was corrected or withdrawn, and the correction is what counts.';
  if (['dead', 'failed', 'overdue'].includes(row.state)) return null;
  return `It is ${row.state}; only dead, failed and overdue deliveries are sent again.`;
}

async function reopen(transaction: Transaction, deliveries: readonly DeliveryRef[]): Promise<void> {
  await transaction.run(
    `with opened as (
       update personio.deliveries
       set state = 'waiting', first_attempt_at = null, next_attempt_at = null, sent_at = null, deadline_at = null, escalated_at = null,
         trying_since = null, refusals = 0, last_error = null
       where delivery_id = any($1) returning event_id
     ) update personio.lifecycle_events v set handed_over_to = null from opened o where v.event_id = o.event_id`,
    [deliveries.map(({ deliveryId }) => deliveryId)],
  );
}

interface MissedEvent {
  readonly event_id: string;
  readonly connection_id: string;
  readonly employee_id: string;
  readonly class: string;
  readonly kind: EventKind;
  readonly episode: number;
  readonly is_told: boolean;
}

/** Of present employments only, and corrections only where the date that they correct was told, or is told now. */
async function addMissed(
  transaction: Transaction,
  subscriber: Subscriber,
  since: string,
): Promise<readonly DeliveryRef[]> {
  const events = await transaction.query<MissedEvent>(
    `select v.event_id, v.connection_id, v.employee_id, v.class, v.kind, v.episode,
       exists (select from personio.deliveries told join personio.lifecycle_events t using (event_id)
         where told.subscriber = $1 and told.sent_at is not null and t.connection_id = v.connection_id and t.employee_id = v.employee_id
           and t.class = v.class and t.episode = v.episode) as is_told
     from personio.lifecycle_events v join personio.employees e using (connection_id, employee_id, episode)
     where v.state = 'due' and v.due_at >= $2 and v.kind = any($3)
       and not exists (select from personio.deliveries x where x.event_id = v.event_id and x.subscriber = $1 and x.purpose = 'event')
     order by v.sequence`,
    [subscriber.name, since, subscriber.events],
  );
  const notified = new Set<string>();
  const missed = events.filter((event) => {
    const subject = JSON.stringify([event.connection_id, event.employee_id, event.class, event.episode]);
    if (isCorrection(event.kind)) return event.is_told || notified.has(subject);
    notified.add(subject);
    return true;
  });
  return transaction.query<DeliveryRef>(
    `with added as (
       insert into personio.deliveries (delivery_id, event_id, connection_id, employee_id, episode, subscriber, purpose, state, due_at, late)
       select event_id || ':' || $1, event_id, connection_id, employee_id, episode, $1, 'event', 'waiting', due_at, late
       from personio.lifecycle_events where event_id = any($2) on conflict do nothing returning delivery_id, event_id
     ) update personio.lifecycle_events v set handed_over_to = null from added a where v.event_id = a.event_id
     returning a.delivery_id as "deliveryId", v.connection_id as "connectionId", v.employee_id as "employeeId"`,
    [subscriber.name, missed.map((event) => event.event_id)],
  );
}
