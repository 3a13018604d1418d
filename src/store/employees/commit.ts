import type { EmployeesCommitOutcome, EmployeesCommitRequest } from '../../contracts/internal/activities.js';
import { ZERO_COUNTS } from '../../contracts/internal/sync.js';
import type { SyncResult } from '../../contracts/internal/sync.js';
import type { Policy } from '../../domain/policy.js';
import { describeCarried } from '../../domain/brake.js';
import { findIncompleteReason } from '../completeness.js';
import type { Database, Transaction } from '../database.js';
import { assignSequences, storeEvents } from '../events/insert.js';
import { lockEndpoint } from '../locks.js';
import { listReadById } from '../read-by-id.js';
import { closeRun, findClosedRun } from '../runs.js';
import { listUnaskedMissing, toStagingTable } from '../staging.js';
import { summarizeUnreadable } from '../unreadable.js';
import { summarizeAnomalies } from './anomalies.js';
import { recordAttributes } from './attribute-profile.js';
import { NOT_BRAKED, brake, countChangedPeople } from './brake.js';
import type { BrakeOutcome } from './brake.js';
import { carryQuestions, selectCarried } from './carried-questions.js';
import type { CarriedQuestions } from './carried-questions.js';
import { formatAllLeftOut, formatCommit, formatPreview } from './commit-message.js';
import type { ReadSummary } from './commit-message.js';
import { decideAll } from './decide.js';
import { deleteDroppedAttributes } from './dropped-attributes.js';
import { listHoldReasons, listReplacedRuns, storeHeldPeople, storeHolds } from './holds.js';
import { countLeftOut, recordConfirmed, selectLeftOut } from './left-out.js';
import { mergeEmployees } from './merge.js';
import { selectPairs } from './pairs.js';

export interface EmployeesCommitContext {
  readonly policy: Policy;
  /** Keyed digest of the installation, for event ids. */
  readonly digest: (text: string) => string;
}

/**
 * Compares the snapshot with the stored state, decides, brakes, merges, writes history and events, and closes the run:
 * in one transaction, so that a crash leaves either the old state or the new one (docs/decisions/0007). Safe to repeat.
 */
export async function commitEmployees(
  database: Database,
  request: EmployeesCommitRequest,
  context: EmployeesCommitContext,
): Promise<EmployeesCommitOutcome> {
  return database.transaction(async (transaction) => {
    await lockEndpoint(transaction, request.connectionId, 'employees');
    const ended = await findClosedRun(transaction, request, true);
    if (ended !== null) return readOutcome(transaction, ended);
    const baselineRunId = await findBaselineRun(transaction, request.connectionId);
    const incomplete =
      (await findIncompleteReason(transaction, request)) ??
      findPrematureReason(request, baselineRunId) ??
      (await findUnaskedReason(transaction, request));
    if (incomplete !== null) return { incomplete, result: null, question: null, replaced: [] };
    const isOvertaken = await selectLeftOut(transaction, request);
    const result = isOvertaken
      ? await closeOvertaken(transaction, request)
      : await decideAndCommit(transaction, request, { ...context, isBaseline: baselineRunId === null });
    return readOutcome(transaction, result);
  });
}

/** Reads the outcome from the rows, so that a repeated call whose first result was lost returns the same. */
async function readOutcome(transaction: Transaction, result: SyncResult): Promise<EmployeesCommitOutcome> {
  const isBraked = result.outcome === 'braked';
  return {
    incomplete: null,
    result,
    question: isBraked ? `${(await listHoldReasons(transaction, result.runId)).join('. ')}.` : null,
    replaced: await listReplacedRuns(transaction, result.runId),
  };
}

async function findBaselineRun(transaction: Transaction, connectionId: string): Promise<string | null> {
  const [row] = await transaction.query<{ baseline_run_id: string | null }>(
    'select baseline_run_id from personio.connection_state where connection_id = $1',
    [connectionId],
  );
  return row?.baseline_run_id ?? null;
}

function findPrematureReason({ onlyEmployeeId }: EmployeesCommitRequest, baselineRunId: string | null): string | null {
  if (onlyEmployeeId === null || baselineRunId !== null) return null;
  return 'no complete read of this connection has been committed yet: run `personio-sync sync employees` first';
}

/** Checks that everybody who is missing was asked for by id, and that Personio answered 404, in this run. */
async function findUnaskedReason(transaction: Transaction, request: EmployeesCommitRequest): Promise<string | null> {
  if (request.onlyEmployeeId !== null) return null;
  const unasked = await listUnaskedMissing(transaction, request, request.attempt, 1);
  return unasked.length === 0 ? null : 'missing people were not asked for by id';
}

/**
 * Closes a run of which everybody is left out, since another read committed everybody meanwhile: nothing changes, and
 * questions and approvals stay as they are.
 */
async function closeOvertaken(transaction: Transaction, request: EmployeesCommitRequest): Promise<SyncResult> {
  const [row] = await transaction.query<{ received: number }>(
    `select count(distinct record_id) as received
     from ${toStagingTable(request)}
     where reading = $1
       and chunk is null`,
    [request.attempt],
  );
  const received = row?.received ?? 0;
  return closeRun(transaction, request, {
    outcome: request.preview ? 'preview' : 'succeeded',
    failureType: null,
    source: request.source,
    requests: request.requests,
    ...ZERO_COUNTS,
    received,
    held: received,
    message: formatAllLeftOut(received),
    detail: { leftOut: received },
  });
}

async function decideAndCommit(
  transaction: Transaction,
  request: EmployeesCommitRequest,
  context: EmployeesCommitContext & { readonly isBaseline: boolean },
): Promise<SyncResult> {
  const { received } = await selectPairs(transaction, request);
  const readById = await listReadById(transaction, request, request.attempt);
  const leftOut = await countLeftOut(transaction);
  await decideAll(transaction, request, context);
  const braking = context.isBaseline ? NOT_BRAKED : await brake(transaction, request, context.policy);
  return request.preview
    ? closePreview(transaction, request, { received, leftOut, readById, braking })
    : commit(transaction, request, { ...context, received, leftOut, readById, braking });
}

interface CommitContext extends EmployeesCommitContext, ReadSummary {
  readonly isBaseline: boolean;
}

async function commit(
  transaction: Transaction,
  request: EmployeesCommitRequest,
  context: CommitContext,
): Promise<SyncResult> {
  const { received, leftOut, readById, isBaseline, policy } = context;
  // The read of one person says nothing about what the credential may read.
  const profile =
    request.onlyEmployeeId === null
      ? await recordAttributes(transaction, request.connectionId, policy.attributesToStore)
      : null;
  const merged = await mergeEmployees(transaction, request);
  await deleteDroppedAttributes(transaction, request, policy.attributesToStore);
  const counts = { ...merged, held: merged.held + leftOut.seen };
  const events = await storeEvents(transaction, request, policy);
  await storeHolds(transaction, request, 'asked');
  const carried = await selectCarried(transaction, request.connectionId);
  await recordState(transaction, request, isBaseline);
  if (leftOut.people > 0) await carryQuestions(transaction, request);
  const replaces = await storeHeldPeople(transaction, request);
  const changed = await countChangedPeople(transaction);
  const anomalies = await summarizeAnomalies(transaction, request, policy.offices);
  const braking = addCarried(context.braking, carried);
  const unreadable = await summarizeUnreadable(transaction, request);
  const result = await closeRun(transaction, request, {
    outcome: braking.asked > 0 ? 'braked' : 'succeeded',
    failureType: null,
    source: request.source,
    requests: request.requests,
    received,
    ...counts,
    unchanged: received - counts.inserted - counts.updated - counts.held,
    message: formatCommit({ ...context, ...unreadable, counts, events, braking, profile, carried }),
    detail: {
      changed,
      limits: braking.limits,
      why: braking.why,
      asked: braking.asked,
      rejected: braking.rejected,
      replaces,
      oddities: anomalies,
      baseline: isBaseline,
      events,
      leftOut: leftOut.people,
      ...(readById.length === 0 ? {} : { readById }),
      ...(profile === null ? {} : { profile }),
      ...(unreadable.unreadableCount === 0 ? {} : unreadable),
    },
  });
  await assignSequences(transaction);
  return result;
}

/** Adds the questions that this run has taken over from the one that asked them. */
function addCarried(braking: BrakeOutcome, { asked }: CarriedQuestions): BrakeOutcome {
  if (asked === 0) return braking;
  return { ...braking, asked: braking.asked + asked, why: [...braking.why, describeCarried(asked)] };
}

async function closePreview(
  transaction: Transaction,
  request: EmployeesCommitRequest,
  summary: ReadSummary,
): Promise<SyncResult> {
  const { received, leftOut, readById, braking } = summary;
  await storeHolds(transaction, request, null);
  const unreadable = await summarizeUnreadable(transaction, request);
  return closeRun(transaction, request, {
    outcome: 'preview',
    failureType: null,
    source: request.source,
    requests: request.requests,
    ...ZERO_COUNTS,
    received,
    unchanged: received - leftOut.seen,
    held: leftOut.seen,
    message: formatPreview(summary, unreadable.unreadableCount),
    detail: {
      limits: braking.limits,
      why: braking.why,
      asked: braking.asked,
      leftOut: leftOut.people,
      ...(readById.length === 0 ? {} : { readById }),
      ...(unreadable.unreadableCount === 0 ? {} : unreadable),
    },
  });
}

async function recordState(
  transaction: Transaction,
  request: EmployeesCommitRequest,
  isBaseline: boolean,
): Promise<void> {
  const { connectionId, runId, collectedAt, onlyEmployeeId } = request;
  await transaction.run(
    `insert into personio.connection_state as stored (connection_id, employees_collected_at, employees_committed_at)
     values ($1, $2, case when $3 then clock_timestamp() end)
     on conflict (connection_id) do update
     set employees_collected_at = greatest(excluded.employees_collected_at, stored.employees_collected_at),
       employees_committed_at = coalesce(excluded.employees_committed_at, stored.employees_committed_at)`,
    [connectionId, collectedAt, onlyEmployeeId === null],
  );
  await recordConfirmed(transaction, request);
  if (!isBaseline) return;
  await transaction.run(
    `update personio.connection_state
     set baseline_run_id = $2,
       baseline_at = clock_timestamp()
     where connection_id = $1`,
    [connectionId, runId],
  );
}
