import {
  ActivityFailure,
  ApplicationFailure,
  CancellationScope,
  ChildWorkflowFailure,
  ContinueAsNew,
  isCancellation,
} from '@temporalio/workflow';
import { FAILURE_TYPES } from '../src/contracts/internal/errors.js';
import type { FailureType } from '../src/contracts/internal/errors.js';
import type { OpenRunRequest, RunPlan, RunRef } from '../src/contracts/internal/activities.js';
import { ZERO_COUNTS } from '../src/contracts/internal/sync.js';
import type { RunOutcome } from '../src/contracts/internal/sync.js';
import { collect, store } from './proxies.js';
import type { ReadTally } from './read-snapshot.js';
import type { RunProgress } from './run-progress.js';

interface RunEnding {
  readonly outcome: RunOutcome;
  readonly failureType: FailureType | null;
  readonly message: string;
}

/** Inserts the run's row, and meanwhile ensures that a token exists. */
export async function openRun(request: OpenRunRequest, tally: ReadTally): Promise<RunPlan> {
  const { connectionId, endpoint, runId } = request;
  const run: RunRef = { connectionId, endpoint, runId };
  const token = collect.exchangeToken.executeWithOptions({ summary: 'Ensure a valid token' }, [run]);
  // Awaited below: its failure matters once there is a row to record it in.
  token.catch(() => undefined);
  const plan = await store.openRun.executeWithOptions({ summary: `Open the run of ${endpoint}` }, [request]);
  tally.requests += (await token).requests;
  return plan;
}

/**
 * Runs the steps of a sync. Whatever ends them early is recorded in the run's row before the workflow ends in the
 * same way, so that `status` and the Temporal UI agree.
 */
export async function withFailureRecording<T>(
  run: RunRef,
  progress: RunProgress,
  tally: ReadTally,
  steps: () => Promise<T>,
): Promise<T> {
  try {
    return await steps();
  } catch (error) {
    // The SDK throws it to start the next execution: the run has not ended.
    if (error instanceof ContinueAsNew) throw error;
    const ending = toEnding(error);
    await CancellationScope.nonCancellable(async () =>
      store.closeRun.executeWithOptions({ summary: `Record that the run ended as ${ending.outcome}` }, [
        { ...run, ...ending, ...ZERO_COUNTS, source: tally.source, requests: tally.requests, detail: toDetail(error) },
      ]),
    );
    progress.end(ending.outcome, ending.message);
    if (isCancellation(error)) throw error;
    throw ApplicationFailure.nonRetryable(ending.message, ending.failureType ?? 'Unexpected');
  }
}

function toEnding(error: unknown): RunEnding {
  if (isCancellation(error)) {
    return { outcome: 'cancelled', failureType: null, message: 'The run was cancelled. Nothing more was changed.' };
  }
  const cause = findRootCause(error);
  const message = cause instanceof Error ? cause.message : String(cause);
  const failureType =
    cause instanceof ApplicationFailure ? FAILURE_TYPES.find((type) => type === cause.type) : undefined;
  return {
    outcome: failureType === 'SnapshotIncomplete' ? 'incomplete' : 'failed',
    failureType: failureType ?? null,
    message,
  };
}

function findRootCause(error: unknown): unknown {
  const isWrapper = error instanceof ActivityFailure || error instanceof ChildWorkflowFailure;
  return isWrapper && error.cause !== undefined ? findRootCause(error.cause) : error;
}

/** Returns the facts that a failure carries for the run's row, such as the windows that would lose more than half. */
function toDetail(error: unknown): Readonly<Record<string, unknown>> {
  const cause = findRootCause(error);
  const details: unknown = cause instanceof ApplicationFailure ? cause.details?.[0] : undefined;
  return typeof details === 'object' && details !== null ? { ...details } : {};
}
