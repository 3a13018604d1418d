import { proxyActivities, proxyLocalActivities } from '@temporalio/workflow';
import type { CollectActivities, LifecycleActivities, StoreActivities } from '../src/contracts/internal/activities.js';
import { TASK_QUEUE } from '../src/contracts/internal/names.js';

/**
 * The one policy for waits between attempts. Which failures are retried, and how often, is decided in
 * activities/failures.ts alone. The heartbeat timeout detects a worker that was killed.
 */
const RETRY = { initialInterval: '1 second', backoffCoefficient: 2, maximumInterval: '1 minute' } as const;

export const collect = proxyActivities<CollectActivities>({
  taskQueue: TASK_QUEUE.api,
  startToCloseTimeout: '15 minutes',
  heartbeatTimeout: '30 seconds',
  retry: RETRY,
});

export const store = proxyActivities<StoreActivities>({
  taskQueue: TASK_QUEUE.sync,
  startToCloseTimeout: '1 hour',
  heartbeatTimeout: '30 seconds',
  retry: RETRY,
});

export const lifecycle = proxyActivities<LifecycleActivities>({
  taskQueue: TASK_QUEUE.lifecycle,
  startToCloseTimeout: '2 minutes',
  heartbeatTimeout: '30 seconds',
  retry: RETRY,
});

/**
 * The same as a local activity, which halves the server's work and the history. It is tried once; if it fails, or takes
 * longer than a send may, the activity above takes over, which people can see waiting and failing.
 */
export const localLifecycle = proxyLocalActivities<LifecycleActivities>({
  startToCloseTimeout: '12 seconds',
  retry: { maximumAttempts: 1 },
});
