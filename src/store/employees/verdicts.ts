import type { VerdictRequest } from '../../contracts/internal/activities.js';
import { appendAuditEntry } from '../audit-log.js';
import type { Database, Queries, Transaction } from '../database.js';
import { redispatchLeavings } from '../deliveries/on-hold.js';
import { lockEndpoint } from '../locks.js';

/** A run that an operator wants to approve or reject. */
export interface BrakedRun {
  readonly connectionId: string;
  readonly endpoint: string;
  /** `braked`, unless there is nothing to approve; null while it runs. */
  readonly outcome: string | null;
}

export async function findBrakedRun(queries: Queries, runId: string): Promise<BrakedRun | null> {
  const [row] = await queries.query<BrakedRun>(
    `select connection_id as "connectionId", endpoint, outcome
     from personio.sync_runs
     where run_id = $1`,
    [runId],
  );
  return row ?? null;
}

/**
 * Stores an operator's verdict on the events that a run listed, whether newer runs have replaced it or not, with its
 * entry in the audit log. Repeated, it changes nothing.
 *
 * @returns how many people it is about.
 */
export async function applyVerdict(database: Database, request: VerdictRequest): Promise<{ readonly people: number }> {
  const { connectionId, runId, verdict, by, reason, requestId } = request;
  return database.transaction(async (transaction) => {
    await lockEndpoint(transaction, connectionId, 'employees');
    const [run] = await transaction.query<{ decided_by: string | null }>(
      `select detail ->> 'decidedBy' as decided_by
       from personio.sync_runs
       where run_id = $1
       for update`,
      [runId],
    );
    const [listed] = await transaction.query<{ people: number }>(
      `select count(distinct employee_id) as people
       from personio.lifecycle_proposals
       where run_id = $1
         and decision is not null`,
      [runId],
    );
    if (run?.decided_by === requestId) return { people: listed?.people ?? 0 };
    await recordVerdict(transaction, request);
    await transaction.run('update personio.sync_runs set detail = detail || $2::jsonb where run_id = $1', [
      runId,
      JSON.stringify({ answered: verdict, decidedBy: requestId }),
    ]);
    await appendAuditEntry(transaction, {
      actor: by,
      what: verdict === 'approved' ? 'approve' : 'reject',
      subject: `run ${runId}`,
      reason,
    });
    return { people: listed?.people ?? 0 };
  });
}

async function recordVerdict(
  transaction: Transaction,
  { connectionId, runId, verdict }: VerdictRequest,
): Promise<void> {
  // The same ids in other runs are the same question.
  await transaction.run(
    `update personio.lifecycle_proposals
     set decision = $3,
       decided_at = clock_timestamp()
     where connection_id = $1
       and decision is not null
       and (run_id = $2 or decision in ('asked', 'approved', 'rejected'))
       and event_id in (
         select event_id
         from personio.lifecycle_proposals
         where run_id = $2
           and decision is not null
       )`,
    [connectionId, runId, verdict],
  );
  // Approved people stay held until the next read has been committed.
  await transaction.run(
    `update personio.held_people as held_people
     set decision = $3,
       run_id = case when $3 = 'rejected' then $2 else held_people.run_id end
     where held_people.connection_id = $1
       and held_people.decision <> $3
       and not exists (
         select from unnest(held_people.event_ids) as asked (event_id)
         where not exists (
           select from personio.lifecycle_proposals as holds
           where holds.run_id = $2
             and holds.event_id = asked.event_id
             and holds.decision is not null
         )
       )`,
    [connectionId, runId, verdict === 'rejected' ? 'rejected' : 'asked'],
  );
  const rejected = await transaction.query<{ employee_id: string }>(
    `select employee_id
     from personio.held_people
     where connection_id = $1
       and run_id = $2
       and brake_class = 'withdrawals'
       and decision = 'rejected'`,
    [connectionId, runId],
  );
  await redispatchLeavings(
    transaction,
    connectionId,
    rejected.map((row) => row.employee_id),
  );
}
