import type { EmployeesCommitOutcome, EmployeesCommitRequest } from '../../contracts/internal/activities.js';
import type { SyncResult } from '../../contracts/internal/sync.js';
import type { Policy } from '../../domain/policy.js';
import { describeUnreadable } from '../../domain/unreadable.js';
import { findIncompleteReason } from '../completeness.js';
import type { Database, Transaction } from '../database.js';
import { storeEvents } from '../events/insert.js';
import { lockEndpoint } from '../locks.js';
import { closeRun, findClosedRun } from '../runs.js';
import { listUnaskedMissing } from '../staging.js';
import { summarizeUnreadable } from '../unreadable.js';
import { summarizeAnomalies } from './anomalies.js';
import { recordAttributes } from './attribute-profile.js';
import type { ProfileSummary } from './attribute-profile.js';
import { NOT_BRAKED, brake, countChangedPeople } from './brake.js';
import type { BrakeOutcome } from './brake.js';
import { decideAll } from './decide.js';
import { listHoldReasons, listReplacedRuns, storeHeldPeople, storeHolds } from './holds.js';
import { mergeEmployees } from './merge.js';
import type { MergeCounts } from './merge.js';
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
    const state = await readConnectionState(transaction, request.connectionId);
    const incomplete =
      (await findIncompleteReason(transaction, request)) ??
      findStaleReason(request, state) ??
      (await findUnaskedReason(transaction, request));
    if (incomplete !== null) return { incomplete, result: null, question: null, replaced: [] };
    const isBaseline = state.baselineRunId === null;
    const { received } = await selectPairs(transaction, request);
    await decideAll(transaction, request, { ...context, isBaseline });
    const braking = isBaseline ? NOT_BRAKED : await brake(transaction, request, context.policy);
    const result = request.preview
      ? await closePreview(transaction, request, received, braking)
      : await commit(transaction, request, { ...context, received, braking, isBaseline });
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

interface ConnectionState {
  readonly baselineRunId: string | null;
  readonly collectedAt: string | null;
}

async function readConnectionState(transaction: Transaction, connectionId: string): Promise<ConnectionState> {
  const [row] = await transaction.query<{ baseline_run_id: string | null; employees_collected_at: string | null }>(
    'select baseline_run_id, employees_collected_at from personio.connection_state where connection_id = $1',
    [connectionId],
  );
  return { baselineRunId: row?.baseline_run_id ?? null, collectedAt: row?.employees_collected_at ?? null };
}

function findStaleReason(
  { collectedAt, onlyEmployeeId }: EmployeesCommitRequest,
  state: ConnectionState,
): string | null {
  if (onlyEmployeeId !== null && state.baselineRunId === null) {
    return 'no complete read of this connection has been committed yet: run `personio-sync sync employees` first';
  }
  if (state.collectedAt !== null && Date.parse(collectedAt) < Date.parse(state.collectedAt))
    return 'a newer read was committed meanwhile';
  return null;
}

/** Checks that everybody who is missing was asked for by id, and that Personio answered 404, in this run. */
async function findUnaskedReason(transaction: Transaction, request: EmployeesCommitRequest): Promise<string | null> {
  if (request.onlyEmployeeId !== null) return null;
  const unasked = await listUnaskedMissing(transaction, request, request.attempt, 1);
  return unasked.length === 0 ? null : 'missing people were not asked for by id';
}

interface CommitContext extends EmployeesCommitContext {
  readonly received: number;
  readonly braking: BrakeOutcome;
  readonly isBaseline: boolean;
}

async function commit(
  transaction: Transaction,
  request: EmployeesCommitRequest,
  context: CommitContext,
): Promise<SyncResult> {
  const { received, braking, isBaseline, policy } = context;
  // The read of one person says nothing about what the credential may read.
  const profile =
    request.onlyEmployeeId === null
      ? await recordAttributes(transaction, request.connectionId, policy.attributesToStore)
      : null;
  const counts = await mergeEmployees(transaction, request);
  const events = await storeEvents(transaction, request, policy);
  await storeHolds(transaction, request, 'asked');
  const replaces = await storeHeldPeople(transaction, request);
  await recordState(transaction, request, isBaseline);
  const changed = await countChangedPeople(transaction);
  const anomalies = await summarizeAnomalies(transaction, request, policy.offices);
  const unreadable = await summarizeUnreadable(transaction, request);
  return closeRun(transaction, request, {
    outcome: braking.asked > 0 ? 'braked' : 'succeeded',
    failureType: null,
    source: request.source,
    requests: request.requests,
    received,
    ...counts,
    unchanged: received - counts.inserted - counts.updated - counts.held,
    message: formatMessage({ received, counts, events, braking, isBaseline, profile, ...unreadable }),
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
      ...(profile === null ? {} : { profile }),
      ...(unreadable.unreadableCount === 0 ? {} : unreadable),
    },
  });
}

async function closePreview(
  transaction: Transaction,
  request: EmployeesCommitRequest,
  received: number,
  braking: BrakeOutcome,
): Promise<SyncResult> {
  await storeHolds(transaction, request, null);
  const wouldHold = braking.why.length === 0 ? '' : ` ${braking.why.join('. ')}.`;
  return closeRun(transaction, request, {
    outcome: 'preview',
    failureType: null,
    source: request.source,
    requests: request.requests,
    received,
    inserted: 0,
    updated: 0,
    unchanged: received,
    missing: 0,
    held: 0,
    message: `${received} employees received. Nothing was changed: this was a preview.${wouldHold}`,
    detail: { limits: braking.limits, why: braking.why, asked: braking.asked },
  });
}

async function recordState(
  transaction: Transaction,
  { connectionId, runId, collectedAt, onlyEmployeeId }: EmployeesCommitRequest,
  isBaseline: boolean,
): Promise<void> {
  await transaction.run(
    `insert into personio.connection_state as stored (connection_id, employees_collected_at, employees_committed_at)
     values ($1, $2, case when $3 then clock_timestamp() end)
     on conflict (connection_id) do update
     set employees_collected_at = excluded.employees_collected_at,
       employees_committed_at = coalesce(excluded.employees_committed_at, stored.employees_committed_at)`,
    [connectionId, collectedAt, onlyEmployeeId === null],
  );
  if (!isBaseline) return;
  await transaction.run(
    `update personio.connection_state
     set baseline_run_id = $2,
       baseline_at = clock_timestamp()
     where connection_id = $1`,
    [connectionId, runId],
  );
}

interface CommitSummary {
  readonly received: number;
  readonly counts: MergeCounts;
  readonly events: number;
  readonly braking: BrakeOutcome;
  readonly isBaseline: boolean;
  readonly profile: ProfileSummary | null;
  readonly unreadableCount: number;
}

function formatMessage(summary: CommitSummary): string {
  const { received, counts, events, braking, isBaseline, profile, unreadableCount } = summary;
  const { inserted, updated, missing, held } = counts;
  const unchanged = received - inserted - updated - held;
  const figures =
    `${received} employees received: ${inserted} new, ${updated} changed, ${unchanged} unchanged, ` +
    `${missing} missing, ${held} held.`;
  const unreadable = describeUnreadable(unreadableCount);
  const alarms = [
    ...(unreadable === null ? [] : [unreadable]),
    ...(profile?.alarms.map(({ sentence }) => sentence) ?? []),
  ];
  if (isBaseline) {
    const dates = `${events} upcoming start and end ${events === 1 ? 'date' : 'dates'}`;
    const baseline = `This first read is the baseline: it emits no events and schedules ${dates}.`;
    return [figures, baseline, ...alarms].join(' ');
  }
  const eventSentence = `${events} lifecycle ${events === 1 ? 'event' : 'events'}.`;
  return [figures, eventSentence, ...braking.why.map((sentence) => `${sentence}.`), ...alarms].join(' ');
}
