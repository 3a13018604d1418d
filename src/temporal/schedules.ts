import { ScheduleAlreadyRunning, ScheduleNotFoundError, ScheduleOverlapPolicy } from '@temporalio/client';
import type { Client, ScheduleOptions } from '@temporalio/client';
import {
  ENDPOINTS,
  SEARCH_ATTRIBUTE,
  TASK_QUEUE,
  WORKFLOW_TYPE,
  toScheduleId,
  toSearchAttributeKey,
  workflowId,
} from '../contracts/internal/names.js';
import type { Endpoint } from '../contracts/internal/names.js';
import type { SyncInput } from '../contracts/internal/sync.js';
import { findCronZone } from '../domain/cron.js';
import type { SchedulePolicy } from '../domain/policy.js';
import { buildRetentionSchedule } from './retention-schedule.js';

const SCHEDULE_ID = new RegExp(`^personio:([^:]+):(${ENDPOINTS.join('|')})$`);

export interface ScheduleChanges {
  readonly created: readonly string[];
  readonly updated: readonly string[];
  readonly deleted: readonly string[];
}

/**
 * Builds the schedule of one endpoint of one connection. It starts no second run while one is running (overlap SKIP),
 * and catches up on one that the server missed within `catchUpWithin`.
 */
function buildSchedule(
  connectionId: string,
  endpoint: Endpoint,
  cron: string,
  policy: SchedulePolicy,
): ScheduleOptions {
  const input: SyncInput = { connection: connectionId };
  return {
    scheduleId: toScheduleId(connectionId, endpoint),
    spec: {
      cronExpressions: [cron],
      // Temporal refuses two zones.
      ...(findCronZone(cron) === null ? { timezone: policy.timeZone } : {}),
      jitter: policy.jitterSeconds * 1_000,
    },
    policies: { overlap: ScheduleOverlapPolicy.SKIP, catchupWindow: policy.catchUpWithinSeconds * 1_000 },
    action: {
      type: 'startWorkflow',
      workflowType: WORKFLOW_TYPE[endpoint],
      taskQueue: TASK_QUEUE.sync,
      workflowId: workflowId.sync(connectionId, endpoint),
      args: [input],
      staticSummary: `Reads the ${endpoint} of ${connectionId} from Personio into PostgreSQL`,
      typedSearchAttributes: [
        { key: toSearchAttributeKey(SEARCH_ATTRIBUTE.connection), value: connectionId },
        { key: toSearchAttributeKey(SEARCH_ATTRIBUTE.endpoint), value: endpoint },
      ],
    },
  };
}

function buildSchedules(connectionId: string, policy: SchedulePolicy): readonly ScheduleOptions[] {
  return ENDPOINTS.flatMap((endpoint) => {
    const cron = policy.cron[endpoint];
    return cron === null ? [] : [buildSchedule(connectionId, endpoint, cron, policy)];
  });
}

/** Creates the schedules of one connection, and the retention schedule. Returns the ids of the former. */
export async function createSchedules(
  client: Client,
  connectionId: string,
  policy: SchedulePolicy,
): Promise<readonly string[]> {
  const wanted = buildSchedules(connectionId, policy);
  for (const options of [...wanted, buildRetentionSchedule(policy)]) await ensureSchedule(client, options);
  return wanted.map((options) => options.scheduleId);
}

/** Deletes the schedules of one connection. Returns the ids of those that existed. */
export async function deleteConnectionSchedules(client: Client, connectionId: string): Promise<readonly string[]> {
  const deleted: string[] = [];
  // By name: the list of schedules lags behind recent changes.
  for (const endpoint of ENDPOINTS) {
    const id = toScheduleId(connectionId, endpoint);
    if (await deleteSchedule(client, id)) deleted.push(id);
  }
  return deleted;
}

/** Deletes a schedule. Returns whether it existed. */
export async function deleteSchedule(client: Client, id: string): Promise<boolean> {
  try {
    await client.schedule.getHandle(id).delete();
    return true;
  } catch (error) {
    if (error instanceof ScheduleNotFoundError) return false;
    throw error;
  }
}

/** Makes the schedules match the settings: creates, updates and deletes them as needed. Safe to repeat. */
export async function applySchedules(
  client: Client,
  connectionIds: readonly string[],
  policy: SchedulePolicy,
): Promise<ScheduleChanges> {
  const wanted = connectionIds.flatMap((connectionId) => buildSchedules(connectionId, policy));
  const created: string[] = [];
  const updated: string[] = [];
  for (const options of wanted) {
    if (await ensureSchedule(client, options)) created.push(options.scheduleId);
    else updated.push(options.scheduleId);
  }
  await ensureSchedule(client, buildRetentionSchedule(policy));
  const wantedIds = new Set(wanted.map((options) => options.scheduleId));
  const deleted = await deleteSchedules(client, (id) => !wantedIds.has(id));
  return { created, updated, deleted };
}

/** Creates or updates a schedule. Returns whether it was created; an existing one keeps its state (paused, and why). */
async function ensureSchedule(client: Client, options: ScheduleOptions): Promise<boolean> {
  try {
    await client.schedule.create(options);
    return true;
  } catch (error) {
    if (!(error instanceof ScheduleAlreadyRunning)) throw error;
  }
  await client.schedule.getHandle(options.scheduleId).update((previous) => ({
    ...options,
    action: { ...options.action, workflowId: options.action.workflowId ?? options.scheduleId },
    state: previous.state,
  }));
  return false;
}

/** Deletes those of our schedules that `matches` accepts. Returns their ids. */
export async function deleteSchedules(client: Client, matches: (id: string) => boolean): Promise<readonly string[]> {
  const obsolete = (await listSchedules(client)).filter(matches);
  for (const id of obsolete) await client.schedule.getHandle(id).delete();
  return obsolete;
}

/** Lists the ids of all schedules in the namespace that are named like ours. */
export async function listSchedules(client: Client): Promise<readonly string[]> {
  const ids: string[] = [];
  for await (const schedule of client.schedule.list()) {
    if (SCHEDULE_ID.test(schedule.scheduleId)) ids.push(schedule.scheduleId);
  }
  return ids.sort();
}
