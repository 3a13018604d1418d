import type { FeedEventData } from '../../domain/cloud-event.js';
import type { Queries } from '../database.js';

/** An event as stored, or as held or previewed. */
export interface ExplainedEvent extends FeedEventData {
  /** `planned`, `due`, `superseded`; of what was never committed, `asked`, `approved`, `rejected`, `replaced` or `previewed`. */
  readonly state: string;
}

/** What was known of a person in a stretch of time. */
interface KnownState {
  /** When it was committed. */
  readonly at: string;
  /** Null: it still stands. */
  readonly until: string | null;
  readonly values: Readonly<Record<string, unknown>>;
}

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
  readonly deliveries: readonly Readonly<Record<string, unknown>>[];
}

type StoredEvent = ExplainedEvent & {
  readonly runId: string;
  readonly rule: string;
  readonly supersededBy: string | null;
};

const COLUMNS = `event_id as "eventId", connection_id as "connectionId", employee_id as "employeeId", class, kind, episode,
  effective_date as "effectiveDate", effective_at as "effectiveAt", time_zone as "timeZone", detected_at as "detectedAt", late, supersedes, changes,
  run_id as "runId", rule, superseded_by as "supersededBy"`;

/** Everything that is known of an event, from the rows alone. @returns null for an id that nobody ever proposed. */
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
    deliveries: await listEventDeliveries(queries, eventId),
  };
}

async function findCommittedEvent(queries: Queries, eventId: string): Promise<StoredEvent | null> {
  const [row] = await queries.query<StoredEvent>(
    `select ${COLUMNS}, state from personio.lifecycle_events where event_id = $1`,
    [eventId],
  );
  return row ?? null;
}

async function findHeldEvent(queries: Queries, eventId: string): Promise<StoredEvent | null> {
  const [row] = await queries.query<StoredEvent>(
    `select ${COLUMNS}, coalesce(decision, 'previewed') as state from personio.lifecycle_proposals
     where event_id = $1 order by decision is null, detected_at desc limit 1`,
    [eventId],
  );
  return row ?? null;
}

async function findRun(queries: Queries, runId: string): Promise<Explanation['run']> {
  const [row] = await queries.query<NonNullable<Explanation['run']>>(
    `select run_id as "runId", outcome, started_at as "startedAt", finished_at as "finishedAt", message
     from personio.sync_runs where run_id = $1`,
    [runId],
  );
  return row ?? null;
}

const SHOWN = `'status', status, 'position', position, 'departmentId', department_id, 'department', department, 'team', team, 'office', office,
  'subcompany', subcompany, 'supervisorId', supervisor_id, 'employmentType', employment_type, 'hireDate', hire_date,
  'contractEndDate', contract_end_date, 'terminationDate', termination_date, 'lastWorkingDay', last_working_day,
  'weeklyWorkingHours', weekly_working_hours, 'costCenters', cost_centers, 'absentAttributes', absent_attributes,
  'lifecycleState', lifecycle_state, 'episode', episode, 'version', version, 'missingSince', missing_since, 'deletedAt', deleted_at`;
const NAMES = `'firstName', first_name, 'lastName', last_name, 'preferredName', preferred_name, 'email', email`;

/** An event's id holds the version of its person before the change; the next version is what came of it. */
async function readStates(
  queries: Queries,
  { connectionId, employeeId, eventId }: ExplainedEvent,
  shouldIncludeNames: boolean,
): Promise<Pick<Explanation, 'before' | 'after'>> {
  const version = Number(eventId.split(':').at(-2));
  const rows = await queries.query<KnownState & { version: number }>(
    `select version, valid_from as at, valid_to as until, jsonb_build_object(${SHOWN}${shouldIncludeNames ? `, ${NAMES}` : ''}) as values
     from personio.employee_history where connection_id = $1 and employee_id = $2 and version in ($3, $3 + 1) order by valid_from`,
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
    `select delivery_id as "deliveryId", subscriber, purpose, state, attempts, due_at as "dueAt", sent_at as "sentAt",
       acknowledged_at as "acknowledgedAt", deadline_at as "deadlineAt", note, last_error as "lastError"
     from personio.deliveries where event_id = $1 order by due_at, delivery_id`,
    [eventId],
  );
}
