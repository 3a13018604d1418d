import { ScheduleAlreadyRunning, ScheduleNotFoundError, ScheduleOverlapPolicy } from '@temporalio/client';
import type { Client, ScheduleOptions } from '@temporalio/client';
import { defineSearchAttributeKey } from '@temporalio/common';
import {
  ENDPOINTS,
  SEARCH_ATTRIBUTE,
  TASK_QUEUE,
  WORKFLOW_TYPE,
  toScheduleId,
  workflowId,
} from '../contracts/internal/names.js';
import type { Endpoint } from '../contracts/internal/names.js';
import type { SyncInput } from '../contracts/internal/sync.js';
import type { SchedulePolicy } from '../domain/policy.js';
import { buildRetentionSchedule } from './retention-schedule.js';

const SCHEDULE_ID = new RegExp(`^personio:([^:]+):(${ENDPOINTS.join('|')})$`);

export interface ScheduleChanges {
  readonly created: readonly string[];
  readonly updated: readonly string[];
  readonly deleted: readonly string[];
}

/**
 * The schedule of one endpoint of one connection. A run that is still under way is never doubled (overlap SKIP); one that was
 * missed while the server was down is made up for within `catchUpWithin`.
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
    spec: { cronExpressions: [cron], timezone: policy.timeZone, jitter: policy.jitterSeconds * 1_000 },
    policies: { overlap: ScheduleOverlapPolicy.SKIP, catchupWindow: policy.catchUpWithinSeconds * 1_000 },
    action: {
      type: 'startWorkflow',
      workflowType: WORKFLOW_TYPE[endpoint],
      taskQueue: TASK_QUEUE.sync,
      workflowId: workflowId.sync(connectionId, endpoint),
      args: [input],
      staticSummary: `Reads the ${endpoint} of ${connectionId} from Personio into PostgreSQL`,
      typedSearchAttributes: [
        { key: defineSearchAttributeKey(SEARCH_ATTRIBUTE.connection, 'KEYWORD'), value: connectionId },
        { key: defineSearchAttributeKey(SEARCH_ATTRIBUTE.endpoint, 'KEYWORD'), value: endpoint },
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

/** Creates the schedules of one connection, and touches no other; the one that forgets comes with the first. @returns their ids. */
export async function createSchedules(
  client: Client,
  connectionId: string,
  policy: SchedulePolicy,
): Promise<readonly string[]> {
  const wanted = buildSchedules(connectionId, policy);
  for (const options of [...wanted, buildRetentionSchedule(policy)]) await ensureSchedule(client, options);
  return wanted.map((options) => options.scheduleId);
}

/** Deletes the schedules of one connection, and touches no other. @returns the ids of those that there were. */
export async function deleteConnectionSchedules(client: Client, connectionId: string): Promise<readonly string[]> {
  const deleted: string[] = [];
  // Each by its name: the list of schedules lags behind what was created a moment ago.
  for (const endpoint of ENDPOINTS) {
    const id = toScheduleId(connectionId, endpoint);
    if (await deleteSchedule(client, id)) deleted.push(id);
  }
  return deleted;
}

/** @returns whether there was one. */
export async function deleteSchedule(client: Client, id: string): Promise<boolean> {
  try {
    await client.schedule.getHandle(id).delete();
    return true;
  } catch (error) {
    if (error instanceof ScheduleNotFoundError) return false;
    throw error;
  }
}

/** Makes the schedules match the settings: creates, updates, and deletes those that the settings dropped. Safe to repeat. */
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

/** @returns whether it was created; an existing one is brought up to date and keeps its state (paused, and why). */
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

/** Deletes those of our schedules that `matches` says yes to. @returns their ids. */
export async function deleteSchedules(client: Client, matches: (id: string) => boolean): Promise<readonly string[]> {
  const obsolete = (await listSchedules(client)).filter(matches);
  for (const id of obsolete) await client.schedule.getHandle(id).delete();
  return obsolete;
}

/** @returns the ids of all schedules in the namespace that are named like ours. */
export async function listSchedules(client: Client): Promise<readonly string[]> {
  const ids: string[] = [];
  for await (const schedule of client.schedule.list()) {
    if (SCHEDULE_ID.test(schedule.scheduleId)) ids.push(schedule.scheduleId);
  }
  return ids.sort();
}
