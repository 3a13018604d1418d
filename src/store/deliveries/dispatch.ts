import { OPEN_STATES } from './pending.js';
import { lockEndpoint } from '../collections.js';
import type { Database, Queries } from '../database.js';

/** A person with open events. */
export interface OpenPerson {
  readonly employeeId: string;
  /** By id, the version of each event's row. */
  readonly events: Readonly<Record<string, string>>;
}

/** Whose events are handed over. */
export interface DispatchScope {
  readonly connectionId: string;
  /** Null: everybody. */
  readonly onlyEmployeeId: string | null;
}

/** Planned events, and those with a delivery that is not over. `$1` is the connection. */
const OPEN_EVENTS = `select employee_id, event_id, xmin::text as version, handed_over_to, kind, due_at as happens_at, due_at
  from personio.lifecycle_events where connection_id = $1 and state = 'planned'
  union
  select x.employee_id, v.event_id, v.xmin::text, v.handed_over_to, v.kind, v.due_at, x.due_at from personio.deliveries x join personio.lifecycle_events v using (event_id)
  where x.connection_id = $1 and x.state in ${OPEN_STATES}`;

/** Open events that the namespace `$2` was not told of, or with null no namespace; of the person `$3`, or with null of everybody. */
const UNDISPATCHED_EVENTS = `select * from (${OPEN_EVENTS}) open
  where (handed_over_to is null or handed_over_to <> $2) and ($3::text is null or employee_id = $3)`;

/**
 * People with open events that this Temporal namespace does not know of yet. Who has left comes first, before however many others
 * who changed by the same read; then whose events are due first.
 */
export async function listOpenPersons(
  queries: Queries,
  { connectionId, onlyEmployeeId }: DispatchScope,
  namespaceId: string,
  limit: number,
): Promise<readonly OpenPerson[]> {
  return queries.query<OpenPerson>(
    `select employee_id as "employeeId", jsonb_object_agg(event_id, version) as events from (${UNDISPATCHED_EVENTS}) untold group by employee_id
     order by bool_or(kind in ('leaver.left', 'leaver.deleted') and happens_at <= clock_timestamp()) desc, min(due_at), employee_id limit $4`,
    [connectionId, namespaceId, onlyEmployeeId, limit],
  );
}

/** @returns how many people have open events that this namespace does not know of yet; with null, that no namespace knows of. */
export async function countOpenPersons(
  queries: Queries,
  { connectionId, onlyEmployeeId }: DispatchScope,
  namespaceId: string | null,
): Promise<number> {
  const [row] = await queries.query<{ people: number }>(
    `select count(distinct employee_id) as people from (${UNDISPATCHED_EVENTS}) untold`,
    [connectionId, namespaceId, onlyEmployeeId],
  );
  return row?.people ?? 0;
}

/** As if this namespace had never been told of anything. */
export async function resetDispatched(database: Database, connectionId: string, namespaceId: string): Promise<void> {
  await database.transaction(async (transaction) => {
    await lockEndpoint(transaction, connectionId, 'employees');
    await transaction.run(
      `update personio.lifecycle_events set handed_over_to = null
       where connection_id = $1 and handed_over_to = $2 and event_id in (select event_id from (${OPEN_EVENTS}) open)`,
      [connectionId, namespaceId],
    );
  });
}

/**
 * Exactly the events that were read before the signal, as they were: one that was committed, or opened anew, meanwhile is handed over by whoever
 * did that, or by the next step.
 */
export async function markDispatched(
  queries: Queries,
  namespaceId: string,
  persons: readonly OpenPerson[],
): Promise<void> {
  await queries.run(
    `update personio.lifecycle_events v set handed_over_to = $1 from jsonb_each_text($2) as told(event_id, version)
     where v.event_id = told.event_id and v.xmin::text = told.version and handed_over_to is distinct from $1`,
    [namespaceId, Object.assign({}, ...persons.map(({ events }) => events))],
  );
}

/** @returns how many people have open events that this namespace was told of: as many workflows should wait in it. */
export async function countDispatched(queries: Queries, connectionId: string, namespaceId: string): Promise<number> {
  const [row] = await queries.query<{ people: number }>(
    `select count(distinct employee_id) as people from (${OPEN_EVENTS}) open where handed_over_to = $2`,
    [connectionId, namespaceId],
  );
  return row?.people ?? 0;
}

/** @returns the connections that have open events, sorted. */
export async function listConnectionsWithOpenEvents(queries: Queries): Promise<readonly string[]> {
  const rows = await queries.query<{ connection_id: string }>(
    `select connection_id from personio.lifecycle_events where state = 'planned'
     union select connection_id from personio.deliveries where state in ${OPEN_STATES} order by 1`,
  );
  return rows.map((row) => row.connection_id);
}
