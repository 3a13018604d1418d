import type { RunRef } from '../contracts/internal/activities.js';
import { ENDPOINTS } from '../contracts/internal/names.js';
import type { Endpoint } from '../contracts/internal/names.js';
import type {
  AttendanceRecord,
  DepartmentRecord,
  StagedRecords,
  TimeOffTypeRecord,
  UnreadableValues,
} from '../domain/records.js';
import type { Database, Queries } from './database.js';
import { RECORD_COLUMNS, RECORD_COLUMN_TYPES, toColumnValues } from './employees/columns.js';
import { TextList, toCopyRow } from './copy-text.js';
import { findErasedIds } from './employees/erasure.js';
import { deleteLeftOverStarts, deleteReadStarts, findReadStart, recordReadStart } from './read-starts.js';
import type { StagingKey } from './read-starts.js';

/** Columns of a staging table besides `reading`, `chunk`, `seq`, `record_id`, `page` and `unreadable`. */
const COLUMNS = {
  employees: RECORD_COLUMN_TYPES,
  departments: ['department_id text', 'name text', 'parent_id text'],
  attendances: [
    'period_id_v2 text',
    'employee_id text',
    'date date',
    'start_time time',
    'end_time time',
    'break_minutes integer',
    'status text',
    'project text',
    'is_holiday boolean',
    'is_on_time_off boolean',
    'updated_at timestamptz',
    'kind text',
    'starts_at timestamp',
    'ends_at timestamp',
  ],
  'time-off-types': ['name text', 'category text', 'unit text', 'approval_required boolean'],
} as const satisfies Record<Endpoint, readonly string[]>;

const toColumnName = (definition: string): string => definition.split(' ')[0] ?? definition;

/** Returns the columns that a staged record of an endpoint fills, besides its id. */
function listStagedColumns(endpoint: Endpoint): readonly string[] {
  return endpoint === 'employees' ? RECORD_COLUMNS : COLUMNS[endpoint].map(toColumnName);
}

/**
 * Returns the name of a run's staging table: in a schema where the worker may create and drop tables, and unlogged,
 * since everything can be read again.
 */
export function toStagingTable({ runId, endpoint }: RunRef): string {
  return `personio_staging."${endpoint}_${runId.replaceAll(/[^\w-]/g, '_')}"`;
}

export async function createStaging(queries: Queries, run: RunRef): Promise<void> {
  await queries.run(
    `create unlogged table if not exists ${toStagingTable(run)} (
       reading integer not null,
       chunk date,
       seq bigint generated always as identity,
       record_id text not null,
       page integer,
       unreadable text[],
       ${COLUMNS[run.endpoint].join(',\n       ')}
     )`,
  );
  await grantToOwner(queries, run);
}

/** Lets an erasure, which runs as the schema's owner, reach staged rows where the worker's user is another one. */
async function grantToOwner(queries: Queries, run: RunRef): Promise<void> {
  const [schema] = await queries.query<{ owner: string; is_own: boolean }>(
    `select
       nspowner::regrole::text as owner,
       pg_get_userbyid(nspowner) = current_user as is_own
     from pg_namespace
     where nspname = 'personio_staging'`,
  );
  if (schema?.is_own === false) await queries.run(`grant select, update on ${toStagingTable(run)} to ${schema.owner}`);
}

/** Returns whether the run's staging table exists. */
export async function isStaged(queries: Queries, run: RunRef): Promise<boolean> {
  const [table] = await queries.query<{ present: boolean }>('select to_regclass($1) is not null as present', [
    toStagingTable(run),
  ]);
  return table?.present === true;
}

export async function dropStaging(queries: Queries, run: RunRef): Promise<void> {
  await queries.run(`drop table if exists ${toStagingTable(run)}`);
  await deleteReadStarts(queries, run);
}

/**
 * Drops the staging tables of runs that ended, or that were erased with their connection, while one of their steps was
 * still writing: those that this user may drop.
 */
export async function dropLeftOvers(queries: Queries): Promise<void> {
  const tables = await queries.query<{ name: string }>(
    `select format('%I.%I', tables.schemaname, tables.tablename) as name
     from pg_tables as tables
     left join personio.sync_runs as runs
       on runs.run_id = substring(tables.tablename from '^(?:${ENDPOINTS.join('|')})_(.*)$')
     where tables.schemaname = 'personio_staging'
       and (runs.run_id is null or runs.outcome is not null)
       and pg_has_role(tables.tableowner, 'usage')`,
  );
  for (const { name } of tables) await queries.run(`drop table if exists ${name}`);
  await deleteLeftOverStarts(queries);
}

/**
 * Begins an attempt: creates the staging table, empties it of the attempt, and records the attempt's start. Call it
 * before the first request.
 */
export async function beginStaging(queries: Queries, run: RunRef, key: StagingKey): Promise<void> {
  await createStaging(queries, run);
  await clearStaging(queries, run, key);
  await recordReadStart(queries, run, key);
}

/** Deletes what an attempt has staged, before it begins again. */
async function clearStaging(queries: Queries, run: RunRef, { attempt, chunk }: StagingKey): Promise<void> {
  await queries.run(
    `delete from ${toStagingTable(run)}
     where reading = $1
       and chunk is not distinct from $2`,
    [attempt, chunk],
  );
}

/** Stages a page with `COPY`. A page that is staged twice does no harm: the commit takes each id once. */
export async function stageRecords(
  database: Database,
  run: RunRef,
  key: StagingKey,
  page: StagedRecords,
): Promise<void> {
  if (page.records.length === 0) return;
  const columns = ['reading', 'chunk', 'page', 'unreadable', 'record_id', ...listStagedColumns(page.endpoint)];
  const erased = await findErasedIds(database, run.connectionId, listEmployeeIds(page));
  const rows = toRows(page, erased).map((values, index) =>
    toCopyRow([key.attempt, key.chunk, ...toUnreadableValues(page.records[index]?.unreadable), ...values]),
  );
  await database.copyIn(`copy ${toStagingTable(run)} (${columns.join(', ')}) from stdin`, rows.join(''));
}

/** Returns the values of `page` and `unreadable`. */
function toUnreadableValues(unreadable: UnreadableValues | undefined): readonly unknown[] {
  return unreadable === undefined ? [null, null] : [unreadable.page, new TextList(unreadable.attributes)];
}

/** Returns the ids of the employees whose data the page has. */
function listEmployeeIds(page: StagedRecords): readonly string[] {
  return page.endpoint === 'employees' || page.endpoint === 'attendances'
    ? page.records.map(({ employeeId }) => employeeId).filter((employeeId) => employeeId !== null)
    : [];
}

/** Returns the values to stage. Of erased people they are the ids only, which the completeness gate counts. */
function toRows(page: StagedRecords, erased: ReadonlySet<string>): readonly (readonly unknown[])[] {
  const nothing = listStagedColumns(page.endpoint).map(() => null);
  switch (page.endpoint) {
    case 'employees':
      return page.records.map((record) => [
        record.employeeId,
        ...(erased.has(record.employeeId) ? nothing : toColumnValues(record)),
      ]);
    case 'departments':
      return page.records.map(toDepartmentValues);
    case 'attendances':
      return page.records.map((record) =>
        record.employeeId !== null && erased.has(record.employeeId)
          ? [record.periodId, null, record.employeeId, ...nothing.slice(2)]
          : toAttendanceValues(record),
      );
    case 'time-off-types':
      return page.records.map(toTimeOffTypeValues);
  }
}

function toDepartmentValues(record: DepartmentRecord): readonly unknown[] {
  return [record.recordId, record.departmentId, record.name, record.parentId];
}

function toAttendanceValues(record: AttendanceRecord): readonly unknown[] {
  const { periodId, periodIdV2, employeeId, date, startTime, endTime, breakMinutes } = record;
  const { status, project, isHoliday, isOnTimeOff, updatedAt, span } = record;
  return [
    periodId,
    periodIdV2,
    employeeId,
    date,
    startTime,
    endTime,
    breakMinutes,
    status,
    project,
    isHoliday,
    isOnTimeOff,
    updatedAt,
    span?.kind,
    span?.startsAt,
    span?.endsAt,
  ];
}

function toTimeOffTypeValues(record: TimeOffTypeRecord): readonly unknown[] {
  return [record.timeOffTypeId, record.name, record.category, record.unit, record.approvalRequired];
}

/**
 * Lists people who are missing from an attempt and have not been asked for by id yet, in the order of their ids. That
 * somebody was asked for is staged too, under the negative number of the attempt: it is of no use after the run.
 *
 * People that another read has committed since the attempt began are left out of its commit, so nobody asks for them.
 */
export async function listUnaskedMissing(
  queries: Queries,
  run: RunRef,
  attempt: number,
  limit: number,
): Promise<readonly string[]> {
  const startedAt = await findReadStart(queries, run, { attempt, chunk: null });
  // A set operation is linear, whatever the planner knows of a table that was filled a moment ago.
  const rows = await queries.query<{ employee_id: string }>(
    `select employee_id
     from personio.employees
     where connection_id = $1
       and deleted_at is null
       and not exists (
         select from personio.connection_state
         where connection_id = $1
           and employees_committed_at >= $4::timestamptz
       )
     except
     select record_id
     from ${toStagingTable(run)}
     where reading in ($2::integer, -$2::integer)
     except
     select employee_id
     from personio.refreshed_people
     where connection_id = $1
       and committed_at >= $4::timestamptz
     order by employee_id
     limit $3`,
    [run.connectionId, attempt, limit, startedAt],
  );
  return rows.map((row) => row.employee_id);
}

/** Records that Personio answered 404 for people who are missing from an attempt. */
export async function recordGone(
  queries: Queries,
  run: RunRef,
  attempt: number,
  employeeIds: readonly string[],
): Promise<void> {
  await queries.run(
    `insert into ${toStagingTable(run)} (reading, record_id)
     select -($1::integer), unnest($2::text[])`,
    [attempt, employeeIds],
  );
}
