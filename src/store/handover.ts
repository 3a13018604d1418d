import { OPEN_STATES } from './agenda.js';
import type { Queries } from './database.js';

/** A person with open events, and which they are. */
export interface OpenPerson {
  readonly employeeId: string;
  readonly eventIds: readonly string[];
}

export interface HandoverPage {
  /** The employee id to go on after. */
  readonly after: string;
  readonly limit: number;
  /** Also those that the namespace was told of already. */
  readonly everybody: boolean;
}

/** Planned events, and those with a delivery that is not over. `$1` is the connection. */
const OPEN_EVENTS = `select employee_id, event_id, handed_over_to from personio.lifecycle_events where connection_id = $1 and state = 'planned'
  union
  select v.employee_id, v.event_id, v.handed_over_to from personio.deliveries x join personio.lifecycle_events v using (event_id)
  where x.connection_id = $1 and x.state in ${OPEN_STATES}`;

/** @returns people with open events that this Temporal namespace does not know of yet. */
export async function openPersons(
  queries: Queries,
  connectionId: string,
  namespaceId: string,
  { after, limit, everybody }: HandoverPage,
): Promise<readonly OpenPerson[]> {
  return queries.rows<OpenPerson>(
    `select employee_id as "employeeId", array_agg(event_id) as "eventIds" from (${OPEN_EVENTS}) open
     where employee_id > $3 and ($5 or handed_over_to is distinct from $2) group by 1 order by 1 limit $4`,
    [connectionId, namespaceId, after, limit, everybody],
  );
}

/** Exactly the events that were read before the signal: one that was committed meanwhile is handed over by its own run. */
export async function noteHandedOver(
  queries: Queries,
  namespaceId: string,
  persons: readonly OpenPerson[],
): Promise<void> {
  await queries.run(
    `update personio.lifecycle_events set handed_over_to = $1 where event_id = any($2) and handed_over_to is distinct from $1`,
    [namespaceId, persons.flatMap(({ eventIds }) => eventIds)],
  );
}

/** @returns how many people have open events that this namespace was told of: as many workflows should wait in it. */
export async function countHandedOver(queries: Queries, connectionId: string, namespaceId: string): Promise<number> {
  const [row] = await queries.rows<{ people: number }>(
    `select count(distinct employee_id) as people from (${OPEN_EVENTS}) open where handed_over_to = $2`,
    [connectionId, namespaceId],
  );
  return row?.people ?? 0;
}

/** @returns the connections that have open events, sorted. */
export async function connectionsWithOpenEvents(queries: Queries): Promise<readonly string[]> {
  const rows = await queries.rows<{ connection_id: string }>(
    `select connection_id from personio.lifecycle_events where state = 'planned'
     union select connection_id from personio.deliveries where state in ${OPEN_STATES} order by 1`,
  );
  return rows.map((row) => row.connection_id);
}
