import type { EmployeesCommitRequest } from '../../contracts/internal/activities.js';
import type { Transaction } from '../database.js';
import { findReadStart } from '../read-starts.js';

/**
 * Selects the people that another read has committed since this one began: what is stored of them is newer than what
 * was read. Call it under the endpoint's lock.
 *
 * Leaves the temporary table `left_out`, with the people that reads of one person have committed since.
 *
 * @returns true if everybody of this read is left out.
 */
export async function selectLeftOut(transaction: Transaction, request: EmployeesCommitRequest): Promise<boolean> {
  const { connectionId, attempt, onlyEmployeeId } = request;
  const startedAt = await findReadStart(transaction, request, { attempt, chunk: null });
  await transaction.run('create temp table left_out (employee_id text primary key) on commit drop');
  const people = await transaction.run(
    `insert into left_out
     select employee_id
     from personio.refreshed_people
     where connection_id = $1
       and committed_at >= $2::timestamptz
       and ($3::text is null or employee_id = $3)`,
    [connectionId, startedAt, onlyEmployeeId],
  );
  if (onlyEmployeeId !== null && people > 0) return true;
  const [row] = await transaction.query<{ is_overtaken: boolean }>(
    `select exists (
       select from personio.connection_state
       where connection_id = $1
         and employees_committed_at >= $2::timestamptz
     ) as is_overtaken`,
    [connectionId, startedAt],
  );
  return row?.is_overtaken === true;
}

/** Numbers of people who are left out of a commit. */
export interface LeftOutCounts {
  readonly people: number;
  /** Those of them who were read. */
  readonly seen: number;
}

/** Counts the people in the temporary tables `left_out` and `seen`. */
export async function countLeftOut(transaction: Transaction): Promise<LeftOutCounts> {
  const [row] = await transaction.query<LeftOutCounts>(
    `select count(*) as people, count(seen.record_id) as seen
     from left_out
     left join seen on seen.record_id = left_out.employee_id`,
  );
  return row ?? { people: 0, seen: 0 };
}

/** Records what a commit confirms: one person, or everybody, which the mark of the complete read says. */
export async function recordConfirmed(
  transaction: Transaction,
  { connectionId, onlyEmployeeId }: EmployeesCommitRequest,
): Promise<void> {
  if (onlyEmployeeId === null) {
    await transaction.run('delete from personio.refreshed_people where connection_id = $1', [connectionId]);
    return;
  }
  await transaction.run(
    `insert into personio.refreshed_people (connection_id, employee_id, committed_at)
     values ($1, $2, clock_timestamp())
     on conflict (connection_id, employee_id) do update
     set committed_at = excluded.committed_at`,
    [connectionId, onlyEmployeeId],
  );
}
