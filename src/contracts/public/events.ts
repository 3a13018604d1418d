import { z } from 'zod';

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
export type EventKind = (typeof EVENT_KINDS)[number];

export const EVENT_CLASSES = ['joiner', 'mover', 'leaver'] as const;
export type EventClass = (typeof EVENT_CLASSES)[number];

/** The two kinds that are known before they happen. They fall due at their effective moment, the others when detected. */
export const PLANNED_KINDS = ['joiner.started', 'leaver.left'] as const satisfies readonly EventKind[];

const calendarDate = z.string().regex(/^\d{4}-\d{2}-\d{2}$/);
const moment = z.iso.datetime();

/** One attribute's value before and after. `mover.renamed` names the attributes and leaves the values out. */
export const attributeChangeSchema = z.looseObject({
  attribute: z.string(),
  from: z.unknown().optional(),
  to: z.unknown().optional(),
});
export type AttributeChange = z.infer<typeof attributeChangeSchema>;

/** The one argument of the signal `personio.lifecycle.v1`. Lean on purpose: ids, kind and dates; no names, no e-mail. */
export const lifecycleEventSchema = z.looseObject({
  /** The same on every repeat: receivers drop what they have seen. */
  deliveryId: z.string(),
  /** Shared by an event and its notices. */
  eventId: z.string(),
  connectionId: z.string(),
  employeeId: z.string(),
  class: z.enum(EVENT_CLASSES),
  kind: z.enum(EVENT_KINDS),
  /** Counts the employments of one person, from 1. */
  episode: z.int(),
  effectiveDate: calendarDate,
  /** Start of the day for joiners, end of the last working day for leavers, in `timeZone`; ISO 8601 in UTC. */
  effectiveAt: moment,
  /** The IANA zone of the person's office. */
  timeZone: z.string(),
  detectedAt: moment,
  /** Whether the moment that was asked for had already passed when the event was detected. */
  late: z.boolean(),
  /** The id of the event that this one corrects. */
  supersedes: z.string().nullable(),
  changes: z.array(attributeChangeSchema),
  subscriber: z.string(),
  purpose: z.enum(['event', 'notice', 'escalation']),
  /** Where the answer goes. */
  acknowledge: z.looseObject({ namespace: z.string(), workflowId: z.string(), signal: z.string() }),
});
export type LifecycleEvent = z.infer<typeof lifecycleEventSchema>;

/** What a subscriber answers to `employeeLifecycle`, as the one argument of the signal `acknowledge`. */
export const acknowledgementSchema = z.looseObject({
  deliveryId: z.string(),
  outcome: z.enum(['done', 'failed']),
  /** For people; cut at 500 characters. */
  note: z.string().optional(),
});
export type Acknowledgement = z.infer<typeof acknowledgementSchema>;
