import { ScheduleNotFoundError, ScheduleOverlapPolicy, WorkflowIdConflictPolicy } from '@temporalio/client';
import type { Client, ScheduleHandle, WorkflowHandle } from '@temporalio/client';
import { TASK_QUEUE, WORKFLOW_TYPE, toScheduleId, workflowId } from '../../contracts/internal/names.js';
import type { Endpoint } from '../../contracts/internal/names.js';
import type { SyncInput } from '../../contracts/internal/sync.js';
import { CommandError } from '../exit.js';
import { waitForRun } from './wait-for-run.js';
import type { OnProgress, RunReport } from './wait-for-run.js';

const START_TIMEOUT_MS = 30_000;
const POLL_MS = 100;

interface StartedRun {
  readonly handle: WorkflowHandle;
  readonly joined: boolean;
}

/** Starts a sync through its schedule, or joins the one that is running, and waits for its end. */
export async function runThroughSchedule(
  client: Client,
  connectionId: string,
  endpoint: Endpoint,
  onProgress: OnProgress,
): Promise<RunReport> {
  const scheduleId = toScheduleId(connectionId, endpoint);
  const { handle, joined } = await triggerOrJoin(client, scheduleId);
  return waitForRun(handle, { connectionId, endpoint, joined }, onProgress);
}

async function triggerOrJoin(client: Client, scheduleId: string): Promise<StartedRun> {
  const schedule = client.schedule.getHandle(scheduleId);
  try {
    const { info } = await schedule.describe();
    const [running] = info.runningActions;
    if (running !== undefined) return { handle: getRunHandle(client, running.workflow), joined: true };
    const seen = new Set(info.recentActions.map((action) => action.action.workflow.firstExecutionRunId));
    await schedule.trigger(ScheduleOverlapPolicy.SKIP);
    const handle = await findTriggeredRun(client, schedule, seen);
    if (handle !== null) return { handle, joined: false };
  } catch (error) {
    if (!(error instanceof ScheduleNotFoundError)) throw error;
    throw new CommandError(
      `There is no schedule ${scheduleId}. Create it with \`personio-sync schedules apply\`, then try again.`,
    );
  }
  throw new CommandError(
    `The schedule ${scheduleId} was triggered but started no run within ${START_TIMEOUT_MS / 1_000} s. ` +
      'Check it in the Temporal UI: another run may have started and ended in the meantime.',
  );
}

/** Waits for a run of the schedule that was not there before. Returns null when none comes in time. */
async function findTriggeredRun(
  client: Client,
  schedule: ScheduleHandle,
  seen: ReadonlySet<string>,
): Promise<WorkflowHandle | null> {
  const until = Date.now() + START_TIMEOUT_MS;
  while (Date.now() < until) {
    const { info } = await schedule.describe();
    const started = info.recentActions.find((action) => !seen.has(action.action.workflow.firstExecutionRunId));
    if (started !== undefined) return getRunHandle(client, started.action.workflow);
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
  return null;
}

function getRunHandle(
  client: Client,
  workflow: { readonly workflowId: string; readonly firstExecutionRunId: string },
): WorkflowHandle {
  return client.workflow.getHandle(workflow.workflowId, workflow.firstExecutionRunId);
}

/** Reads all employees and stores what a sync would do; changes nothing that readers of the data see. */
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
