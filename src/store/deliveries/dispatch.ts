import type { Database, Queries } from '../database.js';
import { lockEndpoint } from '../locks.js';
import { OPEN_STATES } from './columns.js';

/** A person with open events. */
export interface OpenPerson {
  readonly employeeId: string;
  /** Version of each event's row, by the event's id. */
  readonly events: Readonly<Record<string, string>>;
}

/** People whose events are dispatched. */
export interface DispatchScope {
  readonly connectionId: string;
  /** Null for everybody. */
  readonly onlyEmployeeId: string | null;
}

/** Planned events, and events with an open delivery, of the connection `$1`. */
const OPEN_EVENTS = `
  select
    events.employee_id,
    events.event_id,
    events.xmin::text as version,
    events.handed_over_to,
    events.kind,
    events.due_at as happens_at,
    events.due_at
  from personio.lifecycle_events as events
  where events.connection_id = $1
    and events.state = 'planned'
  union
  select
    deliveries.employee_id,
    events.event_id,
    events.xmin::text,
    events.handed_over_to,
    events.kind,
    events.due_at,
    deliveries.due_at
  from personio.deliveries as deliveries
  join personio.lifecycle_events as events using (event_id)
  where deliveries.connection_id = $1
    and deliveries.state in ${OPEN_STATES}`;

/**
 * Open events that were not dispatched to the namespace `$2`, or to no namespace where it is null; of the person `$3`,
 * or of everybody where it is null.
 */
const UNDISPATCHED_EVENTS = `
  select *
  from (${OPEN_EVENTS}) as open
  where (handed_over_to is null or handed_over_to <> $2)
    and ($3::text is null or employee_id = $3)`;

/**
 * Lists people with open events that were not dispatched to this Temporal namespace. Leavers come first, ahead of any
 * number of people who changed by the same read; then the people whose events are due first.
 */
export async function listOpenPersons(
  queries: Queries,
  { connectionId, onlyEmployeeId }: DispatchScope,
  namespaceId: string,
  limit: number,
): Promise<readonly OpenPerson[]> {
  return queries.query<OpenPerson>(
    `select
       employee_id as "employeeId",
       jsonb_object_agg(event_id, version) as events
     from (${UNDISPATCHED_EVENTS}) as undispatched
     group by employee_id
     order by
       bool_or(kind in ('leaver.left', 'leaver.deleted') and happens_at <= clock_timestamp()) desc,
       min(due_at),
       employee_id
     limit $4`,
    [connectionId, namespaceId, onlyEmployeeId, limit],
  );
}

/** Counts people with open events that were not dispatched to this namespace; with null, to no namespace. */
export async function countOpenPersons(
  queries: Queries,
  { connectionId, onlyEmployeeId }: DispatchScope,
  namespaceId: string | null,
): Promise<number> {
  const [row] = await queries.query<{ people: number }>(
    `select count(distinct employee_id) as people
     from (${UNDISPATCHED_EVENTS}) as undispatched`,
    [connectionId, namespaceId, onlyEmployeeId],
  );
  return row?.people ?? 0;
}

/** Makes all open events undispatched, as if this namespace had never known of them. */
export async function resetDispatched(database: Database, connectionId: string, namespaceId: string): Promise<void> {
  await database.transaction(async (transaction) => {
    await lockEndpoint(transaction, connectionId, 'employees');
    await transaction.run(
      `update personio.lifecycle_events
       set handed_over_to = null
       where connection_id = $1
         and handed_over_to = $2
         and event_id in (select event_id from (${OPEN_EVENTS}) as open)`,
      [connectionId, namespaceId],
    );
  });
}

/**
 * Marks exactly the events that were read before the signal, in the version that was read. An event that was committed
 * or reopened meanwhile is left to the next dispatch.
 */
export async function markDispatched(
  queries: Queries,
  namespaceId: string,
  persons: readonly OpenPerson[],
): Promise<void> {
  await queries.run(
    `update personio.lifecycle_events as events
     set handed_over_to = $1
     from jsonb_each_text($2) as dispatched (event_id, version)
     where events.event_id = dispatched.event_id
       and events.xmin::text = dispatched.version
       and events.handed_over_to is distinct from $1`,
    [namespaceId, Object.assign({}, ...persons.map(({ events }) => events))],
  );
}

/** Counts people with open events that were dispatched to this namespace: as many workflows should wait in it. */
export async function countDispatched(queries: Queries, connectionId: string, namespaceId: string): Promise<number> {
  const [row] = await queries.query<{ people: number }>(
    `select count(distinct employee_id) as people
     from (${OPEN_EVENTS}) as open
     where handed_over_to = $2`,
    [connectionId, namespaceId],
  );
  return row?.people ?? 0;
}

/** Returns the connections that have open events, sorted. */
export async function listConnectionsWithOpenEvents(queries: Queries): Promise<readonly string[]> {
  const rows = await queries.query<{ connection_id: string }>(
    `select connection_id
     from personio.lifecycle_events
     where state = 'planned'
     union
     select connection_id
     from personio.deliveries
     where state in ${OPEN_STATES}
     order by 1`,
  );
  return rows.map((row) => row.connection_id);
}
