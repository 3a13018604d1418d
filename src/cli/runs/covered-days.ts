import type { WorkflowHandle } from '@temporalio/client';
import { defineSearchAttributeKey } from '@temporalio/common';
import type { Endpoint } from '../../contracts/internal/names.js';
import { resolveAttendanceWindow } from '../../domain/attendance-window.js';
import type { Policy } from '../../domain/policy.js';

const NOMINAL_TIME = defineSearchAttributeKey('TemporalScheduledStartTime', 'DATETIME');

/**
 * Returns whether a run of the schedule reads all that a sync reads that starts now. A run of attendances may be the
 * backfill of one day, or have begun before midnight; other endpoints are always read completely.
 */
export async function coversSyncNow(
  handle: WorkflowHandle,
  { endpoint, policy }: { readonly endpoint: Endpoint; readonly policy: Policy },
): Promise<boolean> {
  if (endpoint !== 'attendances') return true;
  const { startTime, typedSearchAttributes } = await handle.describe();
  const rules = {
    window: null,
    lookbackDays: policy.reading.attendanceLookbackDays,
    catchUpWithinSeconds: policy.schedule.catchUpWithinSeconds,
    jitterSeconds: policy.schedule.jitterSeconds,
  };
  const read = resolveAttendanceWindow({
    ...rules,
    nominalTime: typedSearchAttributes.get(NOMINAL_TIME)?.toISOString() ?? null,
    startedAt: startTime.toISOString(),
  });
  const asked = resolveAttendanceWindow({ ...rules, nominalTime: null, startedAt: new Date().toISOString() });
  return read.from <= asked.from && read.to >= asked.to;
}
