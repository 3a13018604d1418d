import type { EmployeesCommitRequest } from '../../contracts/internal/activities.js';
import type { Transaction } from '../database.js';
import { RECORD_COLUMNS } from './columns.js';

export interface MergeCounts {
  readonly inserted: number;
  readonly updated: number;
  readonly missing: number;
  /** People who came and whose change is held. */
  readonly held: number;
}

const DECIDED = ['lifecycle_state', 'episode', 'announced_start', 'announced_end'] as const;
const decidedColumns = DECIDED.join(', ');

/** Merges whoever is not held, and writes the history of exactly those who changed. */
export async function mergeEmployees(
  transaction: Transaction,
  { connectionId }: EmployeesCommitRequest,
): Promise<MergeCounts> {
  await transaction.run('create temp table changed (employee_id text primary key) on commit drop');
  const columns = RECORD_COLUMNS.join(', ');
  const inserted = await transaction.run(
    `with added as (
       insert into personio.employees (connection_id, employee_id, ${columns}, ${decidedColumns}, version, first_seen_at, changed_at)
       select $1, p.employee_id, ${RECORD_COLUMNS.map((column) => `p.${column}`).join(', ')},
         ${DECIDED.map((column) => `d.${column}`).join(', ')}, 1, clock_timestamp(), clock_timestamp()
       from pairs p join decided d using (employee_id) where not p.is_known and not d.is_held returning employee_id
     ) insert into changed select employee_id from added`,
    [connectionId],
  );
  const updated = await transaction.run(buildUpdateSql(), [connectionId]);
  const missing = await markMissing(transaction, connectionId);
  const [held] = await transaction.query<{ held: number }>(
    'select count(*) as held from pairs p join decided d using (employee_id) where d.is_held and p.is_seen',
  );
  await writeHistory(transaction, connectionId);
  return { inserted, updated, missing, held: held?.held ?? 0 };
}

/** Who is missing keeps the row, counted from the read that first missed it; who is deleted is marked. @returns how many are missing. */
async function markMissing(transaction: Transaction, connectionId: string): Promise<number> {
  await transaction.run(
    `with gone as (
       update personio.employees e set missing_since = coalesce(e.missing_since, h.since, clock_timestamp()),
         deleted_at = case when d.is_deleted then clock_timestamp() end, version = e.version + d.is_deleted::int,
         ${DECIDED.map((column) => `${column} = d.${column}`).join(', ')}
       from pairs p join decided d using (employee_id)
       left join personio.held_people h on h.connection_id = $1 and h.employee_id = p.employee_id and h.brake_class = 'missing'
       where e.connection_id = $1 and e.employee_id = p.employee_id and not p.is_seen and not d.is_held
         and (e.missing_since is null or d.is_deleted) returning e.employee_id
     ) insert into changed select employee_id from gone`,
    [connectionId],
  );
  const [row] = await transaction.query<{ missing: number }>(
    'select count(*) as missing from pairs p join decided d using (employee_id) where not p.is_seen and not d.is_held',
  );
  return row?.missing ?? 0;
}

function buildUpdateSql(): string {
  const state = `(e.lifecycle_state, e.episode, e.announced_start, e.announced_end) is distinct from (d.lifecycle_state, d.episode, d.announced_start, d.announced_end)`;
  return `with altered as (
    update personio.employees e
    set ${RECORD_COLUMNS.map((column) => `${column} = p.${column}`).join(', ')},
      ${DECIDED.map((column) => `${column} = d.${column}`).join(', ')},
      version = e.version + 1, changed_at = clock_timestamp(), missing_since = null, deleted_at = null
    from pairs p join decided d using (employee_id)
    where e.connection_id = $1 and e.employee_id = p.employee_id and p.is_seen and p.is_known and not d.is_held
      and (p.differs or ${state} or e.missing_since is not null or e.deleted_at is not null)
    returning e.employee_id
  ) insert into changed select employee_id from altered`;
}

/** A row of history ends where the next begins. The moment is taken under the lock, so it never runs backwards. */
async function writeHistory(transaction: Transaction, connectionId: string): Promise<void> {
  const [row] = await transaction.query<{ now: string }>('select clock_timestamp()::text as now');
  const now = row?.now;
  await transaction.run(
    `update personio.employee_history h set valid_to = $2 from changed c
     where h.connection_id = $1 and h.employee_id = c.employee_id and h.valid_to is null`,
    [connectionId, now],
  );
  await transaction.run(
    `insert into personio.employee_history select e.*, $2::timestamptz, null from personio.employees e join changed c using (employee_id)
     where e.connection_id = $1`,
    [connectionId, now],
  );
}
