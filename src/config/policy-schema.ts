import { z } from 'zod';
import { EVENT_KINDS } from '../contracts/public/events.js';
import { findCronZone, isCron } from '../domain/cron.js';
import type { BrakeClass, BrakeLimit } from '../domain/policy.js';

const isZone = (zone: string): boolean => {
  try {
    return Intl.DateTimeFormat('en', { timeZone: zone }).resolvedOptions().timeZone !== '';
  } catch {
    return false;
  }
};

const SECONDS = { s: 1, m: 60, h: 3_600, d: 86_400 } as const;

/** Returns the seconds of a duration that has the right form. */
function toSeconds(text: string): number {
  const unit = text.at(-1);
  return Number(text.slice(0, -1)) * (unit === 's' || unit === 'm' || unit === 'h' || unit === 'd' ? SECONDS[unit] : 1);
}

/** A whole number and a unit, such as `10m` or `24h`, within bounds of the same form. Parses to seconds. */
const createDurationSchema = (least: string, most: string) =>
  z
    .string()
    .regex(/^\d{1,9}[smhd]$/, 'a duration is a whole number and s, m, h or d, such as 24h')
    .transform(toSeconds)
    .refine((seconds) => seconds >= toSeconds(least) && seconds <= toSeconds(most), {
      error: `it must be between ${least} and ${most}`,
    });
const isCronWithZone = (text: string): boolean => isCron(text) && isZone(findCronZone(text) ?? 'UTC');
// YAML 1.1 parsers read a bare `off` as false; ours does not. Both are accepted.
const CRON_RULE =
  'it must be off, or a cron expression that Temporal accepts, such as "0 3 * * *", "@daily" or "@every 12h"';
const cron = z.union([z.literal('off'), z.literal(false), z.string().refine(isCronWithZone, CRON_RULE)], CRON_RULE);
const zone = z.string().refine(isZone, 'it must be an IANA time zone, such as Europe/Berlin');
const positive = z.int().min(1);
/** No table or clock of ours reaches further: a century. */
const days = positive.max(36_500);
const requests = positive.max(1_000_000);

const createLimitSchema = (defaults: BrakeLimit) =>
  z
    .strictObject({
      atLeast: z.int().min(0).default(defaults.atLeast),
      percent: z.number().min(0).max(100).default(defaults.percent),
    })
    .prefault({});

const eventPatterns = ['joiner.*', 'mover.*', 'leaver.*', '*', ...EVENT_KINDS] as const;
const eventPattern = z.enum(eventPatterns, { error: `it must be one of ${eventPatterns.join(', ')}` });

const subscriber = z.strictObject({
  name: z
    .string()
    .regex(/^[A-Za-z0-9][\w.-]{0,62}$/, 'a name has up to 63 letters, digits, dots, hyphens and underscores'),
  workflowType: z.string().min(1),
  workflowId: z
    .string()
    .min(1)
    .refine(
      (text) => !/[{}]/.test(text.replaceAll(/\{(connectionId|employeeId)\}/g, '')),
      'only the placeholders {connectionId} and {employeeId} are allowed',
    ),
  taskQueue: z.string().min(1),
  namespace: z.string().min(1).optional(),
  start: z.boolean().default(true),
  events: z.array(eventPattern),
  when: z
    .union([z.enum(['detected', 'effective']), z.strictObject({ daysBefore: z.int().min(0).max(365) })], {
      error: 'it must be detected, effective, or { daysBefore: 14 }',
    })
    .default('effective'),
  // After 28 days a delivery is dead.
  acknowledgeWithin: createDurationSchema('1s', '28d').prefault('24h'),
  escalateTo: z.string().optional(),
});

/**
 * Schema of the policy file. Unknown keys are refused, so that a misspelt limit does not silently become the default.
 */
export const policySchema = z.strictObject({
  schedule: z
    .strictObject({
      employees: cron.default('0 3 * * *'),
      departments: cron.default('0 3 * * *'),
      attendances: cron.default('30 3 * * *'),
      'time-off-types': cron.default('0 3 * * *'),
      timeZone: zone.default('UTC'),
      jitter: createDurationSchema('0s', '1d').prefault('10m'),
      // Temporal raises what is below 10 s.
      catchUpWithin: createDurationSchema('10s', '365d').prefault('12h'),
    })
    .prefault({}),
  reading: z
    .strictObject({
      pageSize: z.int().min(1).max(1_000).default(200),
      requestsPerMinute: requests.default(300),
      requestsPerSecond: requests.default(15),
      attendanceLookbackDays: z.int().min(1).max(3_660).default(35),
    })
    .prefault({}),
  attributes: z.strictObject({ store: z.array(z.string().min(1)).default(['standard']) }).prefault({}),
  offices: z.record(z.string(), zone).default({}),
  lifecycle: z
    .strictObject({
      leaverEndsOn: z.enum(['last_working_day', 'termination_date']).default('last_working_day'),
      noticeDays: z.array(z.int().min(1).max(365)).default([]),
      brake: z
        .strictObject({
          leavers: createLimitSchema({ atLeast: 5, percent: 10 }),
          missing: createLimitSchema({ atLeast: 5, percent: 5 }),
          joiners: createLimitSchema({ atLeast: 20, percent: 25 }),
          withdrawals: createLimitSchema({ atLeast: 5, percent: 25 }),
          movers: createLimitSchema({ atLeast: 50, percent: 50 }),
        } satisfies Record<BrakeClass, unknown>)
        .prefault({}),
      ignoreKinds: z.array(z.enum(EVENT_KINDS)).default([]),
      ignoreAttributes: z.array(z.string().min(1)).default([]),
    })
    .prefault({}),
  subscribers: z.array(subscriber).default([]),
  retention: z
    .strictObject({
      eventsDays: days.min(90).default(400),
      historyDays: days.default(1_100),
      attendancesDays: days.default(800),
      rawRunsDays: days.default(90),
    })
    .prefault({}),
  secretRotationDays: days.default(90),
});

export type PolicyFile = z.output<typeof policySchema>;
export type SubscriberEntry = PolicyFile['subscribers'][number];
