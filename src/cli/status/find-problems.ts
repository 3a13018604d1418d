import { TASK_QUEUE, toScheduleId } from '../../contracts/internal/names.js';
import type { Endpoint } from '../../contracts/internal/names.js';
import type { OfficePolicy } from '../../domain/policy.js';
import type { OfficeMismatch } from '../../domain/zones.js';
import type { DeliveryCounts, EndpointStatus } from '../../store/status.js';
import type { findCurrentUnreadable } from '../../store/unreadable.js';
import { calculateSecretAge, describeRotation } from '../../worker/secret-age.js';

/** A condition that needs action, as `--json` prints it. */
export interface Problem {
  readonly code: string;
  readonly connectionId: string | null;
  readonly endpoint: Endpoint | null;
  readonly runId: string | null;
  readonly sentence: string;
  readonly action: string;
}

/** Schedule of one endpoint. */
export interface ScheduleStatus {
  readonly nextRunAt: string | null;
  readonly isPaused: boolean;
  readonly note: string | null;
}

/** Endpoint of a connection, with its newest run. */
export interface ProblemLocation {
  readonly connectionId: string;
  readonly endpoint: Endpoint;
  readonly runId: string | null;
}

const NOWHERE = { connectionId: null, endpoint: null, runId: null };
/** Number of records that a problem names. */
const MAX_NAMED = 5;
/** Age from which the last success is stale, whatever the schedule: 36 hours outlast one missed day. */
const STALE_SECONDS = 36 * 3_600;

export function createNoWorkerProblem(): Problem {
  return {
    ...NOWHERE,
    code: 'no-worker',
    sentence: `No worker polls the task queue ${TASK_QUEUE.sync}.`,
    action: 'Start one with `personio-sync worker`.',
  };
}

export function findScheduleProblems(location: ProblemLocation, schedule: ScheduleStatus | null): readonly Problem[] {
  const { connectionId, endpoint } = location;
  if (schedule === null) {
    const sentence = `There is no schedule for ${endpoint}.`;
    return [{ ...location, code: 'no-schedule', sentence, action: 'Run `personio-sync schedules apply`.' }];
  }
  if (!schedule.isPaused) return [];
  const note = schedule.note === null ? '' : ` (${schedule.note})`;
  const command = `temporal schedule toggle --unpause --schedule-id ${toScheduleId(connectionId, endpoint)}`;
  return [
    {
      ...location,
      code: 'schedule-paused',
      sentence: `The schedule for ${endpoint} is paused${note}.`,
      action: `Unpause it in the Temporal UI, or with \`${command}\`.`,
    },
  ];
}

export function findRunProblems(
  location: ProblemLocation,
  { outcome, message }: EndpointStatus,
  ageSeconds: number | null,
): readonly Problem[] {
  const { endpoint } = location;
  const command = `\`personio-sync sync ${endpoint}\``;
  const runAgain = `Run ${command} after fixing the cause.`;
  switch (outcome) {
    case null: {
      const sentence = `There has been no sync of ${endpoint} yet.`;
      return [{ ...location, code: 'never-synced', sentence, action: `Run ${command}, or wait for the schedule.` }];
    }
    case 'failed':
    case 'incomplete': {
      const sentence = message ?? `The last run of ${endpoint} left no message.`;
      return [{ ...location, code: `run-${outcome}`, sentence, action: runAgain }];
    }
    case 'braked':
    case 'succeeded':
    case 'cancelled':
    case 'preview': {
      if (ageSeconds === null || ageSeconds <= STALE_SECONDS) return [];
      const sentence = `The last complete read of ${endpoint} was more than 36 hours ago.`;
      return [{ ...location, code: 'stale', sentence, action: runAgain }];
    }
  }
}

/** Finds the values of the newest complete read that could not be read. */
export function findUnreadableProblems(
  { connectionId, endpoint }: Pick<ProblemLocation, 'connectionId' | 'endpoint'>,
  found: Awaited<ReturnType<typeof findCurrentUnreadable>>,
): readonly Problem[] {
  if (found === null) return [];
  const { runId, records, some } = found;
  const list = some.slice(0, MAX_NAMED).map(({ id, page, attributes }) => {
    const location = page === null ? '' : ` on page ${page}`;
    return `${id}${location} (${attributes.join(', ')})`;
  });
  const more = records > list.length ? `, and ${records - list.length} more` : '';
  return [
    {
      connectionId,
      endpoint,
      runId,
      code: 'unreadable-values',
      sentence: `Values of ${records} ${endpoint} cannot be read, so the last ones stand: ${list.join(', ')}${more}.`,
      action: 'Correct these values in Personio; the next run reads them again.',
    },
  ];
}

/**
 * Finds offices whose time zone is not the one that was meant. Where the policy names no office, the default zone is
 * meant for all.
 */
export function findOfficeProblems(
  connectionId: string,
  { withoutZone, unmatched }: OfficeMismatch,
  { defaultZone, zones }: OfficePolicy,
): readonly Problem[] {
  if (Object.keys(zones).length === 0 || withoutZone.length + unmatched.length === 0) return [];
  const sentences = [
    ...(withoutZone.length === 0
      ? []
      : [`Offices without a zone in the policy, so that ${defaultZone} applies: ${withoutZone.join(', ')}.`]),
    ...(unmatched.length === 0 ? [] : [`Offices of the policy that no employee has: ${unmatched.join(', ')}.`]),
  ];
  return [
    {
      ...NOWHERE,
      connectionId,
      endpoint: 'employees',
      code: 'offices-without-zone',
      sentence: sentences.join(' '),
      action: 'Name each office with its zone under `offices` in the policy, spelt as in Personio.',
    },
  ];
}

export function findSecretProblems(
  connectionId: string,
  setAt: string | null,
  rotationDays: number,
): readonly Problem[] {
  const age = calculateSecretAge(setAt, rotationDays);
  if (age?.isDue !== true) return [];
  const sentence = `The secret of ${connectionId} is ${age.days} days old; rotate it every ${rotationDays} days.`;
  return [{ ...NOWHERE, connectionId, code: 'secret-due', sentence, action: describeRotation(connectionId) }];
}

export function findDeliveryProblems({ overdue, failed, dead }: DeliveryCounts): readonly Problem[] {
  const problems: Problem[] = [];
  if (overdue + failed > 0) {
    problems.push({
      ...NOWHERE,
      code: 'deliveries-open',
      sentence: `${overdue} deliveries are overdue, ${failed} were rejected by the subscriber.`,
      action: 'See `personio-sync deliveries --state overdue` (or `failed`) for the reasons.',
    });
  }
  if (dead > 0) {
    problems.push({
      ...NOWHERE,
      code: 'deliveries-dead',
      sentence: `${dead} deliveries are dead: not acknowledged within 28 days.`,
      action:
        'See `personio-sync deliveries --dead`, inform the team by other means, then run `personio-sync redeliver`.',
    });
  }
  return problems;
}
