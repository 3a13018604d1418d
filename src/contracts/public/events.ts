import { z } from 'zod';

/** Every kind of event that a subscriber can receive, as `CLASS.WHAT`. More may be added in a minor version. */
export const EVENT_KINDS = [
  'joiner.announced',
  'joiner.started',
  'joiner.rescheduled',
  'joiner.rescinded',
  'joiner.rehired',
  'mover.changed',
  'mover.renamed',
  'mover.leave-started',
  'mover.leave-ended',
  'leaver.announced',
  'leaver.left',
  'leaver.rescheduled',
  'leaver.rescinded',
  'leaver.deleted',
] as const;
/** One of `EVENT_KINDS`. */
export type EventKind = (typeof EVENT_KINDS)[number];

/** The three classes of events: the first part of every kind. */
export const EVENT_CLASSES = ['joiner', 'mover', 'leaver'] as const;
/** One of `EVENT_CLASSES`. */
export type EventClass = (typeof EVENT_CLASSES)[number];

/**
 * The two kinds that are known before they happen. They fall due at their effective time, all others when they are
 * detected.
 */
export const PLANNED_KINDS = ['joiner.started', 'leaver.left'] as const satisfies readonly EventKind[];

/** One attribute's value before and after. `mover.renamed` names the attributes and leaves out their values. */
export interface AttributeChange {
  /** Name of the attribute, such as `department`. */
  readonly attribute: string;
  /** Value before the change. Absent: not disclosed. */
  readonly from?: unknown;
  /** Value after the change. Absent: not disclosed. */
  readonly to?: unknown;
}

/**
 * The only argument of the signal `personio.lifecycle.v1`. Lean on purpose: ids, kind and dates; no names and no e-mail
 * addresses. Later versions may add fields.
 */
export interface LifecycleEvent {
  /** Identifies the delivery, the same on every repeat: skip those that you have seen. */
  readonly deliveryId: string;
  /** Identifies the event; its notices and its escalation share it. */
  readonly eventId: string;
  /** Personio account that the event comes from. */
  readonly connectionId: string;
  /** Personio's id of the employee, as text. */
  readonly employeeId: string;
  /** First part of `kind`. */
  readonly class: EventClass;
  /** The kind of change, such as `leaver.left`. */
  readonly kind: EventKind;
  /** Counts the employments of one person, from 1. */
  readonly episode: number;
  /** Calendar day on which the change takes effect, `YYYY-MM-DD`. */
  readonly effectiveDate: string;
  /** ISO 8601 in UTC: start of the day for joiners, end of the last working day for leavers, both in `timeZone`. */
  readonly effectiveAt: string;
  /** IANA time zone of the employee's office. */
  readonly timeZone: string;
  /** ISO 8601 in UTC: end of the read that found the change. */
  readonly detectedAt: string;
  /** True if the time that you asked for had already passed when the change was detected: act at once. */
  readonly late: boolean;
  /** Id of the planned event that this one corrects; null for all others. */
  readonly supersedes: string | null;
  /**
   * Id under which the same person, by the e-mail address, leaves or joins within 31 days; null if there is none. Do
   * not close an account that the other employment uses.
   */
  readonly relatedEmployeeId?: string | null | undefined;
  /** Changed attributes of a mover; empty for joiners and leavers. */
  readonly changes: readonly AttributeChange[];
  /** Your name in the policy of personio-sync. */
  readonly subscriber: string;
  /**
   * `event`; `notice`, some days ahead of it; or `escalation`, because another subscriber did not acknowledge it in
   * time or acknowledged it as `failed`.
   */
  readonly purpose: 'event' | 'notice' | 'escalation';
  /** Workflow and signal that take the acknowledgement. */
  readonly acknowledge: {
    /** Namespace of the workflow. It may be another one than yours. */
    readonly namespace: string;
    /** Id of the workflow that waits for the acknowledgement. */
    readonly workflowId: string;
    /** Name of the signal, whose only argument is an `Acknowledgement`. */
    readonly signal: string;
    readonly [added: string]: unknown;
  };
  /** A field that a later version adds. */
  readonly [added: string]: unknown;
}

/**
 * The only argument of the signal `acknowledge`, which a subscriber sends to the workflow in the event's `acknowledge`.
 */
export interface Acknowledgement {
  /** `deliveryId` of the event. */
  readonly deliveryId: string;
  /** `done` is final. `failed` escalates at once and is not repeated; `done` may follow later. */
  readonly outcome: 'done' | 'failed';
  /** For people, kept with the delivery; cut at 500 characters. No personal data. Default: none. */
  readonly note?: string | undefined;
}

const calendarDate = z.string().regex(/^\d{4}-\d{2}-\d{2}$/);
const timestamp = z.iso.datetime();

/**
 * Zod schema of `LifecycleEvent`; unknown fields pass. Parse in an activity: in workflow code, zod at the top level is
 * evaluated again for every cached workflow.
 *
 * @throws ZodError from `parse`, for a value of another shape.
 */
export const lifecycleEventSchema = z.looseObject({
  deliveryId: z.string(),
  eventId: z.string(),
  connectionId: z.string(),
  employeeId: z.string(),
  class: z.enum(EVENT_CLASSES),
  kind: z.enum(EVENT_KINDS),
  episode: z.int(),
  effectiveDate: calendarDate,
  effectiveAt: timestamp,
  timeZone: z.string(),
  detectedAt: timestamp,
  late: z.boolean(),
  supersedes: z.string().nullable(),
  relatedEmployeeId: z.string().nullish(),
  changes: z.array(z.looseObject({ attribute: z.string(), from: z.unknown().optional(), to: z.unknown().optional() })),
  subscriber: z.string(),
  purpose: z.enum(['event', 'notice', 'escalation']),
  acknowledge: z.looseObject({ namespace: z.string(), workflowId: z.string(), signal: z.string() }),
}) satisfies z.ZodType<LifecycleEvent>;

/**
 * Zod schema of `Acknowledgement`; unknown fields pass.
 *
 * @throws ZodError from `parse`, for a value of another shape.
 */
export const acknowledgementSchema = z.looseObject({
  deliveryId: z.string(),
  outcome: z.enum(['done', 'failed']),
  note: z.string().optional(),
}) satisfies z.ZodType<Acknowledgement>;
