import type { Queries } from '../database.js';

/** Lists the offices of current employees, sorted. Not those of the runs before: there are ever more of these. */
export async function listOffices(queries: Queries, connectionId: string): Promise<readonly string[]> {
  const rows = await queries.query<{ office: string }>(
    `select distinct office
     from personio.employees
     where connection_id = $1
       and deleted_at is null
       and lifecycle_state is distinct from 'left'
       and office is not null
     order by office`,
    [connectionId],
  );
  return rows.map((row) => row.office);
}
