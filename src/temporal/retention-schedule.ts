import { ScheduleOverlapPolicy } from '@temporalio/client';
import type { ScheduleOptions } from '@temporalio/client';
import { RETENTION_SCHEDULE_ID, TASK_QUEUE, WORKFLOW_TYPE } from '../contracts/internal/names.js';
import type { SchedulePolicy } from '../domain/policy.js';

/** After the syncs, so that what they have just read is judged the same day. */
const CRON = '0 5 * * *';

/** The one schedule that belongs to no connection: it forgets what is past its time. */
export function buildRetentionSchedule(policy: SchedulePolicy): ScheduleOptions {
  return {
    scheduleId: RETENTION_SCHEDULE_ID,
    spec: { cronExpressions: [CRON], timezone: policy.timeZone, jitter: policy.jitterSeconds * 1_000 },
    policies: { overlap: ScheduleOverlapPolicy.SKIP, catchupWindow: policy.catchUpWithinSeconds * 1_000 },
    action: {
      type: 'startWorkflow',
      workflowType: WORKFLOW_TYPE.applyRetention,
      taskQueue: TASK_QUEUE.sync,
      workflowId: RETENTION_SCHEDULE_ID,
      args: [],
      staticSummary: 'Forgets what is past its time',
    },
  };
}
