import type { Queries } from './database.js';

/** @returns what people are called, by their employee id; nobody who is not stored. */
export async function findNames(
  queries: Queries,
  connectionId: string,
  employeeIds: readonly string[],
): Promise<ReadonlyMap<string, string>> {
  const rows = await queries.query<{ employee_id: string; name: string }>(
    `select employee_id, concat_ws(' ', coalesce(preferred_name, first_name), last_name) as name from personio.employees
     where connection_id = $1 and employee_id = any($2)`,
    [connectionId, employeeIds],
  );
  return new Map(rows.map((row) => [row.employee_id, row.name]));
}
