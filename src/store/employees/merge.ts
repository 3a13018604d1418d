import type { EmployeesCommitRequest } from '../../contracts/internal/activities.js';
import type { Transaction } from '../database.js';
import { RECORD_COLUMNS } from './columns.js';

export interface MergeCounts {
  readonly inserted: number;
  readonly updated: number;
  readonly missing: number;
  /** People who were read and whose change is held. */
  readonly held: number;
}

/** Columns that the decision fills. */
const DECIDED_COLUMNS = [
  'lifecycle_state',
  'episode',
  'announced_start',
  'announced_end',
  'former_end',
  'has_started',
] as const;

/** All columns of `employees`, which `employee_history` has in another order. */
const EMPLOYEE_COLUMNS = [
  'connection_id',
  'employee_id',
  ...RECORD_COLUMNS,
  ...DECIDED_COLUMNS,
  'version',
  'first_seen_at',
  'changed_at',
  'missing_since',
  'deleted_at',
];

const prefixColumns = (table: string, columns: readonly string[]): string =>
  columns.map((column) => `${table}.${column}`).join(', ');
const assignColumns = (table: string, columns: readonly string[]): string =>
  columns.map((column) => `${column} = ${table}.${column}`).join(', ');

/**
 * Merges everybody who is not held, and writes the history of exactly those who changed.
 *
 * Leaves the temporary table `changed`, with their ids.
 */
export async function mergeEmployees(
  transaction: Transaction,
  { connectionId }: EmployeesCommitRequest,
): Promise<MergeCounts> {
  await transaction.run('create temp table changed (employee_id text primary key) on commit drop');
  const inserted = await insertNew(transaction, connectionId);
  const updated = await updateKnown(transaction, connectionId);
  const missing = await markMissing(transaction, connectionId);
  const [row] = await transaction.query<{ held: number }>(
    `select count(*) as held
     from pairs
     join decided using (employee_id)
     where decided.is_held
       and pairs.is_seen`,
  );
  await writeHistory(transaction, connectionId);
  return { inserted, updated, missing, held: row?.held ?? 0 };
}

async function insertNew(transaction: Transaction, connectionId: string): Promise<number> {
  return transaction.run(
    `with added as (
       insert into personio.employees (
         connection_id, employee_id,
         ${RECORD_COLUMNS.join(', ')},
         ${DECIDED_COLUMNS.join(', ')},
         version, first_seen_at, changed_at
       )
       select
         $1, pairs.employee_id,
         ${prefixColumns('pairs', RECORD_COLUMNS)},
         ${prefixColumns('decided', DECIDED_COLUMNS)},
         1, clock_timestamp(), clock_timestamp()
       from pairs
       join decided using (employee_id)
       where not pairs.is_known
         and not decided.is_held
       returning employee_id
     )
     insert into changed
     select employee_id from added`,
    [connectionId],
  );
}

async function updateKnown(transaction: Transaction, connectionId: string): Promise<number> {
  return transaction.run(
    `with altered as (
       update personio.employees as stored
       set ${assignColumns('pairs', RECORD_COLUMNS)},
         ${assignColumns('decided', DECIDED_COLUMNS)},
         version = stored.version + 1,
         changed_at = clock_timestamp(),
         missing_since = null,
         deleted_at = null
       from pairs
       join decided using (employee_id)
       where stored.connection_id = $1
         and stored.employee_id = pairs.employee_id
         and pairs.is_seen
         and pairs.is_known
         and not decided.is_held
         and (
           pairs.differs
           or (${prefixColumns('stored', DECIDED_COLUMNS)})
             is distinct from (${prefixColumns('decided', DECIDED_COLUMNS)})
           or stored.missing_since is not null
           or stored.deleted_at is not null
         )
       returning stored.employee_id
     )
     insert into changed
     select employee_id from altered`,
    [connectionId],
  );
}

/**
 * Marks missing and deleted people, whose rows stay. `missing_since` is the moment of the read that first missed them,
 * which for people who were held is when that began. Returns how many are missing.
 */
async function markMissing(transaction: Transaction, connectionId: string): Promise<number> {
  await transaction.run(
    `with gone as (
       update personio.employees as stored
       set missing_since = coalesce(stored.missing_since, held_people.since, clock_timestamp()),
         deleted_at = case when decided.is_deleted then clock_timestamp() end,
         version = stored.version + decided.is_deleted::int,
         ${assignColumns('decided', DECIDED_COLUMNS)}
       from pairs
       join decided using (employee_id)
       left join personio.held_people as held_people
         on held_people.connection_id = $1
         and held_people.employee_id = pairs.employee_id
         and held_people.brake_class = 'missing'
       where stored.connection_id = $1
         and stored.employee_id = pairs.employee_id
         and not pairs.is_seen
         and not decided.is_held
         and (stored.missing_since is null or decided.is_deleted)
       returning stored.employee_id
     )
     insert into changed
     select employee_id from gone`,
    [connectionId],
  );
  const [row] = await transaction.query<{ missing: number }>(
    `select count(*) as missing
     from pairs
     join decided using (employee_id)
     where not pairs.is_seen
       and not decided.is_held`,
  );
  return row?.missing ?? 0;
}

/**
 * Ends a person's row of history where the next begins. The moment is taken under the lock, so it never runs
 * backwards.
 */
async function writeHistory(transaction: Transaction, connectionId: string): Promise<void> {
  const [row] = await transaction.query<{ now: string }>('select clock_timestamp()::text as now');
  const now = row?.now;
  await transaction.run(
    `update personio.employee_history as history
     set valid_to = $2
     where history.connection_id = $1
       and history.employee_id = any(array(select employee_id from changed))
       and history.valid_to is null`,
    [connectionId, now],
  );
  await transaction.run(
    `insert into personio.employee_history (${EMPLOYEE_COLUMNS.join(', ')}, valid_from, valid_to)
     select ${prefixColumns('stored', EMPLOYEE_COLUMNS)}, $2::timestamptz, null
     from personio.employees as stored
     join changed using (employee_id)
     where stored.connection_id = $1`,
    [connectionId, now],
  );
}
