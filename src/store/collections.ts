import type { CommitOutcome, CommitRequest, RunRef } from '../contracts/internal/activities.js';
import type { Endpoint } from '../contracts/internal/names.js';
import type { Database, Queries, Transaction } from './database.js';
import { findClosedRun, hasShrunkBefore } from './runs.js';
import { toStagingTable } from './staging.js';

type Collection = Exclude<Endpoint, 'employees'>;

interface CollectionTable {
  readonly table: string;
  readonly key: string;
  /** What is compared and written. */
  readonly columns: readonly string[];
  /** Gone from Personio: kept with `missing_since`, or deleted. */
  readonly shouldKeepMissing: boolean;
}

const TABLES: Readonly<Record<Collection, CollectionTable>> = {
  departments: {
    table: 'personio.departments',
    key: 'department_id',
    columns: ['name', 'parent_id', 'source'],
    shouldKeepMissing: true,
  },
  'time-off-types': {
    table: 'personio.time_off_types',
    key: 'time_off_type_id',
    shouldKeepMissing: true,
    columns: ['name', 'category', 'unit', 'approval_required'],
  },
  attendances: {
    table: 'personio.attendance_periods',
    key: 'period_id',
    shouldKeepMissing: false,
    columns: [
      'period_id_v2',
      'employee_id',
      'date',
      'start_time',
      'end_time',
      'break_minutes',
      'status',
      'project',
      'is_holiday',
      'is_on_time_off',
      'updated_at',
    ],
  },
};

const NOTHING: Omit<CommitOutcome, 'incomplete'> = {
  narrowed: false,
  seenBefore: false,
  heldRows: 0,
  deletedRows: 0,
  received: 0,
  inserted: 0,
  updated: 0,
  unchanged: 0,
  missing: 0,
};

/**
 * The completeness gate and the merge of departments, time-off types or a chunk of attendances: one transaction, all or nothing.
 * Rows that did not change are not touched.
 */
export async function commitSnapshot(database: Database, request: CommitRequest): Promise<CommitOutcome> {
  const { endpoint } = request;
  if (endpoint === 'employees') throw new RangeError('Employees are committed with their events, see commitEmployees.');
  return database.transaction(async (transaction) => {
    await lockEndpoint(transaction, request.connectionId, endpoint);
    const closed = await findClosedRun(transaction, request);
    if (closed !== null) return { ...NOTHING, incomplete: `the run has already ended as ${closed.outcome}` };
    const unchanged = await countUnchangedRows(transaction, request);
    if (unchanged !== null)
      return { ...NOTHING, incomplete: null, heldRows: unchanged, received: unchanged, unchanged };
    const incomplete = await findIncompleteReason(transaction, request);
    if (incomplete !== null) return { ...NOTHING, incomplete };
    await selectSnapshot(transaction, endpoint, request);
    return merge(transaction, endpoint, request);
  });
}

/** One commit of an endpoint at a time. */
export async function lockEndpoint(transaction: Transaction, connectionId: string, endpoint: Endpoint): Promise<void> {
  await transaction.run('select pg_advisory_xact_lock(hashtextextended($1, 0))', [
    `personio:${connectionId}:${endpoint}`,
  ]);
}

async function isStaged(queries: Queries, run: RunRef): Promise<boolean> {
  const [table] = await queries.query<{ present: boolean }>('select to_regclass($1) is not null as present', [
    toStagingTable(run),
  ]);
  return table?.present === true;
}

/** @returns why the staged rows are not the whole; null when they are. */
export async function findIncompleteReason(
  queries: Queries,
  request: Pick<CommitRequest, 'connectionId' | 'endpoint' | 'runId' | 'reading' | 'total'> & {
    readonly chunk?: CommitRequest['chunk'];
  },
): Promise<string | null> {
  if (!(await isStaged(queries, request))) return 'the staged records are gone';
  const [row] = await queries.query<{ ids: number }>(
    `select count(distinct record_id collate "C") as ids from ${toStagingTable(request)} where reading = $1 and chunk is not distinct from $2`,
    [request.reading, request.chunk?.from ?? null],
  );
  const ids = row?.ids ?? 0;
  if (request.total === null || ids === request.total) return null;
  return `the server says that there are ${request.total} records, and ${ids} different ones came`;
}

/**
 * What most reads of attendances find: the table holds as many rows as the server says that there are, and each of them came, once and as it is. That is
 * complete, and there is nothing to merge. v2 has breaks to add up first.
 *
 * @returns how many rows that are; null where anything differs, or was not looked at.
 */
async function countUnchangedRows(transaction: Transaction, request: CommitRequest): Promise<number | null> {
  const { endpoint, source, connectionId, total } = request;
  if (endpoint !== 'attendances' || source === 'v2' || !(await isStaged(transaction, request))) return null;
  const { table, key, columns } = TABLES.attendances;
  const stored = `${table} where connection_id = $1 and ${buildDayCondition(request)}`;
  const [count] = await transaction.query<{ held: number }>(`select count(*) as held from ${stored}`, [connectionId]);
  if (count?.held !== total) return null;
  const listColumns = (alias: string): string => columns.map((column) => `${alias}.${column}`).join(', ');
  // Where an id came twice there are more pairs than rows.
  const [row] = await transaction.query<{ pairs: number; same: number }>(
    `select count(*) as pairs, count(*) filter (where c.${key} = s.record_id and (${listColumns('s')}) is not distinct from (${listColumns('c')})) as same
     from (select * from ${stored}) c full join (select * from ${toStagingTable(request)} where ${buildAttemptCondition(request)}) s on c.${key} = s.record_id`,
    [connectionId],
  );
  return row?.pairs === total && row.same === total ? total : null;
}

const buildDayCondition = ({ chunk }: CommitRequest): string =>
  `date between ${toDateLiteral(chunk?.from)} and ${toDateLiteral(chunk?.to)}`;

/** Each id once, the last that came. Departments that were derived from employees come once an employee. */
async function selectSnapshot(transaction: Transaction, endpoint: Collection, request: CommitRequest): Promise<void> {
  const { key, columns } = TABLES[endpoint];
  const id = endpoint === 'departments' ? 'department_id' : 'record_id';
  const selected = columns.map((column) => (column === 'source' ? `'${request.source}'::text as source` : column));
  const order = endpoint === 'departments' ? 'name' : 'seq desc';
  const hasBreaks = endpoint === 'attendances' && request.source === 'v2';
  await transaction.run(
    `create temp table snapshot on commit drop as
     select distinct on (${id}) ${id} as ${key}, ${selected.join(', ')}${hasBreaks ? ', starts_at, ends_at' : ''}
     from ${toStagingTable(request)}
     where ${buildAttemptCondition(request)} and ${id} is not null${hasBreaks ? ` and kind = 'work'` : ''}
     order by ${id}, ${order}`,
  );
  if (endpoint === 'attendances') {
    await transaction.run(
      'delete from snapshot s using personio.erased_people x where x.connection_id = $1 and x.employee_id = s.employee_id',
      [request.connectionId],
    );
  }
  // The stored table's statistics may be from before its first load: without this index the planner then compares row by row.
  await transaction.run(`alter table snapshot add primary key (${key})`);
  await transaction.run('analyze snapshot');
  if (hasBreaks) await sumBreaks(transaction, request);
  if (endpoint === 'attendances') await keepKeys(transaction, request);
}

const buildAttemptCondition = ({ reading, chunk }: CommitRequest): string =>
  `reading = ${reading} and chunk is not distinct from ${toDateLiteral(chunk?.from)}`;

/**
 * v1 says how many minutes of a period were a break; in v2 breaks are periods of their own. What of them lies within a period of work is
 * its break; what lies between two is none, since it counts in neither.
 */
async function sumBreaks(transaction: Transaction, request: CommitRequest): Promise<void> {
  await transaction.run(
    `with breaks as (
       select distinct on (record_id) employee_id, date, starts_at, ends_at from ${toStagingTable(request)}
       where ${buildAttemptCondition(request)} and kind = 'break' and starts_at < ends_at order by record_id, seq desc
     ), sums as (
       select s.period_id, round(sum(extract(epoch from least(b.ends_at, s.ends_at) - greatest(b.starts_at, s.starts_at))) / 60)::int as minutes
       from snapshot s join breaks b on b.employee_id = s.employee_id and b.date = s.date and b.starts_at < s.ends_at and b.ends_at > s.starts_at
       group by 1
     )
     update snapshot s set break_minutes = coalesce((select minutes from sums where sums.period_id = s.period_id), 0) where s.ends_at is not null`,
  );
}

/** A period that is stored under its id of the other API keeps that key: the row stays one when the source changes. */
async function keepKeys(transaction: Transaction, request: CommitRequest): Promise<void> {
  await transaction.run(
    `update snapshot s set period_id = c.period_id from personio.attendance_periods c
     where c.connection_id = $1 and c.${buildDayCondition(request)}
       and c.period_id_v2 = s.period_id_v2 and c.period_id <> s.period_id`,
    [request.connectionId],
  );
}

/** `create table as` takes no parameters; a day of a chunk is one that our own code made. */
function toDateLiteral(day: string | undefined): string {
  if (day === undefined) return 'null';
  if (!/^\d{4}-\d{2}-\d{2}$/.test(day)) throw new RangeError('A chunk begins on a calendar day.');
  return `date '${day}'`;
}

/** The statements of one merge; `c` is the stored row, `s` the snapshot's. */
class SnapshotMerge {
  private readonly transaction: Transaction;
  private readonly request: CommitRequest;
  private readonly target: CollectionTable;

  constructor(transaction: Transaction, request: CommitRequest, target: CollectionTable) {
    this.transaction = transaction;
    this.request = request;
    this.target = target;
  }

  /** How many rows stand in the table for what was read, and how many of them did not come. */
  async countStored(): Promise<{ readonly held: number; readonly gone: number }> {
    const [row] = await this.transaction.query<{ held: number; gone: number }>(
      `select count(*) as held, count(*) filter (where ${this.buildGoneCondition()}) as gone from ${this.target.table} c where ${this.buildScopeCondition()}`,
      [this.request.connectionId],
    );
    return row ?? { held: 0, gone: 0 };
  }

  async update(): Promise<number> {
    const { table, key, shouldKeepMissing: keepsMissing } = this.target;
    const columns = this.target.columns.filter((column) => !this.isAbsentFromSource(column));
    const left = columns.map((column) => `c.${column}`);
    const right = columns.map((column) => `s.${column}`);
    const backCondition = keepsMissing ? ' or c.missing_since is not null' : '';
    return this.transaction.run(
      `update ${table} c set ${columns.map((column) => `${column} = s.${column}`).join(', ')}${keepsMissing ? ', missing_since = null' : ''}, changed_at = clock_timestamp()
       from snapshot s where c.connection_id = $1 and c.${key} = s.${key} and ((${left.join(', ')}) is distinct from (${right.join(', ')})${backCondition})`,
      [this.request.connectionId],
    );
  }

  async insert(): Promise<number> {
    const { table, key, columns, shouldKeepMissing: keepsMissing } = this.target;
    const moments = keepsMissing ? ['first_seen_at', 'changed_at'] : ['changed_at'];
    return this.transaction.run(
      `insert into ${table} (connection_id, ${key}, ${[...columns, ...moments].join(', ')})
       select $1, s.${key}, ${columns.map((column) => `s.${column}`).join(', ')}, ${moments.map(() => 'clock_timestamp()').join(', ')}
       from snapshot s where not exists (select from ${table} c where c.connection_id = $1 and c.${key} = s.${key})`,
      [this.request.connectionId],
    );
  }

  async remove(): Promise<void> {
    const { table, shouldKeepMissing: keepsMissing } = this.target;
    const what = keepsMissing ? `update ${table} c set missing_since = clock_timestamp()` : `delete from ${table} c`;
    await this.transaction.run(`${what} where ${this.buildScopeCondition()} and ${this.buildGoneCondition()}`, [
      this.request.connectionId,
    ]);
  }

  /** v2 says nothing about holidays and time off: what v1 said stays. */
  private isAbsentFromSource(column: string): boolean {
    return this.request.source === 'v2' && ['is_holiday', 'is_on_time_off'].includes(column);
  }

  private buildScopeCondition(): string {
    const { chunk } = this.request;
    const days = chunk === null ? '' : ` and c.${buildDayCondition(this.request)}`;
    return `c.connection_id = $1${days}${this.target.shouldKeepMissing ? ' and c.missing_since is null' : ''}`;
  }

  private buildGoneCondition(): string {
    return `not exists (select from snapshot s where s.${this.target.key} = c.${this.target.key})`;
  }
}

async function merge(transaction: Transaction, endpoint: Collection, request: CommitRequest): Promise<CommitOutcome> {
  const statements = new SnapshotMerge(transaction, request, TABLES[endpoint]);
  const { held: heldRows, gone: deletedRows } = await statements.countStored();
  if (deletedRows * 2 > heldRows && !request.acceptNarrowing) {
    const seenBefore = await hasShrunkBefore(transaction, request, request.chunk);
    return { ...NOTHING, incomplete: null, narrowed: true, seenBefore, heldRows, deletedRows };
  }
  const updated = await statements.update();
  const inserted = await statements.insert();
  if (deletedRows > 0) await statements.remove();
  const [snapshot] = await transaction.query<{ received: number }>('select count(*) as received from snapshot');
  const received = snapshot?.received ?? 0;
  const unchanged = received - inserted - updated;
  return {
    ...NOTHING,
    incomplete: null,
    heldRows,
    deletedRows,
    received,
    inserted,
    updated,
    unchanged,
    missing: deletedRows,
  };
}
