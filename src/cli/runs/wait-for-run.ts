import { WorkflowFailedError } from '@temporalio/client';
import type { WorkflowHandle } from '@temporalio/client';
import { ApplicationFailure, CancelledFailure } from '@temporalio/common';
import { FAILURE_TYPES } from '../../contracts/internal/errors.js';
import { QUERY } from '../../contracts/internal/names.js';
import type { Endpoint } from '../../contracts/internal/names.js';
import { ZERO_COUNTS } from '../../contracts/internal/sync.js';
import type { SyncProgress, SyncResult } from '../../contracts/internal/sync.js';

const PROGRESS_EVERY_MS = 2_000;

/** One run as `--json` prints it. */
export interface RunReport extends SyncResult {
  readonly workflowId: string;
  /** True where the run was already under way and this command waited for it. */
  readonly joined: boolean;
}

export type OnProgress = (endpoint: Endpoint, progress: SyncProgress) => void;

/** Waits for a run's end and reports its progress. A run that failed is a report, not an error. */
export async function waitForRun(
  handle: WorkflowHandle,
  run: { readonly connectionId: string; readonly endpoint: Endpoint; readonly joined: boolean },
  onProgress: OnProgress,
): Promise<RunReport> {
  const runId = (await handle.describe()).runId;
  let isOver = false;
  const watching = watch(handle, run.endpoint, onProgress, () => isOver);
  try {
    // eslint-disable-next-line @typescript-eslint/no-unsafe-type-assertion -- the result type of our own workflows
    const result = (await handle.result()) as SyncResult;
    return { ...result, workflowId: handle.workflowId, joined: run.joined };
  } catch (error) {
    if (!(error instanceof WorkflowFailedError)) throw error;
    return { ...toFailedReport(error), ...run, runId, workflowId: handle.workflowId };
  } finally {
    isOver = true;
    await watching;
  }
}

async function watch(
  handle: WorkflowHandle,
  endpoint: Endpoint,
  onProgress: OnProgress,
  isOver: () => boolean,
): Promise<void> {
  while (!isOver()) {
    for (let waitedMs = 0; waitedMs < PROGRESS_EVERY_MS && !isOver(); waitedMs += 50)
      await new Promise((resolve) => setTimeout(resolve, 50));
    if (isOver()) return;
    try {
      onProgress(endpoint, await handle.query<SyncProgress>(QUERY.progress));
    } catch {
      // Progress is optional: a worker that is busy or restarting answers the next query.
    }
  }
}

function toFailedReport(
  error: WorkflowFailedError,
): Omit<RunReport, 'runId' | 'connectionId' | 'endpoint' | 'workflowId' | 'joined'> {
  const { cause } = error;
  const failureType =
    cause instanceof ApplicationFailure ? FAILURE_TYPES.find((type) => type === cause.type) : undefined;
  const outcome =
    cause instanceof CancelledFailure ? 'cancelled' : failureType === 'SnapshotIncomplete' ? 'incomplete' : 'failed';
  return {
    outcome,
    failureType: failureType ?? null,
    source: null,
    requests: 0,
    message: cause?.message ?? error.message,
    ...ZERO_COUNTS,
  };
}
