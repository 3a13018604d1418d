import type { VerdictRequest, EmployeesCommitRequest, Verdict } from '../../contracts/internal/activities.js';
import type { BrakeCheck } from '../../domain/brake.js';
import type { BrakeClass } from '../../domain/policy.js';
import { lockEndpoint } from '../collections.js';
import type { Database, Queries, Transaction } from '../database.js';
import { appendAuditEntry } from '../audit-log.js';
import type { EventReport } from '../events/queries.js';

/** Of a missing person the question is the deletion alone; of others, everything that waits with it. */
const IN_QUESTION = `d.is_held and (d.brake_class <> 'missing' or v.kind = 'leaver.deleted')`;

/** Stores what a braked run holds and asks about, or all that a preview would make or hold. */
export async function storeHolds(
  transaction: Transaction,
  request: EmployeesCommitRequest,
  decision: 'asked' | null,
): Promise<void> {
  const asked = `${IN_QUESTION} and d.verdict is distinct from 'rejected'`;
  await transaction.run(
    `insert into personio.lifecycle_proposals (run_id, event_id, connection_id, employee_id, class, kind, effective_date, effective_at, time_zone,
       detected_at, episode, changes, state, supersedes, late, rule, decision, is_held)
     select $1, v.event_id, $2, v.employee_id, v.class, v.kind, v.effective_date, v.effective_at, v.time_zone, $3, v.episode, v.changes, v.state,
       v.supersedes, v.late, v.rule, $4, d.is_held
     from decided_events v join decided d using (employee_id)
     where ${decision === null ? `(v.is_made or (${IN_QUESTION}))` : asked}
     order by v.ord on conflict do nothing`,
    [request.runId, request.connectionId, request.collectedAt, decision],
  );
}

/**
 * Who is held from now on. A complete read speaks of everybody, and its run answers for all earlier questions; the read of one person
 * speaks of that one.
 *
 * @returns the braked runs whose questions this one has replaced.
 */
export async function storeHeldPeople(
  transaction: Transaction,
  { connectionId, runId, collectedAt, onlyEmployeeId }: EmployeesCommitRequest,
): Promise<readonly string[]> {
  const before = `personio.held_people h where h.connection_id = $1 and ($2::text is null or h.employee_id = $2)`;
  await transaction.run(
    `create temp table held_before on commit drop as select * from personio.held_people where false`,
  );
  await transaction.run(`insert into held_before select * from ${before}`, [connectionId, onlyEmployeeId]);
  await transaction.run(`delete from ${before}`, [connectionId, onlyEmployeeId]);
  await transaction.run(
    `insert into personio.held_people (connection_id, employee_id, brake_class, event_ids, run_id, since, decision)
     select $1, d.employee_id, d.brake_class, d.question,
       case when d.verdict = 'rejected' then h.run_id else $2 end,
       case when h.brake_class = d.brake_class and (d.brake_class = 'missing' or d.verdict is not null) then h.since else $3 end,
       coalesce(d.verdict, 'asked')
     from decided d left join held_before h using (employee_id) where d.is_held`,
    [connectionId, runId, collectedAt],
  );
  return onlyEmployeeId === null ? replaceOlder(transaction, connectionId, runId) : [];
}

async function replaceOlder(transaction: Transaction, connectionId: string, runId: string): Promise<readonly string[]> {
  await transaction.run(
    `update personio.lifecycle_proposals set decision = 'replaced' where connection_id = $1 and run_id <> $2 and decision = 'asked'`,
    [connectionId, runId],
  );
  const rows = await transaction.query<{ run_id: string }>(
    `update personio.sync_runs set detail = detail || '{"answered": "replaced"}'
     where connection_id = $1 and run_id <> $2 and outcome = 'braked' and detail -> 'answered' is null returning run_id`,
    [connectionId, runId],
  );
  return rows.map((row) => row.run_id);
}

/** A braked run, as somebody who decides on it has to know it. */
export interface BrakedRun {
  readonly connectionId: string;
  readonly endpoint: string;
  readonly outcome: string | null;
}

export async function findBrakedRun(queries: Queries, runId: string): Promise<BrakedRun | null> {
  const [row] = await queries.query<BrakedRun>(
    `select connection_id as "connectionId", endpoint, outcome from personio.sync_runs where run_id = $1`,
    [runId],
  );
  return row ?? null;
}

/**
 * Stores what somebody decided on the ids that a run listed, whether newer runs have replaced it or not. Repeated, it changes nothing.
 *
 * @returns how many people it is about.
 */
export async function applyVerdict(database: Database, request: VerdictRequest): Promise<{ readonly people: number }> {
  const { connectionId, runId, decision, by, reason, requestId } = request;
  return database.transaction(async (transaction) => {
    await lockEndpoint(transaction, connectionId, 'employees');
    const [known] = await transaction.query<{ decided: string | null }>(
      `select detail ->> 'decidedBy' as decided from personio.sync_runs where run_id = $1 for update`,
      [runId],
    );
    const [listed] = await transaction.query<{ people: number }>(
      'select count(distinct employee_id) as people from personio.lifecycle_proposals where run_id = $1 and decision is not null',
      [runId],
    );
    if (known?.decided === requestId) return { people: listed?.people ?? 0 };
    await recordVerdict(transaction, request);
    await transaction.run(`update personio.sync_runs set detail = detail || $2::jsonb where run_id = $1`, [
      runId,
      JSON.stringify({ answered: decision, decidedBy: requestId }),
    ]);
    await appendAuditEntry(transaction, {
      actor: by,
      what: decision === 'approved' ? 'approve' : 'reject',
      subject: `run ${runId}`,
      reason,
    });
    return { people: listed?.people ?? 0 };
  });
}

async function recordVerdict(
  transaction: Transaction,
  { connectionId, runId, decision }: VerdictRequest,
): Promise<void> {
  // The same ids in other runs are the same question.
  await transaction.run(
    `update personio.lifecycle_proposals p set decision = $3, decided_at = clock_timestamp()
     where p.connection_id = $1 and (p.run_id = $2 or p.decision in ('asked', 'approved', 'rejected')) and p.decision is not null
       and p.event_id in (select event_id from personio.lifecycle_proposals where run_id = $2 and decision is not null)`,
    [connectionId, runId, decision],
  );
  // What was approved is held until the next read has been committed.
  await transaction.run(
    `update personio.held_people h set decision = $3, run_id = case when $3 = 'rejected' then $2 else h.run_id end
     where h.connection_id = $1 and h.decision <> $3 and not exists (
       select from unnest(h.event_ids) as id where not exists (
         select from personio.lifecycle_proposals p where p.run_id = $2 and p.event_id = id and p.decision is not null))`,
    [connectionId, runId, decision === 'rejected' ? 'rejected' : 'asked'],
  );
}

/** Somebody whose change waits for a person's decision, or was rejected. */
export interface HeldPerson {
  readonly employeeId: string;
  readonly class: BrakeClass;
  readonly decision: Verdict | 'asked';
  readonly runId: string;
  readonly since: string;
  readonly eventIds: readonly string[];
}

export async function listHeldPeople(queries: Queries, connectionId: string): Promise<readonly HeldPerson[]> {
  return queries.query<HeldPerson>(
    `select h.employee_id as "employeeId", h.brake_class as class, h.run_id as "runId", h.since, h.event_ids as "eventIds",
       case when h.decision = 'asked' and not exists (
           select from unnest(h.event_ids) as id where not exists (
             select from personio.lifecycle_proposals p where p.event_id = id and p.connection_id = $1 and p.decision = 'approved'
               and p.decided_at > coalesce(s.employees_committed_at, '-infinity')))
         then 'approved' else h.decision end as decision
     from personio.held_people h left join personio.connection_state s using (connection_id)
     where h.connection_id = $1 order by h.brake_class, h.employee_id`,
    [connectionId],
  );
}

/** @returns why a run holds people, a sentence each. */
export async function listHoldReasons(queries: Queries, runId: string): Promise<readonly string[]> {
  const [row] = await queries.query<{ why: readonly string[] | null }>(
    `select detail -> 'why' as why from personio.sync_runs where run_id = $1`,
    [runId],
  );
  return row?.why ?? [];
}

/** An event that a previewed run would make, or hold. */
export interface PreviewEvent extends Omit<EventReport, 'deliveries' | 'state'> {
  readonly state: 'planned' | 'due';
  readonly held: boolean;
}

export interface PreviewReport {
  /** A person would have to decide. */
  readonly wouldBrake: boolean;
  readonly limits: readonly BrakeCheck[];
  readonly why: readonly string[];
  readonly events: readonly PreviewEvent[];
}

/** @returns what a previewed run found out. */
export async function readPreview(queries: Queries, runId: string): Promise<PreviewReport> {
  const [run] = await queries.query<{ detail: Partial<Omit<PreviewReport, 'events'>> & { readonly asked?: number } }>(
    'select detail from personio.sync_runs where run_id = $1',
    [runId],
  );
  const events = await queries.query<PreviewEvent>(
    `select event_id as "eventId", connection_id as "connectionId", employee_id as "employeeId", class, kind, episode,
       effective_date as "effectiveDate", effective_at as "effectiveAt", time_zone as "timeZone", detected_at as "detectedAt",
       late, supersedes, changes, state, is_held as held
     from personio.lifecycle_proposals where run_id = $1 order by class, kind, effective_date, employee_id, event_id`,
    [runId],
  );
  const { limits = [], why = [], asked = 0 } = run?.detail ?? {};
  return { wouldBrake: asked > 0, limits, why, events };
}

/** @returns the braked runs whose questions a run has replaced. */
export async function listReplacedRuns(queries: Queries, runId: string): Promise<readonly string[]> {
  const [row] = await queries.query<{ replaces: readonly string[] | null }>(
    `select detail -> 'replaces' as replaces from personio.sync_runs where run_id = $1`,
    [runId],
  );
  return row?.replaces ?? [];
}
