import type { AttributeChange, EventClass, EventKind } from '../contracts/public/events.js';
import type { BrakeClass, LifecyclePolicy, OfficePolicy } from './policy.js';
import type { EmployeeRecord } from './records.js';

/** `leaving` is `employed` (or on leave) with a known end to come. */
export const LIFECYCLE_STATES = ['announced', 'employed', 'on leave', 'leaving', 'left'] as const;
export type LifecycleState = (typeof LIFECYCLE_STATES)[number];

/** The rows of docs/lifecycle.md: which rule made an event. */
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

/** A planned event of this person that is neither due nor superseded. */
export interface PlannedEvent {
  readonly eventId: string;
  readonly kind: EventKind;
  readonly episode: number;
  readonly effectiveDate: string;
  readonly timeZone: string;
}

/** A person as committed. */
export interface PersonState {
  readonly record: EmployeeRecord;
  /** Null: neither to come nor here nor gone: onboarding without a date, or announced once and withdrawn. */
  readonly lifecycleState: LifecycleState | null;
  readonly episode: number;
  /** Counts the committed changes. */
  readonly version: number;
  /** ISO moment of the run that first missed the person; null while seen. */
  readonly missingSince: string | null;
  readonly deletedAt: string | null;
  readonly planned: readonly PlannedEvent[];
  /** Start and end that were announced and not withdrawn, of the present episode. The end of who has left stays. */
  readonly announcedStart: string | null;
  readonly announcedEnd: string | null;
}

export interface DecideInput {
  readonly connectionId: string;
  readonly employeeId: string;
  /** Null: never seen before. */
  readonly previous: PersonState | null;
  /** Null: missing from a complete snapshot. */
  readonly current: EmployeeRecord | null;
  /** Missing, asked for by id in this run, and answered 404. */
  readonly isConfirmedGone: boolean;
  /** The first complete snapshot of the connection: silent about the past. */
  readonly isBaseline: boolean;
  /** When collecting ended; ISO moment. *today* is its calendar day in the person's zone. */
  readonly collectedAt: string;
}

export interface DecideContext {
  readonly lifecycle: LifecyclePolicy;
  readonly offices: OfficePolicy;
  /** A keyed digest (HMAC) of a text, short and hexadecimal; the key is the installation's own. */
  readonly digest: (text: string) => string;
}

export interface EventDraft {
  readonly eventId: string;
  readonly class: EventClass;
  readonly kind: EventKind;
  readonly episode: number;
  readonly effectiveDate: string;
  /** ISO moment in UTC. */
  readonly effectiveAt: string;
  readonly timeZone: string;
  readonly changes: readonly AttributeChange[];
  readonly state: 'planned' | 'due';
  /** A planned kind whose effective moment had passed at `collectedAt`. */
  readonly late: boolean;
  /** The planned event that this one corrects (`rescheduled`, `rescinded`). */
  readonly supersedes: string | null;
  /** When it falls due: the effective moment of what is planned, else the moment of detection. ISO, UTC. */
  readonly dueAt: string;
  /** Name of the row of docs/lifecycle.md that fired. */
  readonly rule: string;
}

export interface LifecycleDecision {
  readonly lifecycleState: LifecycleState | null;
  readonly episode: number;
  readonly announcedStart: string | null;
  readonly announcedEnd: string | null;
  readonly events: readonly EventDraft[];
  /** Not made, and yet what the brake would ask about: the deletion that a first absence would become, and kinds that the policy leaves out. */
  readonly withheldEvents: readonly EventDraft[];
  /** Gone twice in a row: the row is kept, and marked. */
  readonly isDeleted: boolean;
  /** Planned events that no longer stand, and what took their place. */
  readonly superseded: readonly { readonly eventId: string; readonly by: string | null }[];
  /** What the brake counts this person as; null where the brake does not apply. */
  readonly brakeClass: BrakeClass | null;
  /** Contradictions in the record, for `sync_runs.detail` (`end before start`); no personal data. */
  readonly anomalies: readonly string[];
}
