import type { EmployeesCommitRequest } from '../../contracts/internal/activities.js';
import type { Transaction } from '../database.js';
import { toStagingTable } from '../staging.js';
import { EFFECTIVE_COLUMNS, RECORD_COLUMNS } from './columns.js';

/**
 * Selects the people that the snapshot concerns: who is new, differs or is missing, and whose dates may have passed.
 * The many others are never touched, and neither is anybody in the temporary table `left_out`.
 *
 * Leaves the temporary tables `seen`, each person who was read once, and `pairs`, with the record that counts in the
 * columns of `employees`.
 *
 * @returns how many different people were read.
 */
export async function selectPairs(
  transaction: Transaction,
  request: EmployeesCommitRequest,
): Promise<{ readonly received: number }> {
  await selectSeen(transaction, request);
  await transaction.run(
    `create temp table pairs (
       is_known boolean,
       is_seen boolean,
       differs boolean,
       like personio.employees including defaults
     ) on commit drop`,
  );
  await transaction.run(buildPairsSql(), [request.connectionId, request.onlyEmployeeId]);
  await transaction.run('create index on pairs (employee_id)');
  await transaction.run('analyze pairs');
  const [count] = await transaction.query<{ received: number }>('select count(*) as received from seen');
  return { received: count?.received ?? 0 };
}

async function selectSeen(transaction: Transaction, request: EmployeesCommitRequest): Promise<void> {
  await transaction.run(
    `create temp table seen on commit drop as
     select distinct on (record_id)
       record_id,
       ${RECORD_COLUMNS.join(', ')}
     from ${toStagingTable(request)}
     where reading = ${request.attempt}
       and chunk is null
     order by record_id, seq desc`,
  );
  await transaction.run('alter table seen add primary key (record_id)');
  await transaction.run('analyze seen');
}

/** Builds the statement that joins what was read with what is stored, and keeps the pairs that need a decision. */
function buildPairsSql(): string {
  const columns = RECORD_COLUMNS.join(', ');
  return `
    insert into pairs (
      connection_id, employee_id, is_known, is_seen, differs,
      ${columns},
      episode, version, first_seen_at, changed_at
    )
    select
      $1, joined.employee_id, joined.is_known, joined.is_seen, joined.differs,
      ${RECORD_COLUMNS.map((column) => `joined.${column}`).join(', ')},
      0, 0, clock_timestamp(), clock_timestamp()
    from (
      select
        coalesce(seen.record_id, stored.employee_id) as employee_id,
        stored.employee_id is not null as is_known,
        seen.record_id is not null as is_seen,
        stored.missing_since,
        stored.deleted_at,
        stored.lifecycle_state,
        ${EFFECTIVE_COLUMNS.map(({ column, value }) => `${value} as ${column}`).join(',\n        ')},
        ${buildDiffersSql()} as differs
      from seen
      full join (
        select *
        from personio.employees
        where connection_id = $1
          and ($2::text is null or employee_id = $2)
      ) as stored
        on stored.employee_id = seen.record_id
    ) as joined
    where not exists (
        select from personio.erased_people as erased
        where erased.connection_id = $1
          and erased.employee_id = joined.employee_id
      )
      and not exists (select from left_out where left_out.employee_id = joined.employee_id)
      and (
        not joined.is_known
        or (not joined.is_seen and joined.deleted_at is null and $2::text is null)
        or (
          joined.is_seen
          and (joined.differs or joined.missing_since is not null or joined.deleted_at is not null)
        )
        or (joined.is_seen and joined.lifecycle_state in ('announced', 'leaving'))
        or (
          joined.is_seen
          and joined.lifecycle_state is distinct from 'left'
          and (joined.termination_date is not null or joined.last_working_day is not null)
        )
      )`;
}

/** Builds the condition that a record changed. An absent attribute changes nothing but the list of absent ones. */
function buildDiffersSql(): string {
  const stored = EFFECTIVE_COLUMNS.map(({ column }) => `stored.${column}`);
  const effective = EFFECTIVE_COLUMNS.map(({ value }) => value);
  return `(${stored.join(', ')}) is distinct from (${effective.join(', ')})`;
}
