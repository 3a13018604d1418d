import type { AttributeChange, EventClass, EventKind } from '../contracts/public/events.js';
import type { BrakeClass, LifecyclePolicy, OfficePolicy } from './policy.js';
import type { EmployeeRecord } from './records.js';

/** States of a person. `leaving` is `employed` or `on leave` with a known future end. */
export const LIFECYCLE_STATES = ['announced', 'employed', 'on leave', 'leaving', 'left'] as const;
export type LifecycleState = (typeof LIFECYCLE_STATES)[number];

/** Names of the lifecycle rules, which are the rows of docs/lifecycle.md. */
export const LIFECYCLE_RULES = [
  'baseline-start',
  'baseline-end',
  'start-announced',
  'start-planned',
  'start-first-seen',
  'start-moved',
  'start-withdrawn',
  'start-back-to-onboarding',
  'end-announced',
  'end-planned',
  'end-moved',
  'end-withdrawn',
  'out-by-date',
  'out-by-status',
  'back-again',
  'moved',
  'renamed',
  'leave-started',
  'leave-ended',
  'gone-deleted',
] as const;
export type LifecycleRule = (typeof LIFECYCLE_RULES)[number];

/** A lifecycle event. Types of its parts and stages pick from this one. Moments are in UTC. */
export interface EventRecord {
  readonly eventId: string;
  readonly connectionId: string;
  readonly employeeId: string;
  readonly class: EventClass;
  readonly kind: EventKind;
  /** Counts the employments of one person, from 1. */
  readonly episode: number;
  readonly effectiveDate: string;
  readonly effectiveAt: string;
  readonly timeZone: string;
  readonly detectedAt: string;
  /** True for a planned kind whose effective moment had passed when it was detected. */
  readonly late: boolean;
  /** Id of the planned event that this one corrects (`rescheduled`, `rescinded`). */
  readonly supersedes: string | null;
  /** Id under which the same person joins or leaves within 31 days, by the e-mail address; null without one. */
  readonly relatedEmployeeId: string | null;
  readonly changes: readonly AttributeChange[];
  readonly state: 'planned' | 'due' | 'superseded';
  /** The effective moment of a planned event, otherwise the moment of detection. */
  readonly dueAt: string;
  readonly rule: LifecycleRule;
  /** Place in the feed; null while planned. */
  readonly sequence: number | null;
}

/** A planned event that is neither due nor superseded. */
export type PlannedEvent = Pick<EventRecord, 'eventId' | 'kind' | 'episode' | 'effectiveDate' | 'timeZone'> & {
  /** True for a leaving whose withdrawal is asked about: it has not fallen due, even if its time has come. */
  readonly isOnHold?: boolean;
};

/** A person as committed. */
export interface PersonState {
  readonly record: EmployeeRecord;
  /** Null for a person who is onboarding without a date, or was announced once and withdrawn. */
  readonly lifecycleState: LifecycleState | null;
  readonly episode: number;
  /** Counts the committed changes. */
  readonly version: number;
  /** ISO moment of the first run that did not see the person; null while seen. */
  readonly missingSince: string | null;
  readonly deletedAt: string | null;
  readonly planned: readonly PlannedEvent[];
  /** Announced start of the current episode; null if there is none or it was withdrawn. */
  readonly announcedStart: string | null;
  /** Announced end of the current episode. It stays after the person has left. */
  readonly announcedEnd: string | null;
  /** Latest day on which the person was deleted, or the former employment ended; null if neither is known. */
  readonly formerEnd: string | null;
  /** True for an announced person who was employed before in the same episode: back to onboarding. */
  readonly hasStarted: boolean;
}

export interface DecideInput {
  readonly connectionId: string;
  readonly employeeId: string;
  /** Null for a person who was never seen before. */
  readonly previous: PersonState | null;
  /** Null for a person who is missing from a complete snapshot. */
  readonly current: EmployeeRecord | null;
  /** True if Personio answered 404 when this run asked for the missing person by id. */
  readonly isConfirmedGone: boolean;
  /** True for the first complete snapshot of the connection, which emits no events about the past. */
  readonly isBaseline: boolean;
  /** ISO moment when collecting ended. *Today* is its calendar day in the person's zone. */
  readonly collectedAt: string;
}

export interface DecideContext {
  readonly lifecycle: LifecyclePolicy;
  readonly offices: OfficePolicy;
  /** Returns a short hexadecimal HMAC of a text under the installation's own key. */
  readonly digest: (text: string) => string;
}

/** An event as a decision makes it, before it is stored. */
export type EventDraft = Omit<
  EventRecord,
  'connectionId' | 'employeeId' | 'detectedAt' | 'relatedEmployeeId' | 'state' | 'sequence'
> & {
  readonly state: 'planned' | 'due';
};

export interface LifecycleDecision {
  readonly lifecycleState: LifecycleState | null;
  readonly episode: number;
  readonly announcedStart: string | null;
  readonly announcedEnd: string | null;
  readonly formerEnd: string | null;
  readonly hasStarted: boolean;
  readonly events: readonly EventDraft[];
  /**
   * Events that are not emitted but that an approval may be about: the deletion that a first absence would become, and
   * kinds that the policy ignores.
   */
  readonly suppressedEvents: readonly EventDraft[];
  /** True if the person was gone twice in a row. The row is kept and marked. */
  readonly isDeleted: boolean;
  /** Planned events that no longer apply, with the event that replaced each. */
  readonly superseded: readonly { readonly eventId: string; readonly by: string | null }[];
  /** Class in which the brake counts this person; null if the brake does not apply. */
  readonly brakeClass: BrakeClass | null;
  /** Contradictions in the record, for `sync_runs.detail` (`end before start`). No personal data. */
  readonly anomalies: readonly string[];
}
