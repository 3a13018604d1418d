import type { EmployeesCommitRequest } from '../../contracts/internal/activities.js';
import { decide } from '../../domain/decide.js';
import { LIFECYCLE_STATES } from '../../domain/lifecycle.js';
import type { LifecycleDecision, LifecycleState, PersonState, PlannedEvent } from '../../domain/lifecycle.js';
import type { Policy } from '../../domain/policy.js';
import type { Transaction } from '../database.js';
import { IS_ON_HOLD } from '../deliveries/on-hold.js';
import { DRAFT_FIELDS, EVENT_COLUMNS } from '../events/columns.js';
import { toEmployeeRecord } from './columns.js';
import type { EmployeeJson } from './columns.js';

interface PairRow {
  readonly employee_id: string;
  readonly is_seen: boolean;
  readonly current: EmployeeJson;
  readonly previous: EmployeeJson | null;
  readonly planned: readonly PlannedEvent[] | null;
  /** The rejected withdrawal of a leaving, with the leaving, which may have fallen due since. */
  readonly rejected: { readonly eventIds: readonly string[]; readonly leaving: PlannedEvent } | null;
}

export interface DecideAllContext {
  readonly policy: Policy;
  readonly digest: (text: string) => string;
  readonly isBaseline: boolean;
}

/** People in memory at once: a company of any size takes the same memory. */
const BATCH = 250;

/**
 * Passes each pair to the pure decision. Leaves the temporary tables `decided` (one row per person), `decided_events`
 * and `decided_superseded`.
 */
export async function decideAll(
  transaction: Transaction,
  request: EmployeesCommitRequest,
  context: DecideAllContext,
): Promise<void> {
  await createTables(transaction);
  await declarePeople(transaction, request.runId);
  for (;;) {
    const rows = await transaction.query<PairRow>(`fetch ${BATCH} from people`);
    if (rows.length === 0) break;
    await storeDecisions(
      transaction,
      rows.map((row) => ({ employeeId: row.employee_id, decision: decidePerson(row, request, context) })),
    );
  }
  await transaction.run('close people');
  await transaction.run('create index on decided (employee_id)');
  await transaction.run('analyze decided');
}

const DECIDED_COLUMNS =
  'employee_id text, lifecycle_state text, episode integer, announced_start date, announced_end date, ' +
  'former_end date, has_started boolean, is_deleted boolean, brake_class text, anomalies text[]';
const DECIDED_EVENT_COLUMNS = `employee_id text, ${EVENT_COLUMNS.define(DRAFT_FIELDS)}, is_made boolean`;
const SUPERSEDED_COLUMNS = 'employee_id text, event_id text, superseded_by text';

async function createTables(transaction: Transaction): Promise<void> {
  await transaction.run(
    `create temp table decided (
       ${DECIDED_COLUMNS},
       question text[],
       verdict text,
       is_held boolean not null default false
     ) on commit drop`,
  );
  await transaction.run(
    `create temp table decided_events (
       ord bigint generated always as identity,
       ${DECIDED_EVENT_COLUMNS}
     ) on commit drop`,
  );
  await transaction.run(`create temp table decided_superseded (${SUPERSEDED_COLUMNS}) on commit drop`);
}

/** Returns the SQL of a `PlannedEvent` as JSON. */
function buildEvent(isOnHold: string): string {
  return `jsonb_build_object(
    'eventId', events.event_id,
    'kind', events.kind,
    'episode', events.episode,
    'effectiveDate', events.effective_date,
    'timeZone', events.time_zone,
    'isOnHold', ${isOnHold}
  )`;
}

const PLANNED_EVENTS = `
  (
    select jsonb_agg(${buildEvent(IS_ON_HOLD)})
    from personio.lifecycle_events as events
    where events.connection_id = pairs.connection_id
      and events.employee_id = pairs.employee_id
      and events.state = 'planned'
  )`;

/** A rejected withdrawal, with the leaving that it was about. The row in `employees` has its day while it is held. */
const REJECTED_WITHDRAWAL = `
  (
    select jsonb_build_object('eventIds', held_people.event_ids, 'leaving', ${buildEvent('true')})
    from personio.lifecycle_events as events
    where held_people.brake_class = 'withdrawals'
      and held_people.decision = 'rejected'
      and events.connection_id = pairs.connection_id
      and events.employee_id = pairs.employee_id
      and events.kind = 'leaver.left'
      and events.episode = stored.episode
      and events.effective_date = stored.announced_end
      and events.state in ('planned', 'due')
    order by events.due_at desc
    limit 1
  )`;

/**
 * Opens the cursor `people`. A person who is held as missing has been missing since the question began, although the
 * row in `employees` does not say so. A run that began before that does not count as the second one that misses the
 * person.
 */
async function declarePeople(transaction: Transaction, runId: string): Promise<void> {
  await transaction.run(
    `declare people no scroll cursor for
     select
       pairs.employee_id,
       pairs.is_seen,
       to_jsonb(pairs) as current,
       to_jsonb(stored) || jsonb_build_object(
         'missing_since',
         case
           when coalesce(stored.missing_since, missed.since) < runs.started_at
           then coalesce(stored.missing_since, missed.since)
         end
       ) as previous,
       ${PLANNED_EVENTS} as planned,
       ${REJECTED_WITHDRAWAL} as rejected
     from pairs
     join personio.sync_runs as runs
       on runs.run_id = $1
     left join personio.employees as stored
       on stored.connection_id = pairs.connection_id
       and stored.employee_id = pairs.employee_id
     left join personio.held_people as held_people
       on held_people.connection_id = pairs.connection_id
       and held_people.employee_id = pairs.employee_id
     left join lateral (
       select held_people.since
       where held_people.brake_class = 'missing'
     ) as missed
       on true`,
    [runId],
  );
}

function decidePerson(
  row: PairRow,
  request: EmployeesCommitRequest,
  { policy, digest, isBaseline }: DecideAllContext,
): LifecycleDecision {
  const decideWith = (planned: readonly PlannedEvent[]): LifecycleDecision =>
    decide(
      {
        connectionId: request.connectionId,
        employeeId: row.employee_id,
        collectedAt: request.collectedAt,
        previous: row.previous === null ? null : toPersonState(row.previous, planned),
        current: row.is_seen ? toEmployeeRecord(row.current) : null,
        // The commit has checked that everybody who is missing was asked for by id, and that Personio answered 404.
        isConfirmedGone: !row.is_seen,
        isBaseline,
      },
      { lifecycle: policy.lifecycle, offices: policy.offices, digest },
    );
  const planned = row.planned ?? [];
  return findRejectedWithdrawal(row, planned, decideWith) ?? decideWith(planned);
}

/**
 * Decides as if a leaving were still ahead whose withdrawal was rejected. While Personio says the same, that is what
 * was rejected, although the leaving has fallen due: without this, the person would be rehired. Null if it is not.
 */
function findRejectedWithdrawal(
  { rejected }: PairRow,
  planned: readonly PlannedEvent[],
  decideWith: (planned: readonly PlannedEvent[]) => LifecycleDecision,
): LifecycleDecision | null {
  if (rejected === null) return null;
  const { eventIds, leaving } = rejected;
  const decision = decideWith([...planned.filter(({ eventId }) => eventId !== leaving.eventId), leaving]);
  const withdrawn = [...decision.events, ...decision.suppressedEvents].find(({ kind }) => kind === 'leaver.rescinded');
  const isSame = withdrawn !== undefined && eventIds.includes(withdrawn.eventId);
  return isSame && decision.brakeClass === 'withdrawals' ? decision : null;
}

function toPersonState(row: EmployeeJson, planned: readonly PlannedEvent[]): PersonState {
  const getText = (name: string): string | null => {
    const value = row[name];
    return typeof value === 'string' ? value : null;
  };
  return {
    record: toEmployeeRecord(row),
    lifecycleState: parseLifecycleState(getText('lifecycle_state')),
    episode: Number(row['episode']),
    version: Number(row['version']),
    missingSince: getText('missing_since'),
    deletedAt: getText('deleted_at'),
    announcedStart: getText('announced_start'),
    announcedEnd: getText('announced_end'),
    formerEnd: getText('former_end'),
    hasStarted: row['has_started'] === true,
    planned,
  };
}

function parseLifecycleState(text: string | null): LifecycleState | null {
  return LIFECYCLE_STATES.find((state) => state === text) ?? null;
}

interface PersonDecision {
  readonly employeeId: string;
  readonly decision: LifecycleDecision;
}

async function storeDecisions(transaction: Transaction, people: readonly PersonDecision[]): Promise<void> {
  const rows = people.map(({ employeeId, decision }) => ({
    employee_id: employeeId,
    lifecycle_state: decision.lifecycleState,
    episode: decision.episode,
    announced_start: decision.announcedStart,
    announced_end: decision.announcedEnd,
    former_end: decision.formerEnd,
    has_started: decision.hasStarted,
    is_deleted: decision.isDeleted,
    brake_class: decision.brakeClass,
    anomalies: decision.anomalies,
  }));
  await insertRows(transaction, 'decided', DECIDED_COLUMNS, rows);
  const events = people.flatMap(({ employeeId, decision }) =>
    [...decision.events, ...decision.suppressedEvents].map((event) => ({
      ...EVENT_COLUMNS.toRow(event, DRAFT_FIELDS),
      employee_id: employeeId,
      is_made: decision.events.includes(event),
    })),
  );
  await insertRows(transaction, 'decided_events', DECIDED_EVENT_COLUMNS, events);
  const superseded = people.flatMap(({ employeeId, decision }) =>
    decision.superseded.map(({ eventId, by }) => ({ employee_id: employeeId, event_id: eventId, superseded_by: by })),
  );
  await insertRows(transaction, 'decided_superseded', SUPERSEDED_COLUMNS, superseded);
}

/** Inserts rows as JSON with their columns' names and types: one statement and one parameter for any number of rows. */
async function insertRows(
  transaction: Transaction,
  table: string,
  columns: string,
  rows: readonly object[],
): Promise<void> {
  if (rows.length === 0) return;
  const names = columns
    .split(', ')
    .map((column) => column.split(' ')[0])
    .join(', ');
  await transaction.run(
    `insert into ${table} (${names})
     select ${names}
     from jsonb_to_recordset($1::jsonb) as given (${columns})`,
    [JSON.stringify(rows)],
  );
}
