import { ScheduleOverlapPolicy } from '@temporalio/client';
import type { ScheduleOptions } from '@temporalio/client';
import { TASK_QUEUE, WORKFLOW_TYPE } from '../contracts/internal/names.js';
import type { SchedulePolicy } from '../domain/policy.js';

/** After the syncs, so that the rules apply to what they read the same day. */
const CRON = '0 5 * * *';

/** Builds the schedule that applies the retention rules; the only one that belongs to no connection. */
export function buildRetentionSchedule(policy: SchedulePolicy, scheduleId: string): ScheduleOptions {
  return {
    scheduleId,
    spec: { cronExpressions: [CRON], timezone: policy.timeZone, jitter: policy.jitterSeconds * 1_000 },
    policies: { overlap: ScheduleOverlapPolicy.SKIP, catchupWindow: policy.catchUpWithinSeconds * 1_000 },
    action: {
      type: 'startWorkflow',
      workflowType: WORKFLOW_TYPE.applyRetention,
      taskQueue: TASK_QUEUE.sync,
      workflowId: scheduleId,
      args: [],
      staticSummary: 'Applies the retention rules',
    },
  };
}
