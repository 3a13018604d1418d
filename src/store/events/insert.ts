import type { EmployeesCommitRequest } from '../../contracts/internal/activities.js';
import type { EventClass, EventKind, AttributeChange } from '../../contracts/public/events.js';
import { isCorrection, planDeliveries } from '../../domain/delivery.js';
import type { PlannedDelivery } from '../../domain/delivery.js';
import type { Policy } from '../../domain/policy.js';
import { OPEN_STATES } from '../deliveries/pending.js';
import type { Transaction } from '../database.js';
import { forgetOtherPlans } from '../deliveries/plans.js';

interface NewEvent {
  readonly employee_id: string;
  readonly event_id: string;
  readonly class: EventClass;
  readonly kind: EventKind;
  readonly episode: number;
  readonly effective_date: string;
  readonly effective_at: string;
  readonly time_zone: string;
  readonly changes: readonly AttributeChange[];
  readonly state: 'planned' | 'due';
  readonly late: boolean;
  readonly supersedes: string | null;
  readonly due_at: string;
  readonly rule: string;
}

const BATCH = 1_000;
/** An event that is stored already is the same news: deciding again never doubles it. */
const NEW_EVENTS = `decided_events v join decided d using (employee_id) where v.is_made and not d.is_held
  and not exists (select from personio.lifecycle_events known where known.event_id = v.event_id)`;

/** Stores the events of whoever is not held, with who is to be told of them. @returns how many. */
export async function storeEvents(
  transaction: Transaction,
  request: EmployeesCommitRequest,
  policy: Policy,
): Promise<number> {
  await transaction.run(`create temp table new_events on commit drop as select v.* from ${NEW_EVENTS}`);
  await supersede(transaction, request.connectionId);
  const stored = await transaction.run(
    `insert into personio.lifecycle_events (event_id, connection_id, employee_id, class, kind, effective_date, effective_at, time_zone,
       detected_at, run_id, episode, changes, state, supersedes, due_at, late, rule)
     select event_id, $1, employee_id, class, kind, effective_date, effective_at, time_zone, $2, $3, episode, changes, state, supersedes, due_at, late, rule
     from new_events order by ord`,
    [request.connectionId, request.collectedAt, request.runId],
  );
  if (stored > 0) {
    await storeDeliveries(transaction, request, policy);
    await forgetOtherPlans(transaction, request.connectionId, policy);
    await assignSequences(transaction);
  }
  await endFormerEpisodes(transaction, request.connectionId);
  return stored;
}

/** What fell due stays due: only what is still planned can be superseded. */
async function supersede(transaction: Transaction, connectionId: string): Promise<void> {
  await transaction.run(
    `update personio.lifecycle_events v set state = 'superseded', superseded_by = s.superseded_by
     from decided_superseded s join decided d using (employee_id)
     where v.event_id = s.event_id and v.connection_id = $1 and v.state = 'planned' and not d.is_held`,
    [connectionId],
  );
  await transaction.run(
    `update personio.deliveries x set state = 'superseded' from decided_superseded s join decided d using (employee_id)
     where x.event_id = s.event_id and x.connection_id = $1 and x.state in ('waiting', 'overdue') and x.sent_at is null and not d.is_held`,
    [connectionId],
  );
}

/** Once a new episode has begun, nobody is told to close the accounts of a person who is back. */
async function endFormerEpisodes(transaction: Transaction, connectionId: string): Promise<void> {
  await transaction.run(
    `update personio.deliveries x set state = 'superseded' from decided d
     where x.connection_id = $1 and x.employee_id = d.employee_id and not d.is_held and x.episode < d.episode and x.state in ${OPEN_STATES}`,
    [connectionId],
  );
}

/** In the order of commits without overtaking: the feed's one row is locked until this transaction ends. */
async function assignSequences(transaction: Transaction): Promise<void> {
  const [due] = await transaction.query<{ due: number }>(`select count(*) as due from new_events where state = 'due'`);
  if ((due?.due ?? 0) === 0) return;
  const [feed] = await transaction.query<{ last_sequence: number }>(
    'update personio.lifecycle_feed set last_sequence = last_sequence + $1 returning last_sequence',
    [due?.due ?? 0],
  );
  await transaction.run(
    `update personio.lifecycle_events v set sequence = $1 + n.position
     from (select event_id, row_number() over (order by ord) as position from new_events where state = 'due') n where v.event_id = n.event_id`,
    [(feed?.last_sequence ?? 0) - (due?.due ?? 0)],
  );
}

async function storeDeliveries(
  transaction: Transaction,
  request: EmployeesCommitRequest,
  policy: Policy,
): Promise<void> {
  await transaction.run(
    'declare fresh no scroll cursor for select *, effective_date::text from new_events order by ord',
  );
  for (;;) {
    const events = await transaction.query<NewEvent>(`fetch ${BATCH} from fresh`);
    if (events.length === 0) break;
    const notified = await findNotifiedSubscribers(transaction, request, events);
    const rows = events.flatMap((event) =>
      planEventDeliveries(event, request, policy, notified).map((delivery) => toDeliveryRow(delivery, event)),
    );
    if (rows.length > 0) await insertDeliveries(transaction, request.connectionId, rows);
  }
  await transaction.run('close fresh');
}

function planEventDeliveries(
  event: NewEvent,
  request: EmployeesCommitRequest,
  { subscribers, lifecycle }: Policy,
  notified: ReadonlyMap<string, ReadonlySet<string>>,
): readonly PlannedDelivery[] {
  return planDeliveries(
    {
      eventId: event.event_id,
      kind: event.kind,
      effectiveAt: event.effective_at,
      timeZone: event.time_zone,
      state: event.state,
      late: event.late,
      dueAt: event.due_at,
    },
    {
      subscribers,
      noticeDays: lifecycle.noticeDays,
      detectedAt: request.collectedAt,
      notifiedSubscribers: notified.get(event.event_id) ?? new Set(),
    },
  );
}

/**
 * Who knows of the dates that corrections are about: who was told of a start or end of this episode since it was last withdrawn, by any news that names
 * one. Who is still to be told of it counts, since what fell due is told; so does a try whose outcome is not known.
 */
async function findNotifiedSubscribers(
  transaction: Transaction,
  { connectionId, runId }: EmployeesCommitRequest,
  events: readonly NewEvent[],
): Promise<ReadonlyMap<string, ReadonlySet<string>>> {
  const corrections = events.filter((event) => isCorrection(event.kind));
  const notified = new Map<string, Set<string>>();
  if (corrections.length === 0) return notified;
  const rows = await transaction.query<{ event_id: string; subscriber: string }>(
    `select distinct c.event_id, x.subscriber
     from jsonb_to_recordset($3::jsonb) as c (event_id text, employee_id text, class text, episode integer)
     join personio.lifecycle_events v on v.connection_id = $1 and v.employee_id = c.employee_id and v.class = c.class and v.episode = c.episode
       and v.run_id <> $2 and v.kind ~ '[.](announced|rehired|rescheduled|started|left)$'
       and not exists (select from personio.lifecycle_events r where r.connection_id = $1 and r.employee_id = c.employee_id and r.class = c.class
         and r.episode = c.episode and r.run_id <> $2 and r.kind like '%.rescinded' and r.detected_at >= v.detected_at)
     join personio.deliveries x on x.event_id = v.event_id and x.purpose <> 'escalation'
       and (x.sent_at is not null or x.trying_since is not null or x.state in ('waiting', 'overdue'))`,
    [
      connectionId,
      runId,
      JSON.stringify(
        corrections.map(({ event_id, employee_id, class: of, episode }) => ({
          event_id,
          employee_id,
          class: of,
          episode,
        })),
      ),
    ],
  );
  for (const row of rows) notified.set(row.event_id, (notified.get(row.event_id) ?? new Set()).add(row.subscriber));
  return notified;
}

function toDeliveryRow(delivery: PlannedDelivery, event: NewEvent): Readonly<Record<string, unknown>> {
  return {
    delivery_id: delivery.deliveryId,
    event_id: delivery.eventId,
    employee_id: event.employee_id,
    episode: event.episode,
    subscriber: delivery.subscriber,
    purpose: delivery.purpose,
    due_at: delivery.dueAt,
    late: delivery.late,
  };
}

async function insertDeliveries(
  transaction: Transaction,
  connectionId: string,
  rows: readonly object[],
): Promise<void> {
  await transaction.run(
    `insert into personio.deliveries (delivery_id, event_id, connection_id, employee_id, episode, subscriber, purpose, state, due_at, late)
     select delivery_id, event_id, $1, employee_id, episode, subscriber, purpose, 'waiting', due_at, late
     from jsonb_to_recordset($2::jsonb) as given (delivery_id text, event_id text, employee_id text, episode integer, subscriber text, purpose text, due_at timestamptz, late boolean)
     on conflict do nothing`,
    [connectionId, JSON.stringify(rows)],
  );
}
