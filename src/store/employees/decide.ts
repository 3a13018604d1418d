import type { EmployeesCommitRequest } from '../../contracts/internal/activities.js';
import { decide } from '../../domain/decide.js';
import { LIFECYCLE_STATES } from '../../domain/lifecycle.js';
import type { LifecycleDecision, LifecycleState, PersonState, PlannedEvent } from '../../domain/lifecycle.js';
import type { Policy } from '../../domain/policy.js';
import type { Transaction } from '../database.js';
import { toEmployeeRecord } from './columns.js';
import type { EmployeeJson } from './columns.js';

interface PairRow {
  readonly employee_id: string;
  readonly is_seen: boolean;
  readonly current: EmployeeJson;
  readonly previous: EmployeeJson | null;
  readonly planned: readonly PlannedJson[] | null;
}

interface PlannedJson {
  readonly event_id: string;
  readonly kind: PlannedEvent['kind'];
  readonly episode: number;
  readonly effective_date: string;
  readonly time_zone: string;
}

export interface DecideAllContext {
  readonly policy: Policy;
  readonly digest: (text: string) => string;
  readonly isBaseline: boolean;
}

/** People in memory at once: a company of any size passes through in as much. */
const BATCH = 250;

/**
 * Hands each pair to the pure decision. Leaves the temporary tables `decided` (one row a person), `decided_events` and
 * `decided_superseded`.
 */
export async function decideAll(
  transaction: Transaction,
  request: EmployeesCommitRequest,
  context: DecideAllContext,
): Promise<void> {
  await createTables(transaction);
  await transaction.run(
    // Who is held as missing has been missing since the question began, though the row does not say so. A run that had begun before that
    // is no second one.
    `declare people no scroll cursor for
     select p.employee_id, p.is_seen, to_jsonb(p) as current,
       to_jsonb(e) || jsonb_build_object('missing_since',
         case when coalesce(e.missing_since, h.since) < r.started_at then coalesce(e.missing_since, h.since) end) as previous,
       (select jsonb_agg(jsonb_build_object('event_id', v.event_id, 'kind', v.kind, 'episode', v.episode, 'effective_date', v.effective_date, 'time_zone', v.time_zone))
        from personio.lifecycle_events v
        where v.connection_id = p.connection_id and v.employee_id = p.employee_id and v.state = 'planned') as planned
     from pairs p join personio.sync_runs r on r.run_id = $1 left join personio.employees e on e.connection_id = p.connection_id and e.employee_id = p.employee_id
     left join personio.held_people h on h.connection_id = p.connection_id and h.employee_id = p.employee_id and h.brake_class = 'missing'`,
    [request.runId],
  );
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

async function createTables(transaction: Transaction): Promise<void> {
  await transaction.run(
    `create temp table decided (employee_id text, lifecycle_state text, episode integer, announced_start date, announced_end date,
       is_deleted boolean, brake_class text, anomalies text[], question text[], verdict text, is_held boolean not null default false) on commit drop`,
  );
  await transaction.run(
    `create temp table decided_events (ord bigint generated always as identity, employee_id text, event_id text, class text, kind text, episode integer, effective_date date,
       effective_at timestamptz, time_zone text, changes jsonb, state text, late boolean, supersedes text, due_at timestamptz, rule text, is_made boolean) on commit drop`,
  );
  await transaction.run(
    'create temp table decided_superseded (employee_id text, event_id text, superseded_by text) on commit drop',
  );
}

function decidePerson(
  row: PairRow,
  request: EmployeesCommitRequest,
  { policy, digest, isBaseline }: DecideAllContext,
): LifecycleDecision {
  return decide(
    {
      connectionId: request.connectionId,
      employeeId: row.employee_id,
      collectedAt: request.collectedAt,
      previous: row.previous === null ? null : toPersonState(row.previous, row.planned ?? []),
      current: row.is_seen ? toEmployeeRecord(row.current) : null,
      // The commit has made sure that everybody who is missing was asked for by id, and answered with 404.
      isConfirmedGone: !row.is_seen,
      isBaseline: isBaseline,
    },
    { lifecycle: policy.lifecycle, offices: policy.offices, digest },
  );
}

function toPersonState(row: EmployeeJson, planned: readonly PlannedJson[]): PersonState {
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
    planned: planned.map((event) => ({
      eventId: event.event_id,
      kind: event.kind,
      episode: event.episode,
      effectiveDate: event.effective_date,
      timeZone: event.time_zone,
    })),
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
    is_deleted: decision.isDeleted,
    brake_class: decision.brakeClass,
    anomalies: decision.anomalies,
  }));
  const columns =
    'employee_id text, lifecycle_state text, episode integer, announced_start date, announced_end date, is_deleted boolean, brake_class text, anomalies text[]';
  await transaction.run(buildInsertSql('decided', columns), [JSON.stringify(rows)]);
  await storeDecidedEvents(transaction, people);
  const superseded = people.flatMap(({ employeeId, decision }) =>
    decision.superseded.map(({ eventId, by }) => ({ employee_id: employeeId, event_id: eventId, superseded_by: by })),
  );
  if (superseded.length === 0) return;
  const supersededColumns = 'employee_id text, event_id text, superseded_by text';
  await transaction.run(buildInsertSql('decided_superseded', supersededColumns), [JSON.stringify(superseded)]);
}

async function storeDecidedEvents(transaction: Transaction, people: readonly PersonDecision[]): Promise<void> {
  const events = people.flatMap(({ employeeId, decision }) =>
    [...decision.events, ...decision.withheldEvents].map((event) => ({
      employee_id: employeeId,
      event_id: event.eventId,
      class: event.class,
      kind: event.kind,
      episode: event.episode,
      effective_date: event.effectiveDate,
      effective_at: event.effectiveAt,
      time_zone: event.timeZone,
      changes: event.changes,
      state: event.state,
      late: event.late,
      supersedes: event.supersedes,
      due_at: event.dueAt,
      rule: event.rule,
      is_made: decision.events.includes(event),
    })),
  );
  if (events.length === 0) return;
  const columns =
    'employee_id text, event_id text, class text, kind text, episode integer, effective_date date, effective_at timestamptz, time_zone text, ' +
    'changes jsonb, state text, late boolean, supersedes text, due_at timestamptz, rule text, is_made boolean';
  await transaction.run(buildInsertSql('decided_events', columns), [JSON.stringify(events)]);
}

/** Rows as JSON, with their columns' names and types: one statement, one parameter, whatever the number of rows. */
function buildInsertSql(table: string, columns: string): string {
  const names = columns
    .split(', ')
    .map((column) => column.split(' ')[0])
    .join(', ');
  return `insert into ${table} (${names}) select ${names} from jsonb_to_recordset($1::jsonb) as given (${columns})`;
}
