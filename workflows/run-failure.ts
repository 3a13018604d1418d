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
import type { RunRef } from '../src/contracts/internal/activities.js';
import type { RunOutcome } from '../src/contracts/internal/sync.js';
import { store } from './proxies.js';
import type { ReadTally } from './read-snapshot.js';
import type { RunProgress } from './run-progress.js';

interface RunEnding {
  readonly outcome: RunOutcome;
  readonly failureType: FailureType | null;
  readonly message: string;
}

/**
 * Runs the steps of a sync. Whatever ends them early is written into the run's row before the workflow ends in the same way,
 * so that `status` and the Temporal UI tell one story.
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
    // How the SDK goes on in a new execution; the run is not over.
    if (error instanceof ContinueAsNew) throw error;
    const ending = toEnding(error);
    await CancellationScope.nonCancellable(async () =>
      store.closeRun.executeWithOptions({ summary: `Note that the run ended as ${ending.outcome}` }, [
        { ...run, ...ending, ...ZERO_COUNTS, source: tally.source, requests: tally.requests, detail: toDetail(error) },
      ]),
    );
    progress.end(ending.outcome, ending.message);
    if (isCancellation(error)) throw error;
    throw ApplicationFailure.nonRetryable(ending.message, ending.failureType ?? 'Unexpected');
  }
}

const ZERO_COUNTS = { received: 0, inserted: 0, updated: 0, unchanged: 0, missing: 0 } as const;

function toEnding(error: unknown): RunEnding {
  if (isCancellation(error)) {
    return { outcome: 'cancelled', failureType: null, message: 'The run was cancelled; nothing more was changed.' };
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

/** Facts that a failure carries for the run's row, such as the windows that would have lost more than half. */
function toDetail(error: unknown): Readonly<Record<string, unknown>> {
  const cause = findRootCause(error);
  const details: unknown = cause instanceof ApplicationFailure ? cause.details?.[0] : undefined;
  return typeof details === 'object' && details !== null ? { ...details } : {};
}
