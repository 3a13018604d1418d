import type { EmployeeRef } from '../../contracts/internal/activities.js';
import { appendAuditEntry } from '../audit-log.js';
import type { Attribution } from '../audit-log.js';
import type { Database, Queries, Transaction } from '../database.js';

/** Numbers of rows that an erasure removed or emptied. */
export interface Erasure {
  readonly employees: number;
  readonly history: number;
  readonly attendances: number;
  /** Planned events, which were deleted. */
  readonly planned: number;
  /** Events that stay, without values. */
  readonly events: number;
}

/** Returns those of the ids that were erased, so that nothing else of them is stored again. */
export async function findErasedIds(
  queries: Queries,
  connectionId: string,
  employeeIds: readonly string[],
): Promise<ReadonlySet<string>> {
  if (employeeIds.length === 0) return new Set();
  const rows = await queries.query<{ employee_id: string }>(
    'select employee_id from personio.erased_people where connection_id = $1 and employee_id = any($2)',
    [connectionId, employeeIds],
  );
  return new Set(rows.map((row) => row.employee_id));
}

/** Returns whether any table has a row of this person. */
export async function isKnownPerson(queries: Queries, { connectionId, employeeId }: EmployeeRef): Promise<boolean> {
  const [row] = await queries.query<{ known: boolean }>(
    `select
       exists (select from personio.employees where connection_id = $1 and employee_id = $2)
       or exists (select from personio.employee_history where connection_id = $1 and employee_id = $2)
       or exists (select from personio.attendance_periods where connection_id = $1 and employee_id = $2)
       or exists (select from personio.lifecycle_events where connection_id = $1 and employee_id = $2)
       or exists (select from personio.erased_people where connection_id = $1 and employee_id = $2) as known`,
    [connectionId, employeeId],
  );
  return row?.known === true;
}

/**
 * Erases a person from the tables, the history, staged records and the values of events, and adds an entry to the audit
 * log: all or nothing. Events that became due stay, without values. No sync brings the person back until
 * `readmitPerson`. Safe to repeat.
 */
export async function erasePerson(database: Database, person: EmployeeRef, by: Attribution): Promise<Erasure> {
  return database.transaction(async (transaction) => {
    const [row] = await transaction.query<{ erasure: Erasure }>('select personio.erase_person($1, $2) as erasure', [
      person.connectionId,
      person.employeeId,
    ]);
    await appendAuditEntry(transaction, { ...by, what: 'erase', subject: formatSubject(person) });
    return row?.erasure ?? { employees: 0, history: 0, attendances: 0, planned: 0, events: 0 };
  });
}

/** Lets the next sync bring a person back. Returns false, and logs nothing, where the person was not erased. */
export async function readmitPerson(database: Database, person: EmployeeRef, by: Attribution): Promise<boolean> {
  return database.transaction(async (transaction) => {
    const deleted = await transaction.run(
      'delete from personio.erased_people where connection_id = $1 and employee_id = $2',
      [person.connectionId, person.employeeId],
    );
    if (deleted > 0) await appendAuditEntry(transaction, { ...by, what: 'readmit', subject: formatSubject(person) });
    return deleted > 0;
  });
}

/** Deletes everything that was read from a connection. The audit log stays. Returns the number of deleted rows. */
export async function eraseConnection(transaction: Transaction, connectionId: string): Promise<number> {
  const [row] = await transaction.query<{ deleted: number }>('select personio.erase_connection($1) as deleted', [
    connectionId,
  ]);
  return row?.deleted ?? 0;
}

function formatSubject({ connectionId, employeeId }: EmployeeRef): string {
  return `employee ${employeeId} of ${connectionId}`;
}
