import type { Queries } from './database.js';

/** @returns people with open events that this Temporal namespace does not know of yet, at most `limit`, after the one that is named. */
export async function notHandedOver(
  queries: Queries,
  connectionId: string,
  namespaceId: string,
  { after, limit }: { readonly after: string; readonly limit: number },
): Promise<readonly string[]> {
  const rows = await queries.rows<{ employee_id: string }>(
    `select distinct employee_id from personio.lifecycle_events v
     where connection_id = $1 and employee_id > $3 and handed_over_to is distinct from $2
       and (state = 'planned' or exists (
         select from personio.deliveries x where x.event_id = v.event_id and x.state in ('waiting', 'sent', 'failed', 'overdue')))
     order by employee_id limit $4`,
    [connectionId, namespaceId, after, limit],
  );
  return rows.map((row) => row.employee_id);
}

export async function noteHandedOver(
  queries: Queries,
  connectionId: string,
  namespaceId: string,
  employeeIds: readonly string[],
): Promise<void> {
  await queries.run(
    `update personio.lifecycle_events set handed_over_to = $2
     where connection_id = $1 and employee_id = any($3) and handed_over_to is distinct from $2`,
    [connectionId, namespaceId, employeeIds],
  );
}
