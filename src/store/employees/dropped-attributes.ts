import type { EmployeesCommitRequest } from '../../contracts/internal/activities.js';
import { isStored } from '../../domain/stored-attributes.js';
import type { Transaction } from '../database.js';

/**
 * Deletes attributes that the policy no longer lets be stored, from the people that the read is about and from their
 * history. It is no change of theirs, so it adds no version. Call it after the merge.
 */
export async function deleteDroppedAttributes(
  transaction: Transaction,
  { connectionId, onlyEmployeeId }: EmployeesCommitRequest,
  attributesToStore: readonly string[],
): Promise<void> {
  // Whatever is in a person's history is in the person's row too.
  const stored = await transaction.query<{ attribute: string }>(
    `select distinct jsonb_object_keys(attributes) as attribute
     from personio.employees
     where connection_id = $1
       and ($2::text is null or employee_id = $2)`,
    [connectionId, onlyEmployeeId],
  );
  const dropped = stored
    .map(({ attribute }) => attribute)
    .filter((attribute) => !isStored(attribute, null, attributesToStore));
  if (dropped.length === 0) return;
  for (const table of ['personio.employees', 'personio.employee_history']) {
    await transaction.run(
      `update ${table}
       set attributes = attributes - $3::text[]
       where connection_id = $1
         and ($2::text is null or employee_id = $2)
         and attributes ?| $3::text[]`,
      [connectionId, onlyEmployeeId, dropped],
    );
  }
}
