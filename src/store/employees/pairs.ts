import type { EmployeesCommitRequest } from '../../contracts/internal/activities.js';
import type { Transaction } from '../database.js';
import { EFFECTIVE_COLUMNS, RECORD_COLUMNS } from './columns.js';
import { toStagingTable } from '../staging.js';

/**
 * Works out, in SQL, whom the snapshot concerns: who is new, who differs, who is missing, and whose dates may have passed. The many others
 * are never touched.
 *
 * Leaves the temporary table `pairs`, with the record that counts in the columns of `employees`.
 *
 * @returns how many different people came.
 */
export async function selectPairs(
  transaction: Transaction,
  request: EmployeesCommitRequest,
): Promise<{ readonly received: number }> {
  const { connectionId, reading, onlyEmployeeId } = request;
  await transaction.run(
    `create temp table seen on commit drop as
     select distinct on (record_id) record_id, ${RECORD_COLUMNS.join(', ')}
     from ${toStagingTable(request)} where reading = ${reading} and chunk is null order by record_id, seq desc`,
  );
  await transaction.run('alter table seen add primary key (record_id)');
  await transaction.run('analyze seen');
  await transaction.run(
    'create temp table pairs (is_known boolean, is_seen boolean, differs boolean, like personio.employees) on commit drop',
  );
  const values = RECORD_COLUMNS.map((column) => `p.${column}`).join(', ');
  await transaction.run(
    `insert into pairs (connection_id, employee_id, is_known, is_seen, differs, ${RECORD_COLUMNS.join(', ')}, episode, version, first_seen_at, changed_at)
     select $1, p.employee_id, p.is_known, p.is_seen, p.differs, ${values}, 0, 0, clock_timestamp(), clock_timestamp()
     from (
       select coalesce(s.record_id, e.employee_id) as employee_id, e.employee_id is not null as is_known, s.record_id is not null as is_seen,
         e.missing_since, e.deleted_at, e.lifecycle_state,
         ${EFFECTIVE_COLUMNS.join(',\n         ')},
         ${buildDiffersSql()} as differs
       from seen s
       full join (select * from personio.employees where connection_id = $1 and ($2::text is null or employee_id = $2)) e on e.employee_id = s.record_id
     ) p
     where not exists (select from personio.erased_people x where x.connection_id = $1 and x.employee_id = p.employee_id) and (not p.is_known
       or (not p.is_seen and p.deleted_at is null and $2::text is null)
       or (p.is_seen and (p.differs or p.missing_since is not null or p.deleted_at is not null))
       or (p.is_seen and p.lifecycle_state in ('announced', 'leaving'))
       or (p.is_seen and p.lifecycle_state is distinct from 'left' and (p.termination_date is not null or p.last_working_day is not null)))`,
    [connectionId, onlyEmployeeId],
  );
  await transaction.run('create index on pairs (employee_id)');
  await transaction.run('analyze pairs');
  const [count] = await transaction.query<{ received: number }>('select count(*) as received from seen');
  return { received: count?.received ?? 0 };
}

/** Whether anything of the record changed; an attribute that is absent changes nothing but the list of absent ones. */
function buildDiffersSql(): string {
  const names = [...EFFECTIVE_COLUMNS].map((expression) => {
    const [, value, column] = /^(.*) as (\w+)$/s.exec(expression) ?? [];
    return { value: value ?? '', column: column ?? '' };
  });
  return `(${names.map(({ column }) => `e.${column}`).join(', ')}) is distinct from (${names.map(({ value }) => value).join(', ')})`;
}
