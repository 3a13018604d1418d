import type { Endpoint } from '../contracts/internal/names.js';
import type { EventKind } from '../contracts/public/events.js';

/** A limit of the brake: more than max(atLeast, percent of the active) is held. */
export interface BrakeLimit {
  readonly atLeast: number;
  readonly percent: number;
}

/** The four classes that the brake counts, gravest first: a person counts once, in the gravest. */
export const BRAKE_CLASSES = ['leavers', 'missing', 'joiners', 'movers'] as const;
export type BrakeClass = (typeof BRAKE_CLASSES)[number];

export interface LifecyclePolicy {
  readonly leaverEndsOn: 'last_working_day' | 'termination_date';
  /** Extra notices, days before a start or an end. */
  readonly noticeDays: readonly number[];
  readonly brake: Readonly<Record<BrakeClass, BrakeLimit>>;
  /** Kinds that are never made. */
  readonly ignoreKinds: readonly EventKind[];
  /** Attributes (Personio's keys) whose changes make no mover. */
  readonly ignoreAttributes: readonly string[];
}

export interface OfficePolicy {
  /** IANA zone of whoever has no office, or one that is not named here. */
  readonly defaultZone: string;
  readonly zones: Readonly<Record<string, string>>;
}

/** When a subscriber wants to hear of a planned event. */
export type SubscriberWhen = 'detected' | 'effective' | { readonly daysBefore: number };

export interface Subscriber {
  readonly name: string;
  readonly workflowType: string;
  /** Template with `{connectionId}` and `{employeeId}`. */
  readonly workflowId: string;
  readonly taskQueue: string;
  /** Null: the namespace of personio-sync itself. */
  readonly namespace: string | null;
  /** Signal-with-start; false signals only what runs already. */
  readonly start: boolean;
  /** Already spelt out: no wildcards. */
  readonly events: readonly EventKind[];
  readonly when: SubscriberWhen;
  readonly acknowledgeWithinSeconds: number;
  /** Name of another subscriber. */
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

/** What the policy file says, checked and complete. */
export interface Policy {
  readonly schedule: SchedulePolicy;
  readonly reading: ReadingPolicy;
  /** Keys to store beside the typed columns; `standard` stands for Personio's own, without the sensitive ones. */
  readonly attributesToStore: readonly string[];
  readonly offices: OfficePolicy;
  readonly lifecycle: LifecyclePolicy;
  readonly subscribers: readonly Subscriber[];
  readonly retention: RetentionPolicy;
  readonly secretRotationDays: number;
}
