import {
  ScheduleNotFoundError,
  ScheduleOverlapPolicy,
  WorkflowExecutionAlreadyStartedError,
  WorkflowIdConflictPolicy,
} from '@temporalio/client';
import type { Client, ScheduleDescription, ScheduleHandle, WorkflowHandle } from '@temporalio/client';
import type { WorkflowStartOptions } from '@temporalio/client';
import { TASK_QUEUE, WORKFLOW_TYPE, toScheduleId, workflowId } from '../../contracts/internal/names.js';
import type { Endpoint } from '../../contracts/internal/names.js';
import type { SyncInput } from '../../contracts/internal/sync.js';
import type { Policy } from '../../domain/policy.js';
import { ForeignScheduleError, getOwner } from '../../temporal/schedule-owner.js';
import type { Installation } from '../../temporal/schedule-owner.js';
import { CommandError } from '../exit.js';
import { coversSyncNow } from './covered-days.js';
import { waitForRun } from './wait-for-run.js';
import type { OnProgress, RunReport } from './wait-for-run.js';

const START_TIMEOUT_MS = 30_000;
const POLL_MS = 100;

interface StartedRun {
  readonly handle: WorkflowHandle;
  readonly joined: boolean;
}

/** Sync that a person asks for. */
export interface SyncRequest {
  readonly connectionId: string;
  readonly endpoint: Endpoint;
  readonly policy: Policy;
  /** The one whose schedule may start it. */
  readonly installation: Installation;
}

/**
 * Starts a sync through its schedule and waits for its end. Joins a run that is under way if it reads all that this
 * one would; a run of other days does not hold it up.
 */
export async function runThroughSchedule(request: SyncRequest, onProgress: OnProgress): Promise<RunReport> {
  const { connectionId, endpoint } = request;
  const { handle, joined } = await triggerOrJoin(request);
  return waitForRun(handle, { connectionId, endpoint, joined }, onProgress);
}

async function triggerOrJoin(request: SyncRequest): Promise<StartedRun> {
  const { client } = request.installation;
  const scheduleId = toScheduleId(request.connectionId, request.endpoint);
  const schedule = client.schedule.getHandle(scheduleId);
  const covers = async (handle: WorkflowHandle): Promise<boolean> => coversSyncNow(handle, request);
  try {
    const description = await schedule.describe();
    if (getOwner(request.installation, description) === 'other') throw new ForeignScheduleError([scheduleId]);
    const { info } = description;
    for (const { workflow } of info.runningActions) {
      const running = getRunHandle(client, workflow);
      if (await covers(running)) return { handle: running, joined: true };
    }
    const seen = new Set(listStarted(info).map(({ firstExecutionRunId }) => firstExecutionRunId));
    // A run of other days would let SKIP drop this one, and a backfill of many days has the next at once.
    const isBusy = info.runningActions.length > 0;
    await schedule.trigger(isBusy ? ScheduleOverlapPolicy.ALLOW_ALL : ScheduleOverlapPolicy.SKIP);
    const handle = await findTriggeredRun(client, schedule, { seen, covers });
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

/** Lists the latest runs of the schedule. */
function listStarted(info: ScheduleDescription['info']): readonly StartedWorkflow[] {
  return info.recentActions.map(({ action }) => action.workflow);
}

interface StartedWorkflow {
  readonly workflowId: string;
  readonly firstExecutionRunId: string;
}

interface TriggeredRun {
  /** Runs that were there before the trigger. */
  readonly seen: ReadonlySet<string>;
  readonly covers: (handle: WorkflowHandle) => Promise<boolean>;
}

/** Waits for a run of the schedule that was not there before and reads what was asked for. Null: none in time. */
async function findTriggeredRun(
  client: Client,
  schedule: ScheduleHandle,
  { seen, covers }: TriggeredRun,
): Promise<WorkflowHandle | null> {
  const until = Date.now() + START_TIMEOUT_MS;
  while (Date.now() < until) {
    const { info } = await schedule.describe();
    for (const workflow of listStarted(info)) {
      const handle = getRunHandle(client, workflow);
      // A backfill of the same schedule may start its next day meanwhile.
      if (!seen.has(workflow.firstExecutionRunId) && (await covers(handle))) return handle;
    }
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
  return null;
}

function getRunHandle(client: Client, workflow: StartedWorkflow): WorkflowHandle {
  return client.workflow.getHandle(workflow.workflowId, workflow.firstExecutionRunId);
}

/** Starts a sync by its workflow id, or joins the one that runs under this id: the id says what is read. */
export async function startOrJoin(client: Client, type: string, options: WorkflowStartOptions): Promise<StartedRun> {
  try {
    const conflict = { workflowIdConflictPolicy: WorkflowIdConflictPolicy.FAIL };
    return { handle: await client.workflow.start(type, { ...options, ...conflict }), joined: false };
  } catch (error) {
    if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
    return { handle: client.workflow.getHandle(options.workflowId), joined: true };
  }
}

/** Reads all employees and stores what a sync would do; changes nothing that readers of the data see. */
export async function runPreview(client: Client, connectionId: string, onProgress: OnProgress): Promise<RunReport> {
  const input: SyncInput = { connection: connectionId, preview: true };
  const { handle, joined } = await startOrJoin(client, WORKFLOW_TYPE.employees, {
    taskQueue: TASK_QUEUE.sync,
    args: [input],
    workflowId: workflowId.preview(connectionId),
    staticSummary: `Shows what a sync of the employees of ${connectionId} would do`,
  });
  return waitForRun(handle, { connectionId, endpoint: 'employees', joined }, onProgress);
}
