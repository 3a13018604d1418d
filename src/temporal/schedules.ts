import { ScheduleAlreadyRunning, ScheduleOverlapPolicy } from '@temporalio/client';
import type { Client, ScheduleOptions } from '@temporalio/client';
import {
  ENDPOINTS,
  RETENTION_SCHEDULE_ID,
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
import { ForeignScheduleError, findScheduleOwner, getOwner, toOwnerMemo } from './schedule-owner.js';
import type { Installation } from './schedule-owner.js';

const SCHEDULE_ID = new RegExp(`^personio:([^:]+):(${ENDPOINTS.join('|')})$`);

export interface ScheduleChanges {
  readonly created: readonly string[];
  readonly updated: readonly string[];
  readonly deleted: readonly string[];
  /** Schedules of other installations in the namespace, which were left alone. */
  readonly foreign: readonly string[];
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

/**
 * Creates the schedules of one connection, and the retention schedule. Returns the ids of the former.
 *
 * @throws ForeignScheduleError before anything is changed.
 */
export async function createSchedules(
  installation: Installation,
  connectionId: string,
  policy: SchedulePolicy,
): Promise<readonly string[]> {
  const wanted = buildSchedules(connectionId, policy);
  await requireOwn(installation, wanted);
  for (const options of wanted) await ensureSchedule(installation, options);
  await ensureRetentionSchedule(installation, policy);
  return wanted.map((options) => options.scheduleId);
}

/** @throws ForeignScheduleError where another installation has a schedule of this connection. */
export async function requireFreeConnection(
  installation: Installation,
  connectionId: string,
  policy: SchedulePolicy,
): Promise<void> {
  await requireOwn(installation, buildSchedules(connectionId, policy));
}

async function requireOwn(installation: Installation, wanted: readonly ScheduleOptions[]): Promise<void> {
  const foreign: string[] = [];
  for (const { scheduleId } of wanted)
    if ((await findScheduleOwner(installation, scheduleId)) === 'other') foreign.push(scheduleId);
  if (foreign.length > 0) throw new ForeignScheduleError(foreign);
}

/** Deletes the schedules of one connection. Returns the ids of those that existed. */
export async function deleteConnectionSchedules(
  installation: Installation,
  connectionId: string,
): Promise<readonly string[]> {
  // By name: the list of schedules lags behind recent changes.
  return deleteOwn(
    installation,
    ENDPOINTS.map((endpoint) => toScheduleId(connectionId, endpoint)),
  );
}

/** Deletes all schedules of the installation. Returns their ids. */
export async function deleteSchedules(installation: Installation): Promise<readonly string[]> {
  const retention = [RETENTION_SCHEDULE_ID, toOwnRetentionId(installation)];
  return deleteOwn(installation, [...(await listSchedules(installation.client)), ...retention]);
}

async function deleteOwn(installation: Installation, ids: readonly string[]): Promise<readonly string[]> {
  const deleted: string[] = [];
  for (const id of ids) {
    if ((await findScheduleOwner(installation, id)) !== 'own') continue;
    await installation.client.schedule.getHandle(id).delete();
    deleted.push(id);
  }
  return deleted;
}

/**
 * Makes the schedules of the installation match the settings: creates, updates and deletes them as needed. Safe to
 * repeat.
 *
 * @throws ForeignScheduleError before anything is changed.
 */
export async function applySchedules(installation: Installation, policy: SchedulePolicy): Promise<ScheduleChanges> {
  const wanted = installation.connectionIds.flatMap((id) => buildSchedules(id, policy));
  await requireOwn(installation, wanted);
  const created: string[] = [];
  const updated: string[] = [];
  for (const options of wanted) {
    if (await ensureSchedule(installation, options)) created.push(options.scheduleId);
    else updated.push(options.scheduleId);
  }
  await ensureRetentionSchedule(installation, policy);
  const wantedIds = new Set(wanted.map((options) => options.scheduleId));
  const others = (await listSchedules(installation.client)).filter((id) => !wantedIds.has(id));
  const deleted = await deleteOwn(installation, others);
  return { created, updated, deleted, foreign: others.filter((id) => !deleted.includes(id)) };
}

/** The retention schedule has no connection in its id, so that of another installation may be there already. */
async function ensureRetentionSchedule(installation: Installation, policy: SchedulePolicy): Promise<void> {
  const isTaken = (await findScheduleOwner(installation, RETENTION_SCHEDULE_ID)) === 'other';
  const options = buildRetentionSchedule(policy, isTaken ? toOwnRetentionId(installation) : RETENTION_SCHEDULE_ID);
  await ensureSchedule(installation, options);
}

function toOwnRetentionId({ installationId }: Installation): string {
  return `${RETENTION_SCHEDULE_ID}:${installationId}`;
}

/** Creates or updates a schedule. Returns whether it was created; an existing one keeps its state (paused, and why). */
async function ensureSchedule(installation: Installation, options: ScheduleOptions): Promise<boolean> {
  const { client, installationId } = installation;
  const action = {
    ...options.action,
    workflowId: options.action.workflowId ?? options.scheduleId,
    memo: toOwnerMemo(installationId),
  };
  try {
    await client.schedule.create({ ...options, action });
    return true;
  } catch (error) {
    if (!(error instanceof ScheduleAlreadyRunning)) throw error;
  }
  await client.schedule.getHandle(options.scheduleId).update((previous) => {
    if (getOwner(installation, previous) === 'other') throw new ForeignScheduleError([options.scheduleId]);
    return { ...options, action, state: previous.state };
  });
  return false;
}

/** Lists the ids of all schedules in the namespace that are named like ours. */
export async function listSchedules(client: Client): Promise<readonly string[]> {
  const ids: string[] = [];
  for await (const schedule of client.schedule.list()) {
    if (SCHEDULE_ID.test(schedule.scheduleId)) ids.push(schedule.scheduleId);
  }
  return ids.sort();
}
