import { proxyActivities, proxyLocalActivities } from '@temporalio/workflow';
import type { CollectActivities, LifecycleActivities, StoreActivities } from '../src/contracts/internal/activities.js';
import { TASK_QUEUE } from '../src/contracts/internal/names.js';

/**
 * How often and how long is decided in one place for the waits (here) and in one for the kinds of failure (activities/failures.ts,
 * which ends the retrying of what a retry cannot mend). The heartbeat is what notices a worker that was killed.
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
 * The same within the workflow task: where all is well, half of the server's work and of the history. It is tried once; whatever fails, or
 * takes longer than a send may, is done by the activity above, where people see it wait and fail.
 */
export const localLifecycle = proxyLocalActivities<LifecycleActivities>({
  startToCloseTimeout: '12 seconds',
  retry: { maximumAttempts: 1 },
});
