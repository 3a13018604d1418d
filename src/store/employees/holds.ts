import type { EmployeesCommitRequest, Verdict } from '../../contracts/internal/activities.js';
import type { BrakeClass } from '../../domain/policy.js';
import type { Queries, Transaction } from '../database.js';
import { IS_ON_HOLD, redispatchLeavings } from '../deliveries/on-hold.js';
import { EVENT_COLUMNS } from '../events/columns.js';
import type { StoredEvent } from '../events/columns.js';

/**
 * Condition of the events that are held: of a missing person the deletion alone, of others everything that waits with
 * it.
 */
const HELD_EVENT = `
  decided.is_held
  and (decided.brake_class <> 'missing' or decided_events.kind = 'leaver.deleted')`;

export const HOLD_FIELDS = [
  'eventId',
  'employeeId',
  'class',
  'kind',
  'effectiveDate',
  'effectiveAt',
  'timeZone',
  'episode',
  'changes',
  'state',
  'supersedes',
  'late',
  'rule',
] as const satisfies readonly (keyof StoredEvent)[];

/** Stores the events that a braked run holds and asks about, or all that a preview would make or hold. */
export async function storeHolds(
  transaction: Transaction,
  request: EmployeesCommitRequest,
  decision: 'asked' | null,
): Promise<void> {
  const columns = EVENT_COLUMNS.list(HOLD_FIELDS);
  const isAsked = `(${HELD_EVENT}) and decided.verdict is distinct from 'rejected'`;
  const isPreviewed = `decided_events.is_made or (${HELD_EVENT})`;
  await transaction.run(
    `insert into personio.lifecycle_proposals (run_id, connection_id, detected_at, decision, is_held, ${columns})
     select
       $1,
       $2,
       $3,
       $4,
       decided.is_held,
       ${EVENT_COLUMNS.select('decided_events', HOLD_FIELDS)}
     from decided_events
     join decided using (employee_id)
     where ${decision === null ? isPreviewed : isAsked}
     order by decided_events.ord
     on conflict do nothing`,
    [request.runId, request.connectionId, request.collectedAt, decision],
  );
}

/**
 * Rows of people whose withdrawal was asked about or rejected, and who are missing from this read: an absence answers
 * no question, so their leaving keeps waiting, and a rejection stays.
 */
const KEPT_WITHDRAWAL = `
  select from pairs
  where pairs.employee_id = decided.employee_id
    and held_before.brake_class = 'withdrawals'
    and not pairs.is_seen
    and (decided.is_held or not decided.is_deleted)`;

/**
 * Stores who is held from now on. A complete read is about everybody, so its run replaces all earlier questions; the
 * read of one person is about that one. People who are left out stay held as they are.
 *
 * @returns the braked runs whose questions this one has replaced.
 */
export async function storeHeldPeople(
  transaction: Transaction,
  { connectionId, runId, collectedAt, onlyEmployeeId }: EmployeesCommitRequest,
): Promise<readonly string[]> {
  const scope = `
    from personio.held_people
    where connection_id = $1
      and ($2::text is null or employee_id = $2)
      and employee_id not in (select employee_id from left_out)`;
  await transaction.run(
    `create temp table held_before on commit drop as
     select * from personio.held_people where false`,
  );
  await transaction.run(`insert into held_before select * ${scope}`, [connectionId, onlyEmployeeId]);
  await transaction.run(`delete ${scope}`, [connectionId, onlyEmployeeId]);
  // A person who stays held for the same reason keeps the moment since when.
  await transaction.run(
    `insert into personio.held_people (connection_id, employee_id, brake_class, event_ids, run_id, since, decision)
     select
       $1,
       decided.employee_id,
       decided.brake_class,
       decided.question,
       case when decided.verdict = 'rejected' then held_before.run_id else $2 end,
       case
         when held_before.brake_class = decided.brake_class
           and (decided.brake_class = 'missing' or decided.verdict is not null)
         then held_before.since
         else $3
       end,
       coalesce(decided.verdict, 'asked')
     from decided
     left join held_before using (employee_id)
     where decided.is_held
       and not exists (${KEPT_WITHDRAWAL})`,
    [connectionId, runId, collectedAt],
  );
  await transaction.run(
    `insert into personio.held_people
     select held_before.*
     from held_before
     join decided using (employee_id)
     where exists (${KEPT_WITHDRAWAL})`,
  );
  await redispatchLeavings(transaction, connectionId, await listChangedWaits(transaction, connectionId));
  return onlyEmployeeId === null ? replaceOlder(transaction, connectionId, runId) : [];
}

/** Lists the people of this read whose leaving waits from now on, or waits no longer. */
async function listChangedWaits(transaction: Transaction, connectionId: string): Promise<readonly string[]> {
  const rows = await transaction.query<{ employee_id: string }>(
    `select employee_id
     from (
       select employee_id
       from held_before
       where brake_class = 'withdrawals'
         and decision = 'asked'
     ) as before
     full join (
       select employee_id
       from personio.held_people
       join decided using (employee_id)
       where connection_id = $1
         and held_people.brake_class = 'withdrawals'
         and held_people.decision = 'asked'
     ) as now
       using (employee_id)
     where before.employee_id is null
       or now.employee_id is null`,
    [connectionId],
  );
  return rows.map((row) => row.employee_id);
}

async function replaceOlder(transaction: Transaction, connectionId: string, runId: string): Promise<readonly string[]> {
  await transaction.run(
    `update personio.lifecycle_proposals
     set decision = 'replaced'
     where connection_id = $1
       and run_id <> $2
       and decision = 'asked'`,
    [connectionId, runId],
  );
  const rows = await transaction.query<{ run_id: string }>(
    `update personio.sync_runs
     set detail = detail || '{"answered": "replaced"}'
     where connection_id = $1
       and run_id <> $2
       and outcome = 'braked'
       and detail -> 'answered' is null
     returning run_id`,
    [connectionId, runId],
  );
  return rows.map((row) => row.run_id);
}

/** A person whose change waits for approval or rejection, or was rejected. */
export interface HeldPerson {
  readonly employeeId: string;
  readonly class: BrakeClass;
  /** `approved` until the next read commits the change. */
  readonly decision: Verdict | 'asked';
  readonly runId: string;
  readonly since: string;
  readonly eventIds: readonly string[];
  /** Moment of the planned leaving that waits for the answer; null where none does. */
  readonly waitingLeavingAt: string | null;
}

export async function listHeldPeople(queries: Queries, connectionId: string): Promise<readonly HeldPerson[]> {
  // Approved: every event of the question was approved since the last complete read that was committed.
  return queries.query<HeldPerson>(
    `select
       held_people.employee_id as "employeeId",
       held_people.brake_class as class,
       held_people.run_id as "runId",
       held_people.since,
       held_people.event_ids as "eventIds",
       case
         when held_people.decision = 'asked'
           and not exists (
             select from unnest(held_people.event_ids) as asked (event_id)
             where not exists (
               select from personio.lifecycle_proposals as holds
               where holds.event_id = asked.event_id
                 and holds.connection_id = $1
                 and holds.decision = 'approved'
                 and holds.decided_at > coalesce(state.employees_committed_at, '-infinity')
             )
           )
         then 'approved'
         else held_people.decision
       end as decision,
       (
         select min(events.due_at)
         from personio.lifecycle_events as events
         where events.connection_id = held_people.connection_id
           and events.employee_id = held_people.employee_id
           and ${IS_ON_HOLD}
       ) as "waitingLeavingAt"
     from personio.held_people as held_people
     left join personio.connection_state as state using (connection_id)
     where held_people.connection_id = $1
     order by held_people.brake_class, held_people.employee_id`,
    [connectionId],
  );
}

/** Returns why a run holds people, one sentence each. */
export async function listHoldReasons(queries: Queries, runId: string): Promise<readonly string[]> {
  const [row] = await queries.query<{ why: readonly string[] | null }>(
    `select detail -> 'why' as why from personio.sync_runs where run_id = $1`,
    [runId],
  );
  return row?.why ?? [];
}

/** Returns the braked runs whose questions a run has replaced. */
export async function listReplacedRuns(queries: Queries, runId: string): Promise<readonly string[]> {
  const [row] = await queries.query<{ replaces: readonly string[] | null }>(
    `select detail -> 'replaces' as replaces from personio.sync_runs where run_id = $1`,
    [runId],
  );
  return row?.replaces ?? [];
}
