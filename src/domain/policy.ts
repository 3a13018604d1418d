import type { Endpoint } from '../contracts/internal/names.js';
import type { EventKind } from '../contracts/public/events.js';

/**
 * Limit of the brake. More people than max(atLeast, percent) are held: percent of the active people, of withdrawals of
 * the planned leavings.
 */
export interface BrakeLimit {
  readonly atLeast: number;
  readonly percent: number;
}

/** Classes that the brake counts, the gravest first. A person counts once, in the gravest. */
export const BRAKE_CLASSES = ['leavers', 'missing', 'joiners', 'withdrawals', 'movers'] as const;
export type BrakeClass = (typeof BRAKE_CLASSES)[number];

export interface LifecyclePolicy {
  readonly leaverEndsOn: 'last_working_day' | 'termination_date';
  /** Days before a start or an end on which subscribers get an extra notice. */
  readonly noticeDays: readonly number[];
  readonly brake: Readonly<Record<BrakeClass, BrakeLimit>>;
  /** Kinds that are never emitted. */
  readonly ignoreKinds: readonly EventKind[];
  /** Personio's keys of attributes whose changes are neither moves nor renames. */
  readonly ignoreAttributes: readonly string[];
}

export interface OfficePolicy {
  /** IANA zone of people without an office, or with one that `zones` does not name. */
  readonly defaultZone: string;
  readonly zones: Readonly<Record<string, string>>;
}

/** Due time of a planned event for a subscriber. */
export type SubscriberWhen = 'detected' | 'effective' | { readonly daysBefore: number };

export interface Subscriber {
  readonly name: string;
  readonly workflowType: string;
  /** Template with `{connectionId}` and `{employeeId}`. */
  readonly workflowId: string;
  readonly taskQueue: string;
  /** Null for the namespace of personio-sync itself. */
  readonly namespace: string | null;
  /** True for signal-with-start; false signals only a running workflow. */
  readonly start: boolean;
  /** Expanded: without wildcards. */
  readonly events: readonly EventKind[];
  readonly when: SubscriberWhen;
  readonly acknowledgeWithinSeconds: number;
  /** Name of the subscriber that gets escalations. */
  readonly escalateTo: string | null;
}

export interface ReadingPolicy {
  readonly pageSize: number;
  readonly requestsPerMinute: number;
  readonly requestsPerSecond: number;
  readonly attendanceLookbackDays: number;
}

export interface SchedulePolicy {
  /** Cron expressions; null leaves the schedule out. */
  readonly cron: Readonly<Record<Endpoint, string | null>>;
  readonly timeZone: string;
  readonly jitterSeconds: number;
  readonly catchUpWithinSeconds: number;
}

export interface RetentionPolicy {
  readonly eventsDays: number;
  readonly historyDays: number;
  readonly attendancesDays: number;
  readonly rawRunsDays: number;
}

/** The policy file, validated and completed with defaults. */
export interface Policy {
  readonly schedule: SchedulePolicy;
  readonly reading: ReadingPolicy;
  /** Keys to store besides the typed columns. `standard` stands for Personio's own keys without sensitive ones. */
  readonly attributesToStore: readonly string[];
  readonly offices: OfficePolicy;
  readonly lifecycle: LifecyclePolicy;
  readonly subscribers: readonly Subscriber[];
  readonly retention: RetentionPolicy;
  readonly secretRotationDays: number;
}
