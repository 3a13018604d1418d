import type { CommitOutcome, CommitRequest, RunRef } from '../contracts/activities.js';
import type { Endpoint } from '../contracts/names.js';
import type { Database, Queries, Transaction } from './database.js';
import { closedRun, wasNarrowedBefore } from './runs.js';
import { stagingTable } from './staging.js';

type Collection = Exclude<Endpoint, 'employees'>;

interface CollectionTable {
  readonly table: string;
  readonly key: string;
  /** What is compared and written. */
  readonly columns: readonly string[];
  /** Gone from Personio: kept with `missing_since`, or deleted. */
  readonly keepsMissing: boolean;
}

const TABLES: Readonly<Record<Collection, CollectionTable>> = {
  departments: {
    table: 'personio.departments',
    key: 'department_id',
    columns: ['name', 'parent_id', 'source'],
    keepsMissing: true,
  },
  'time-off-types': {
    ...{ table: 'personio.time_off_types', key: 'time_off_type_id', keepsMissing: true },
    columns: ['name', 'category', 'unit', 'approval_required'],
  },
  attendances: {
    ...{ table: 'personio.attendance_periods', key: 'period_id', keepsMissing: false },
    columns: [
      ...['period_id_v2', 'employee_id', 'date', 'start_time', 'end_time', 'break_minutes', 'status', 'project'],
      ...['is_holiday', 'is_on_time_off', 'updated_at'],
    ],
  },
};

const NOTHING: Omit<CommitOutcome, 'incomplete'> = {
  ...{ narrowed: false, seenBefore: false, heldRows: 0, deletedRows: 0 },
  ...{ received: 0, inserted: 0, updated: 0, unchanged: 0, missing: 0 },
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
    const closed = await closedRun(transaction, request);
    if (closed !== null) return { ...NOTHING, incomplete: `the run has already ended as ${closed.outcome}` };
    const unchanged = await unchangedRows(transaction, request);
    if (unchanged !== null)
      return { ...NOTHING, incomplete: null, heldRows: unchanged, received: unchanged, unchanged };
    const incomplete = await incompleteReason(transaction, request);
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
  const [table] = await queries.rows<{ present: boolean }>('select to_regclass($1) is not null as present', [
    stagingTable(run),
  ]);
  return table?.present === true;
}

/** @returns why the staged rows are not the whole; null when they are. */
export async function incompleteReason(
  queries: Queries,
  request: Pick<CommitRequest, 'connectionId' | 'endpoint' | 'runId' | 'reading' | 'total'> & {
    readonly chunk?: CommitRequest['chunk'];
  },
): Promise<string | null> {
  if (!(await isStaged(queries, request))) return 'the staged records are gone';
  const [row] = await queries.rows<{ ids: number }>(
    `select count(distinct record_id collate "C") as ids from ${stagingTable(request)} where reading = $1 and chunk is not distinct from $2`,
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
async function unchangedRows(transaction: Transaction, request: CommitRequest): Promise<number | null> {
  const { endpoint, source, connectionId, total } = request;
  if (endpoint !== 'attendances' || source === 'v2' || !(await isStaged(transaction, request))) return null;
  const { table, key, columns } = TABLES.attendances;
  const stored = `${table} where connection_id = $1 and ${daysOf(request)}`;
  const [count] = await transaction.rows<{ held: number }>(`select count(*) as held from ${stored}`, [connectionId]);
  if (count?.held !== total) return null;
  const listOf = (alias: string): string => columns.map((column) => `${alias}.${column}`).join(', ');
  // Where an id came twice there are more pairs than rows.
  const [row] = await transaction.rows<{ pairs: number; same: number }>(
    `select count(*) as pairs, count(*) filter (where c.${key} = s.record_id and (${listOf('s')}) is not distinct from (${listOf('c')})) as same
     from (select * from ${stored}) c full join (select * from ${stagingTable(request)} where ${passOf(request)}) s on c.${key} = s.record_id`,
    [connectionId],
  );
  return row?.pairs === total && row.same === total ? total : null;
}

const daysOf = ({ chunk }: CommitRequest): string =>
  `date between ${dateLiteral(chunk?.from)} and ${dateLiteral(chunk?.to)}`;

/** Each id once, the last that came. Departments that were derived from employees come once an employee. */
async function selectSnapshot(transaction: Transaction, endpoint: Collection, request: CommitRequest): Promise<void> {
  const { key, columns } = TABLES[endpoint];
  const id = endpoint === 'departments' ? 'department_id' : 'record_id';
  const selected = columns.map((column) => (column === 'source' ? `'${request.source}'::text as source` : column));
  const order = endpoint === 'departments' ? 'name' : 'seq desc';
  const isWithBreaks = endpoint === 'attendances' && request.source === 'v2';
  await transaction.run(
    `create temp table snapshot on commit drop as
     select distinct on (${id}) ${id} as ${key}, ${selected.join(', ')}${isWithBreaks ? ', starts_at, ends_at' : ''}
     from ${stagingTable(request)}
     where ${passOf(request)} and ${id} is not null${isWithBreaks ? ` and kind = 'work'` : ''}
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
  if (isWithBreaks) await sumBreaks(transaction, request);
  if (endpoint === 'attendances') await keepKeys(transaction, request);
}

const passOf = ({ reading, chunk }: CommitRequest): string =>
  `reading = ${reading} and chunk is not distinct from ${dateLiteral(chunk?.from)}`;

/**
 * v1 says how many minutes of a period were a break; in v2 breaks are periods of their own. What of them lies within a period of work is
 * its break; what lies between two is none, since it counts in neither.
 */
async function sumBreaks(transaction: Transaction, request: CommitRequest): Promise<void> {
  await transaction.run(
    `with breaks as (
       select distinct on (record_id) employee_id, date, starts_at, ends_at from ${stagingTable(request)}
       where ${passOf(request)} and kind = 'break' and starts_at < ends_at order by record_id, seq desc
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
     where c.connection_id = $1 and c.${daysOf(request)}
       and c.period_id_v2 = s.period_id_v2 and c.period_id <> s.period_id`,
    [request.connectionId],
  );
}

/** `create table as` takes no parameters; a day of a chunk is one that our own code made. */
function dateLiteral(day: string | undefined): string {
  if (day === undefined) return 'null';
  if (!/^\d{4}-\d{2}-\d{2}$/.test(day)) throw new RangeError('A chunk begins on a calendar day.');
  return `date '${day}'`;
}

/** The statements of one merge; `c` is the stored row, `s` the snapshot's. */
class Merge {
  private readonly transaction: Transaction;
  private readonly request: CommitRequest;
  private readonly of: CollectionTable;

  constructor(transaction: Transaction, request: CommitRequest, of: CollectionTable) {
    this.transaction = transaction;
    this.request = request;
    this.of = of;
  }

  /** How many rows stand in the table for what was read, and how many of them did not come. */
  async stored(): Promise<{ readonly held: number; readonly gone: number }> {
    const [row] = await this.transaction.rows<{ held: number; gone: number }>(
      `select count(*) as held, count(*) filter (where ${this.isGone()}) as gone from ${this.of.table} c where ${this.inScope()}`,
      [this.request.connectionId],
    );
    return row ?? { held: 0, gone: 0 };
  }

  async update(): Promise<number> {
    const { table, key, keepsMissing } = this.of;
    const columns = this.of.columns.filter((column) => !this.isUnsaid(column));
    const left = columns.map((column) => `c.${column}`);
    const right = columns.map((column) => `s.${column}`);
    const isBack = keepsMissing ? ' or c.missing_since is not null' : '';
    return this.transaction.run(
      `update ${table} c set ${columns.map((column) => `${column} = s.${column}`).join(', ')}${keepsMissing ? ', missing_since = null' : ''}, changed_at = clock_timestamp()
       from snapshot s where c.connection_id = $1 and c.${key} = s.${key} and ((${left.join(', ')}) is distinct from (${right.join(', ')})${isBack})`,
      [this.request.connectionId],
    );
  }

  async insert(): Promise<number> {
    const { table, key, columns, keepsMissing } = this.of;
    const moments = keepsMissing ? ['first_seen_at', 'changed_at'] : ['changed_at'];
    return this.transaction.run(
      `insert into ${table} (connection_id, ${key}, ${[...columns, ...moments].join(', ')})
       select $1, s.${key}, ${columns.map((column) => `s.${column}`).join(', ')}, ${moments.map(() => 'clock_timestamp()').join(', ')}
       from snapshot s where not exists (select from ${table} c where c.connection_id = $1 and c.${key} = s.${key})`,
      [this.request.connectionId],
    );
  }

  async remove(): Promise<void> {
    const { table, keepsMissing } = this.of;
    const what = keepsMissing ? `update ${table} c set missing_since = clock_timestamp()` : `delete from ${table} c`;
    await this.transaction.run(`${what} where ${this.inScope()} and ${this.isGone()}`, [this.request.connectionId]);
  }

  /** v2 says nothing about holidays and time off: what v1 said stays. */
  private isUnsaid(column: string): boolean {
    return this.request.source === 'v2' && ['is_holiday', 'is_on_time_off'].includes(column);
  }

  private inScope(): string {
    const { chunk } = this.request;
    const days = chunk === null ? '' : ` and c.${daysOf(this.request)}`;
    return `c.connection_id = $1${days}${this.of.keepsMissing ? ' and c.missing_since is null' : ''}`;
  }

  private isGone(): string {
    return `not exists (select from snapshot s where s.${this.of.key} = c.${this.of.key})`;
  }
}

async function merge(transaction: Transaction, endpoint: Collection, request: CommitRequest): Promise<CommitOutcome> {
  const statements = new Merge(transaction, request, TABLES[endpoint]);
  const { held: heldRows, gone: deletedRows } = await statements.stored();
  if (deletedRows * 2 > heldRows && !request.acceptNarrowing) {
    const seenBefore = await wasNarrowedBefore(transaction, request, request.chunk);
    return { ...NOTHING, incomplete: null, narrowed: true, seenBefore, heldRows, deletedRows };
  }
  const updated = await statements.update();
  const inserted = await statements.insert();
  if (deletedRows > 0) await statements.remove();
  const [snapshot] = await transaction.rows<{ received: number }>('select count(*) as received from snapshot');
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
