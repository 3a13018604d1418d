import {
  ApplicationFailure,
  condition,
  defineSignal,
  setHandler,
  startChild,
  workflowInfo,
} from '@temporalio/workflow';
import type { EmployeesCommitOutcome, EmployeesCommitRequest, RunRef } from '../src/contracts/internal/activities.js';
import { DEFAULT_CONNECTION, SIGNAL, TASK_QUEUE, WORKFLOW_TYPE, workflowId } from '../src/contracts/internal/names.js';
import type { RefreshInput, SyncInput, SyncResult } from '../src/contracts/internal/sync.js';
import { openRun } from './open-run.js';
import { collect, store } from './proxies.js';
import { readUntilComplete } from './read-snapshot.js';
import type { ReadTally } from './read-snapshot.js';
import { withFailureRecording } from './run-failure.js';
import { RunProgress, getRunRef } from './run-progress.js';

const decidedSignal = defineSignal<[EmployeesCommitOutcome]>(SIGNAL.transitionsDecided);

/** Reads all employees, and has a child workflow decide, brake, commit and hand over what changed. */
export async function syncEmployees(input?: SyncInput): Promise<SyncResult> {
  const run = getRunRef(input?.connection ?? DEFAULT_CONNECTION, 'employees');
  const startedAt = workflowInfo().startTime.toISOString();
  const progress = new RunProgress(run, startedAt);
  const tally: ReadTally = { source: null, requests: 0 };
  return withFailureRecording(run, progress, tally, async () => {
    const plan = await openRun({ ...run, startedAt, window: null, nominalTime: null }, tally);
    let result: SyncResult | null = null;
    await readUntilComplete({ run, plan, progress, tally }, null, null, async ({ source, reading: attempt, total }) => {
      const collectedAt = new Date().toISOString();
      progress.show('Checking that nobody is missing from the read');
      const gate = await store.verifySnapshot.executeWithOptions({ summary: 'Check that the read is complete' }, [
        { ...run, reading: attempt, total },
      ]);
      if (gate.incomplete !== null) return gate.incomplete;
      // The commit looks once more, under its lock.
      const hidden = gate.isNobodyMissing ? null : await askForMissing(run, attempt, progress, tally);
      if (hidden !== null) return hidden;
      progress.show('Deciding who joins, moves and leaves');
      const outcome = await decideInChild({
        ...run,
        source,
        reading: attempt,
        total,
        collectedAt,
        requests: tally.requests,
        preview: input?.preview === true,
        onlyEmployeeId: null,
      });
      result = outcome.result;
      return outcome.incomplete;
    });
    return finishRun(result, progress);
  });
}

/** Missing is not gone: whoever the list left out is asked for by id. @returns why the reading is incomplete; null when nobody is there. */
async function askForMissing(
  run: RunRef,
  attempt: number,
  progress: RunProgress,
  tally: ReadTally,
): Promise<string | null> {
  for (;;) {
    progress.show('Asking by id for people who are missing from the list');
    const { present, isDone, requests } = await collect.askForMissing.executeWithOptions(
      { summary: 'Ask by id for whoever is missing' },
      [{ ...run, reading: attempt }],
    );
    tally.requests += requests;
    if (present > 0) return 'people were missing from the list whom Personio still knows by their id';
    if (isDone) return null;
  }
}

/** Reads one person, on demand: through the same proposal, brake and commit. A 404 deletes nobody. */
export async function refreshEmployee(input: RefreshInput): Promise<SyncResult> {
  const run = getRunRef(input.connection ?? DEFAULT_CONNECTION, 'employees');
  const startedAt = workflowInfo().startTime.toISOString();
  const progress = new RunProgress(run, startedAt);
  const tally: ReadTally = { source: 'v1', requests: 0 };
  return withFailureRecording(run, progress, tally, async () => {
    await store.openRun.executeWithOptions({ summary: 'Open the run for one person' }, [
      { ...run, startedAt, window: null, nominalTime: null },
    ]);
    const { employeeId } = input;
    const { found, requests } = await collect.collectEmployee.executeWithOptions(
      { summary: `Read employee ${employeeId}` },
      [{ ...run, employeeId }],
    );
    tally.requests += requests;
    if (!found) return closeAsNotFound(run, employeeId, tally, progress);
    const collectedAt = new Date().toISOString();
    const outcome = await decideInChild({
      ...run,
      source: 'v1' as const,
      reading: 1,
      total: 1,
      collectedAt,
      requests: tally.requests,
      preview: false,
      onlyEmployeeId: employeeId,
    });
    if (outcome.incomplete !== null) throw ApplicationFailure.nonRetryable(outcome.incomplete, 'SnapshotIncomplete');
    return finishRun(outcome.result, progress);
  });
}

/**
 * The child is abandoned on purpose: it outlives this run where people are held, so that the schedule is not blocked.
 * It answers by signal once it has committed; its failure ends this run.
 */
async function decideInChild(request: EmployeesCommitRequest): Promise<EmployeesCommitOutcome> {
  let decided: EmployeesCommitOutcome | undefined;
  setHandler(decidedSignal, (outcome) => {
    decided = outcome;
  });
  const child = await startChild(WORKFLOW_TYPE.detectLifecycleTransitions, {
    args: [request],
    workflowId: workflowId.lifecycle(request.connectionId, request.runId),
    taskQueue: TASK_QUEUE.sync,
    parentClosePolicy: 'ABANDON',
    staticSummary: `Decides what changed for ${request.connectionId}`,
  });
  let failure: unknown;
  const failed = child.result().catch((error: unknown) => {
    failure = error;
  });
  await Promise.race([condition(() => decided !== undefined), failed]);
  if (decided === undefined) {
    throw failure instanceof Error
      ? failure
      : ApplicationFailure.nonRetryable('The deciding workflow ended without an answer.');
  }
  // A second child of this run may start only when the first has closed: they share an id.
  if (decided.incomplete !== null) await failed;
  return decided;
}

async function closeAsNotFound(
  run: RunRef,
  employeeId: string,
  tally: ReadTally,
  progress: RunProgress,
): Promise<SyncResult> {
  const result = await store.closeRun.executeWithOptions({ summary: 'Note that nobody was found' }, [
    {
      ...run,
      outcome: 'succeeded',
      failureType: null,
      source: tally.source,
      requests: tally.requests,
      detail: {},
      received: 0,
      inserted: 0,
      updated: 0,
      unchanged: 0,
      missing: 0,
      message: `Personio answered 404 for employee ${employeeId}. That alone deletes nobody: the next complete read decides.`,
    },
  ]);
  progress.end(result.outcome, result.message);
  return result;
}

function finishRun(result: SyncResult | null, progress: RunProgress): SyncResult {
  if (result === null)
    throw ApplicationFailure.nonRetryable('The deciding workflow committed nothing and gave no reason.');
  progress.end(result.outcome, result.message);
  return result;
}
