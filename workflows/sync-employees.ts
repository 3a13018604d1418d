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
import { ZERO_COUNTS } from '../src/contracts/internal/sync.js';
import type { RefreshInput, SyncInput, SyncResult } from '../src/contracts/internal/sync.js';
import { collect, store } from './proxies.js';
import { readUntilComplete } from './read-snapshot.js';
import type { ReadTally } from './read-snapshot.js';
import { openRun, withFailureRecording } from './run-record.js';
import { RunProgress, getRunRef } from './run-progress.js';

const decidedSignal = defineSignal<[EmployeesCommitOutcome]>(SIGNAL.transitionsDecided);

/** Reads all employees; a child workflow decides, brakes, commits and dispatches what changed. */
export async function syncEmployees(input?: SyncInput): Promise<SyncResult> {
  const run = getRunRef(input?.connection ?? DEFAULT_CONNECTION, 'employees');
  const startedAt = workflowInfo().startTime.toISOString();
  const progress = new RunProgress(run, startedAt);
  const tally: ReadTally = { source: null, requests: 0 };
  return withFailureRecording(run, progress, tally, async () => {
    const plan = await openRun({ ...run, startedAt, window: null, nominalTime: null }, tally);
    let result: SyncResult | null = null;
    await readUntilComplete({ run, plan, progress, tally }, { chunk: null }, async ({ source, attempt, total }) => {
      const collectedAt = new Date().toISOString();
      progress.show('Verifying that the read is complete');
      const gate = await store.verifySnapshot.executeWithOptions({ summary: 'Verify that the read is complete' }, [
        { ...run, attempt, total },
      ]);
      if (gate.incomplete !== null) return gate.incomplete;
      // The commit checks once more, under its lock.
      const hidden = gate.isNobodyMissing ? null : await askForMissing(run, attempt, progress, tally);
      if (hidden !== null) return hidden;
      progress.show('Deciding who joins, moves and leaves');
      const outcome = await decideInChild({
        ...run,
        source,
        attempt,
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

/**
 * Looks up by id everybody that the list left out, since missing does not mean gone.
 *
 * @returns the reason why the read is incomplete; null if Personio knows none of them any more, or the few that it
 * knows were read by id.
 */
async function askForMissing(
  run: RunRef,
  attempt: number,
  progress: RunProgress,
  tally: ReadTally,
): Promise<string | null> {
  for (;;) {
    progress.show('Looking up by id the employees who are missing from the list');
    const { present, isDone, requests } = await collect.askForMissing.executeWithOptions(
      { summary: 'Look up missing employees by id' },
      [{ ...run, attempt }],
    );
    tally.requests += requests;
    if (present > 0) return 'the list left out employees that Personio still has by id';
    if (isDone) return null;
  }
}

/** Reads one employee on demand, through the same decision, brake and commit. A 404 deletes nobody. */
export async function refreshEmployee(input: RefreshInput): Promise<SyncResult> {
  const run = getRunRef(input.connection ?? DEFAULT_CONNECTION, 'employees');
  const startedAt = workflowInfo().startTime.toISOString();
  const progress = new RunProgress(run, startedAt);
  const tally: ReadTally = { source: 'v1', requests: 0 };
  return withFailureRecording(run, progress, tally, async () => {
    await store.openRun.executeWithOptions({ summary: 'Open the run of one employee' }, [
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
      attempt: 1,
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
 * Starts the child that decides and commits. It is abandoned on purpose: while people are on hold it outlives this
 * run, so that the schedule is not blocked. It signals its outcome once it has committed; its failure ends this run.
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
    staticSummary: `Decides and commits the changes in ${request.connectionId}`,
  });
  let failure: unknown;
  const failed = child.result().catch((error: unknown) => {
    failure = error;
  });
  await Promise.race([condition(() => decided !== undefined), failed]);
  if (decided === undefined) {
    throw failure instanceof Error
      ? failure
      : ApplicationFailure.nonRetryable(
          'The workflow detectLifecycleTransitions ended without an outcome. The next run reads again.',
        );
  }
  // The next child of this run has the same id, so it can only start once this one has closed.
  if (decided.incomplete !== null) await failed;
  return decided;
}

async function closeAsNotFound(
  run: RunRef,
  employeeId: string,
  tally: ReadTally,
  progress: RunProgress,
): Promise<SyncResult> {
  const result = await store.closeRun.executeWithOptions({ summary: 'Record that the employee was not found' }, [
    {
      ...run,
      outcome: 'succeeded',
      failureType: null,
      source: tally.source,
      requests: tally.requests,
      detail: {},
      ...ZERO_COUNTS,
      message:
        `Personio has no employee ${employeeId} (404). Nothing was changed: ` +
        'the next complete read decides whether the employee is gone.',
    },
  ]);
  progress.end(result.outcome, result.message);
  return result;
}

function finishRun(result: SyncResult | null, progress: RunProgress): SyncResult {
  if (result === null)
    throw ApplicationFailure.nonRetryable(
      'The workflow detectLifecycleTransitions committed nothing and gave no reason. The next run reads again.',
    );
  progress.end(result.outcome, result.message);
  return result;
}
