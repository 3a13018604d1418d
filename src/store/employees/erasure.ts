import { appendAuditEntry } from '../audit-log.js';
import type { Database, Queries, Transaction } from '../database.js';

/** Who asks for something to be forgotten or remembered again, and why. */
export interface Attribution {
  readonly actor: string;
  readonly reason: string;
}

export interface PersonRef {
  readonly connectionId: string;
  readonly employeeId: string;
}

/** What an erasure removed or emptied, in rows. */
export interface Erasure {
  readonly employees: number;
  readonly history: number;
  readonly attendances: number;
  /** Planned events that went. */
  readonly planned: number;
  /** Events that stay as bare facts. */
  readonly events: number;
}

/** @returns those of the ids that were erased, so that nothing else of them is stored again. */
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

/** @returns whether any table has ever heard of this person. */
export async function isKnownPerson(queries: Queries, { connectionId, employeeId }: PersonRef): Promise<boolean> {
  const [row] = await queries.query<{ known: boolean }>(
    `select exists (select from personio.employees where connection_id = $1 and employee_id = $2)
       or exists (select from personio.employee_history where connection_id = $1 and employee_id = $2)
       or exists (select from personio.attendance_periods where connection_id = $1 and employee_id = $2)
       or exists (select from personio.lifecycle_events where connection_id = $1 and employee_id = $2)
       or exists (select from personio.erased_people where connection_id = $1 and employee_id = $2) as known`,
    [connectionId, employeeId],
  );
  return row?.known === true;
}

/**
 * Erases a person from the tables, the history, what is staged and what events say, and notes the decision: all or nothing. Events that
 * fell due stay as bare facts. No sync brings the person back until `readmitPerson`. Safe to repeat.
 */
export async function erasePerson(database: Database, person: PersonRef, by: Attribution): Promise<Erasure> {
  return database.transaction(async (transaction) => {
    const [row] = await transaction.query<{ erasure: Erasure }>('select personio.erase_person($1, $2) as erasure', [
      person.connectionId,
      person.employeeId,
    ]);
    await appendAuditEntry(transaction, { ...by, what: 'erase', subject: formatSubject(person) });
    return row?.erasure ?? { employees: 0, history: 0, attendances: 0, planned: 0, events: 0 };
  });
}

/** Lets the next sync bring a person back. @returns false, and notes nothing, where the person was not erased. */
export async function readmitPerson(database: Database, person: PersonRef, by: Attribution): Promise<boolean> {
  return database.transaction(async (transaction) => {
    const deleted = await transaction.run(
      'delete from personio.erased_people where connection_id = $1 and employee_id = $2',
      [person.connectionId, person.employeeId],
    );
    if (deleted > 0) await appendAuditEntry(transaction, { ...by, what: 'readmit', subject: formatSubject(person) });
    return deleted > 0;
  });
}

/** Deletes everything that was read from a connection. Decisions about it stay. @returns how many rows went. */
export async function eraseConnection(transaction: Transaction, connectionId: string): Promise<number> {
  const [row] = await transaction.query<{ deleted: number }>('select personio.erase_connection($1) as deleted', [
    connectionId,
  ]);
  return row?.deleted ?? 0;
}

function formatSubject({ connectionId, employeeId }: PersonRef): string {
  return `employee ${employeeId} of ${connectionId}`;
}
