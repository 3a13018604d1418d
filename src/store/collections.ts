import type { CommitOutcome, CommitRequest } from '../contracts/activities.js';
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
  departments: { table: 'personio.departments', key: 'department_id', columns: ['name', 'parent_id', 'source'], keepsMissing: true },
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
    const incomplete = await incompleteReason(transaction, request);
    if (incomplete !== null) return { ...NOTHING, incomplete };
    await selectSnapshot(transaction, endpoint, request);
    return merge(transaction, endpoint, request);
  });
}

/** One commit of an endpoint at a time. */
export async function lockEndpoint(transaction: Transaction, connectionId: string, endpoint: Endpoint): Promise<void> {
  await transaction.run('select pg_advisory_xact_lock(hashtextextended($1, 0))', [`personio:${connectionId}:${endpoint}`]);
}

/** @returns why the staged rows are not the whole; null when they are. */
export async function incompleteReason(
  queries: Queries,
  request: Pick<CommitRequest, 'connectionId' | 'endpoint' | 'runId' | 'reading' | 'total'> & { readonly chunk?: CommitRequest['chunk'] },
): Promise<string | null> {
  const [table] = await queries.rows<{ present: boolean }>('select to_regclass($1) is not null as present', [stagingTable(request)]);
  if (table?.present !== true) return 'the staged records are gone';
  const [row] = await queries.rows<{ ids: number }>(
    `select count(distinct record_id) as ids from ${stagingTable(request)} where reading = $1 and chunk is not distinct from $2`,
    [request.reading, request.chunk?.from ?? null],
  );
  const ids = row?.ids ?? 0;
  if (request.total === null || ids === request.total) return null;
  return `the server says that there are ${request.total} records, and ${ids} different ones came`;
}

/** Each id once, the last that came. Departments that were derived from employees come once an employee. */
async function selectSnapshot(transaction: Transaction, endpoint: Collection, request: CommitRequest): Promise<void> {
  const { key, columns } = TABLES[endpoint];
  const id = endpoint === 'departments' ? 'department_id' : 'record_id';
  const selected = columns.map((column) => (column === 'source' ? `'${request.source}'::text as source` : column));
  const order = endpoint === 'departments' ? 'name' : 'seq desc';
  await transaction.run(
    `create temp table snapshot on commit drop as
     select distinct on (${id}) ${id} as ${key}, ${selected.join(', ')}
     from ${stagingTable(request)}
     where reading = ${request.reading} and chunk is not distinct from ${dateLiteral(request.chunk?.from)} and ${id} is not null
     order by ${id}, ${order}`,
  );
  await transaction.run('analyze snapshot');
}

/** `create table as` takes no parameters; a day of a chunk is one that our own code made. */
function dateLiteral(day: string | undefined): string {
  if (day === undefined) return 'null';
  if (!/^\d{4}-\d{2}-\d{2}$/.test(day)) throw new RangeError('A chunk begins on a calendar day.');
  return `date '${day}'`;
}

async function merge(transaction: Transaction, endpoint: Collection, request: CommitRequest): Promise<CommitOutcome> {
  const { connectionId, chunk } = request;
  const { table, key, columns, keepsMissing } = TABLES[endpoint];
  const inChunk = chunk === null ? '' : `and c.date between '${chunk.from}' and '${chunk.to}'`;
  const gone = `from ${table} c where c.connection_id = $1 ${inChunk} ${keepsMissing ? 'and c.missing_since is null' : ''}`;
  const isGone = `not exists (select from snapshot s where s.${key} = c.${key})`;
  const [held] = await transaction.rows<{ held: number; gone: number }>(
    `select count(*) as held, count(*) filter (where ${isGone}) as gone ${gone}`,
    [connectionId],
  );
  const heldRows = held?.held ?? 0;
  const deletedRows = held?.gone ?? 0;
  if (deletedRows * 2 > heldRows && !request.acceptNarrowing) {
    const seenBefore = await wasNarrowedBefore(transaction, request, chunk);
    return { ...NOTHING, incomplete: null, narrowed: true, seenBefore, heldRows, deletedRows };
  }
  const changed = [...columns, ...(keepsMissing ? ['missing_since'] : [])];
  const same = `(${changed.map((column) => `c.${column}`).join(', ')}) is not distinct from (${changed.map((column) => (column === 'missing_since' ? 'null' : `s.${column}`)).join(', ')})`;
  const updated = await transaction.run(
    `update ${table} c set ${columns.map((column) => `${column} = s.${column}`).join(', ')}${keepsMissing ? ', missing_since = null' : ''}, changed_at = clock_timestamp()
     from snapshot s where c.connection_id = $1 and c.${key} = s.${key} and not (${same})`,
    [connectionId],
  );
  const moments = keepsMissing ? ['first_seen_at', 'changed_at'] : ['changed_at'];
  const inserted = await transaction.run(
    `insert into ${table} (connection_id, ${key}, ${[...columns, ...moments].join(', ')})
     select $1, s.${key}, ${columns.map((column) => `s.${column}`).join(', ')}, ${moments.map(() => 'clock_timestamp()').join(', ')}
     from snapshot s where not exists (select from ${table} c where c.connection_id = $1 and c.${key} = s.${key})`,
    [connectionId],
  );
  if (deletedRows > 0) {
    const remove = keepsMissing ? `update ${table} c set missing_since = clock_timestamp() where c.connection_id = $1 and c.missing_since is null` : `delete ${gone}`;
    await transaction.run(`${remove} and ${isGone}`, [connectionId]);
  }
  const [snapshot] = await transaction.rows<{ received: number }>('select count(*) as received from snapshot');
  const received = snapshot?.received ?? 0;
  const unchanged = received - inserted - updated;
  return { ...NOTHING, incomplete: null, heldRows, deletedRows, received, inserted, updated, unchanged, missing: deletedRows };
}
