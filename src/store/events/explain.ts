import { toColumnName } from '../column-map.js';
import type { Queries } from '../database.js';
import { DELIVERY_COLUMNS } from '../deliveries/columns.js';
import type { StoredDelivery } from '../deliveries/columns.js';
import { IS_ON_HOLD } from '../deliveries/on-hold.js';
import { EVENT_COLUMNS, FEED_FIELDS } from './columns.js';
import type { StoredEvent } from './columns.js';

/** An event that is stored, held or previewed. */
export interface ExplainedEvent extends Pick<StoredEvent, (typeof FEED_FIELDS)[number]> {
  /**
   * `planned`, `due` or `superseded`; of an event that was never committed, `asked`, `approved`, `rejected`, `replaced`
   * or `previewed`.
   */
  readonly state: string;
}

/** Values of a person that were known for a period of time. */
interface KnownState {
  /** Moment of the commit. */
  readonly at: string;
  /** Null while it is the current state. */
  readonly until: string | null;
  readonly values: Readonly<Record<string, unknown>>;
}

const DELIVERY_FIELDS = [
  'deliveryId',
  'subscriber',
  'purpose',
  'state',
  'attempts',
  'dueAt',
  'sentAt',
  'acknowledgedAt',
  'deadlineAt',
  'note',
  'lastError',
] as const satisfies readonly (keyof StoredDelivery)[];

export interface Explanation {
  readonly event: ExplainedEvent;
  readonly run: {
    readonly runId: string;
    readonly outcome: string | null;
    readonly startedAt: string;
    readonly finishedAt: string | null;
    readonly message: string | null;
  } | null;
  /** Row of the table in docs/lifecycle.md. */
  readonly rule: string;
  readonly before: KnownState | null;
  readonly after: KnownState | null;
  readonly supersedes: string | null;
  readonly supersededBy: string | null;
  /** Run that asks whether this leaving was withdrawn: it does not fall due before an answer. Null if none asks. */
  readonly onHoldByRun: string | null;
  readonly deliveries: readonly Pick<StoredDelivery, (typeof DELIVERY_FIELDS)[number]>[];
}

/** Columns that an event has in `lifecycle_events` and in `lifecycle_proposals`. */
const FOUND_FIELDS = [...FEED_FIELDS, 'runId', 'rule', 'supersededBy'] as const;

type FoundEvent = ExplainedEvent & Pick<StoredEvent, (typeof FOUND_FIELDS)[number]>;

/** Collects everything that the tables know of an event. Returns null for an id that no run ever decided. */
export async function explain(
  queries: Queries,
  eventId: string,
  shouldIncludeNames: boolean,
): Promise<Explanation | null> {
  const found = (await findCommittedEvent(queries, eventId)) ?? (await findHeldEvent(queries, eventId));
  if (found === null) return null;
  const { runId, rule, supersededBy, ...event } = found;
  return {
    event,
    run: await findRun(queries, runId),
    rule,
    ...(await readStates(queries, event, shouldIncludeNames)),
    supersedes: event.supersedes,
    supersededBy,
    onHoldByRun: await findHoldingRun(queries, eventId),
    deliveries: await listEventDeliveries(queries, eventId),
  };
}

async function findCommittedEvent(queries: Queries, eventId: string): Promise<FoundEvent | null> {
  const [row] = await queries.query<FoundEvent>(
    `select
       ${EVENT_COLUMNS.select('events', [...FOUND_FIELDS, 'state'])}
     from personio.lifecycle_events as events
     where event_id = $1`,
    [eventId],
  );
  return row ?? null;
}

async function findHeldEvent(queries: Queries, eventId: string): Promise<FoundEvent | null> {
  const [row] = await queries.query<FoundEvent>(
    `select
       ${EVENT_COLUMNS.select('holds', FOUND_FIELDS)},
       coalesce(decision, 'previewed') as state
     from personio.lifecycle_proposals as holds
     where event_id = $1
     order by decision is null, detected_at desc
     limit 1`,
    [eventId],
  );
  return row ?? null;
}

async function findHoldingRun(queries: Queries, eventId: string): Promise<string | null> {
  const [row] = await queries.query<{ run_id: string }>(
    `select held_people.run_id
     from personio.lifecycle_events as events
     join personio.held_people as held_people using (connection_id, employee_id)
     where events.event_id = $1
       and ${IS_ON_HOLD}`,
    [eventId],
  );
  return row?.run_id ?? null;
}

async function findRun(queries: Queries, runId: string): Promise<Explanation['run']> {
  const [row] = await queries.query<NonNullable<Explanation['run']>>(
    `select run_id as "runId", outcome, started_at as "startedAt", finished_at as "finishedAt", message
     from personio.sync_runs
     where run_id = $1`,
    [runId],
  );
  return row ?? null;
}

const STATE_FIELDS = [
  'status',
  'position',
  'departmentId',
  'department',
  'teamId',
  'team',
  'officeId',
  'office',
  'subcompanyId',
  'subcompany',
  'supervisorId',
  'employmentType',
  'hireDate',
  'contractEndDate',
  'terminationDate',
  'lastWorkingDay',
  'weeklyWorkingHours',
  'costCenters',
  'absentAttributes',
  'lifecycleState',
  'episode',
  'version',
  'missingSince',
  'deletedAt',
];
const NAME_FIELDS = ['firstName', 'lastName', 'preferredName', 'email'];

/**
 * Reads the states before and after an event. Its id has the person's version before the change; after it comes the
 * next one.
 */
async function readStates(
  queries: Queries,
  { connectionId, employeeId, eventId }: ExplainedEvent,
  shouldIncludeNames: boolean,
): Promise<Pick<Explanation, 'before' | 'after'>> {
  const version = Number(eventId.split(':').at(-2));
  const fields = shouldIncludeNames ? [...STATE_FIELDS, ...NAME_FIELDS] : STATE_FIELDS;
  const rows = await queries.query<KnownState & { version: number }>(
    `select
       version,
       valid_from as at,
       valid_to as until,
       jsonb_build_object(${fields.map((field) => `'${field}', ${toColumnName(field)}`).join(', ')}) as values
     from personio.employee_history
     where connection_id = $1
       and employee_id = $2
       and version in ($3, $3 + 1)
     order by valid_from`,
    [connectionId, employeeId, version],
  );
  const toKnownState = (row: (KnownState & { version: number }) | undefined): KnownState | null =>
    row === undefined ? null : { at: row.at, until: row.until, values: row.values };
  return {
    before: toKnownState(rows.filter((row) => row.version === version).at(-1)),
    after: toKnownState(rows.find((row) => row.version === version + 1)),
  };
}

async function listEventDeliveries(queries: Queries, eventId: string): Promise<Explanation['deliveries']> {
  return queries.query(
    `select
       ${DELIVERY_COLUMNS.select('deliveries', DELIVERY_FIELDS)}
     from personio.deliveries as deliveries
     where event_id = $1
     order by due_at, delivery_id`,
    [eventId],
  );
}
