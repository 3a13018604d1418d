import {
  ScheduleNotFoundError,
  ScheduleOverlapPolicy,
  WorkflowFailedError,
  WorkflowIdConflictPolicy,
} from '@temporalio/client';
import type { Client, WorkflowHandle } from '@temporalio/client';
import { ApplicationFailure, CancelledFailure } from '@temporalio/common';
import { FAILURE_TYPES } from '../contracts/internal/errors.js';
import { QUERY, TASK_QUEUE, WORKFLOW_TYPE, toScheduleId, workflowId } from '../contracts/internal/names.js';
import type { Endpoint } from '../contracts/internal/names.js';
import type { SyncInput, SyncProgress, SyncResult } from '../contracts/internal/sync.js';
import type { TemporalClients } from '../temporal/connection.js';
import { CommandError, EXIT } from './exit.js';
import type { ExitCode } from './exit.js';

/** `TASK_QUEUE_TYPE_WORKFLOW` of Temporal's API (temporal/api/enums/v1/task_queue.proto). */
const WORKFLOW_QUEUE = 1;
const WORKER_TIMEOUT_MS = 10_000;
const START_TIMEOUT_MS = 30_000;
const PROGRESS_EVERY_MS = 2_000;

/** One run as `--json` prints it. */
export interface RunReport extends SyncResult {
  readonly workflowId: string;
  /** A run was already under way, and this command waited for that one. */
  readonly joined: boolean;
}

export type OnProgress = (endpoint: Endpoint, progress: SyncProgress) => void;

/** @returns whether anybody takes workflow tasks of the sync queue. */
export async function isPolled({ connection, namespace }: TemporalClients): Promise<boolean> {
  const { pollers } = await connection.workflowService.describeTaskQueue({
    namespace,
    taskQueue: { name: TASK_QUEUE.sync },
    // eslint-disable-next-line @typescript-eslint/no-unsafe-enum-assignment -- the enum is in a package that is no dependency of ours
    taskQueueType: WORKFLOW_QUEUE,
  });
  return pollers.length > 0;
}

/** @throws CommandError when nobody takes workflow tasks of the sync queue within 10 s. */
export async function requireWorker(temporal: TemporalClients): Promise<void> {
  const until = Date.now() + WORKER_TIMEOUT_MS;
  for (;;) {
    if (await isPolled(temporal)) return;
    if (Date.now() > until) {
      throw new CommandError(
        `No worker polls the task queue ${TASK_QUEUE.sync} in the namespace ${temporal.namespace}, so nothing would run. ` +
          'Start one with `personio-sync worker`, then try again.',
      );
    }
    await pause(500);
  }
}

/** Starts a sync through its schedule (or joins the one that is under way) and waits for its end. */
export async function runThroughSchedule(
  client: Client,
  connectionId: string,
  endpoint: Endpoint,
  onProgress: OnProgress,
): Promise<RunReport> {
  const { handle, joined } = await triggerOrJoin(client, connectionId, endpoint);
  return waitForRun(handle, { connectionId, endpoint, joined }, onProgress);
}

async function triggerOrJoin(
  client: Client,
  connectionId: string,
  endpoint: Endpoint,
): Promise<{ readonly handle: WorkflowHandle; readonly joined: boolean }> {
  const schedule = client.schedule.getHandle(toScheduleId(connectionId, endpoint));
  try {
    const before = await schedule.describe();
    const running = before.info.runningActions[0];
    if (running !== undefined) return { handle: getRunHandle(client, running.workflow), joined: true };
    const seen = new Set(before.info.recentActions.map((action) => action.action.workflow.firstExecutionRunId));
    await schedule.trigger(ScheduleOverlapPolicy.SKIP);
    const until = Date.now() + START_TIMEOUT_MS;
    while (Date.now() < until) {
      const { info } = await schedule.describe();
      const started = info.recentActions.find((action) => !seen.has(action.action.workflow.firstExecutionRunId));
      if (started !== undefined) return { handle: getRunHandle(client, started.action.workflow), joined: false };
      await pause(100);
    }
  } catch (error) {
    if (!(error instanceof ScheduleNotFoundError)) throw error;
    throw new CommandError(
      `There is no schedule ${toScheduleId(connectionId, endpoint)}. Create it with \`personio-sync schedules apply\`, then try again.`,
    );
  }
  throw new CommandError(
    `The schedule ${toScheduleId(connectionId, endpoint)} was triggered and started nothing in ${START_TIMEOUT_MS / 1_000} s. ` +
      'Look at it in the Temporal UI: another run may have begun and ended meanwhile.',
  );
}

function getRunHandle(
  client: Client,
  workflow: { readonly workflowId: string; readonly firstExecutionRunId: string },
): WorkflowHandle {
  return client.workflow.getHandle(workflow.workflowId, workflow.firstExecutionRunId);
}

/** Reads all employees, and leaves what a sync would do beside the run; changes nothing that readers of the data see. */
export async function runPreview(client: Client, connectionId: string, onProgress: OnProgress): Promise<RunReport> {
  const input: SyncInput = { connection: connectionId, preview: true };
  const handle = await client.workflow.start(WORKFLOW_TYPE.employees, {
    taskQueue: TASK_QUEUE.sync,
    args: [input],
    workflowId: workflowId.preview(connectionId),
    workflowIdConflictPolicy: WorkflowIdConflictPolicy.USE_EXISTING,
    staticSummary: `Shows what a sync of the employees of ${connectionId} would do`,
  });
  return waitForRun(handle, { connectionId, endpoint: 'employees', joined: false }, onProgress);
}

/** Waits for a run's end, showing its progress meanwhile. A run that failed is a report, not an error. */
export async function waitForRun(
  handle: WorkflowHandle,
  run: { readonly connectionId: string; readonly endpoint: Endpoint; readonly joined: boolean },
  onProgress: OnProgress,
): Promise<RunReport> {
  const runId = (await handle.describe()).runId;
  let isOver = false;
  const watching = watch(handle, run.endpoint, onProgress, () => isOver);
  try {
    // eslint-disable-next-line @typescript-eslint/no-unsafe-type-assertion -- what our own workflow types return
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
    for (let waitedMs = 0; waitedMs < PROGRESS_EVERY_MS && !isOver(); waitedMs += 50) await pause(50);
    if (isOver()) return;
    try {
      onProgress(endpoint, await handle.query<SyncProgress>(QUERY.progress));
    } catch {
      // Progress is a courtesy: a worker that is busy or restarting answers the next time.
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
    received: 0,
    inserted: 0,
    updated: 0,
    unchanged: 0,
    missing: 0,
    held: 0,
  };
}

/** @returns the exit code that one run asks for. */
export function toExitCode(run: Pick<RunReport, 'outcome'>): ExitCode {
  if (run.outcome === 'succeeded' || run.outcome === 'preview') return EXIT.done;
  return run.outcome === 'braked' ? EXIT.waiting : EXIT.failed;
}

async function pause(ms: number): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, ms));
}
