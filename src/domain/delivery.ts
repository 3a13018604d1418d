import type { EventKind } from '../contracts/public/events.js';
import type { EventDraft } from './lifecycle.js';
import type { Subscriber } from './policy.js';
import { subtractDays } from './zones.js';

/** One row of `deliveries`, before it is sent. */
export interface PlannedDelivery {
  /** Says what a repeat is: an event and its notices share an event id, and differ in this. */
  readonly deliveryId: string;
  readonly eventId: string;
  readonly subscriber: string;
  readonly purpose: 'event' | 'notice';
  /** ISO moment in UTC. */
  readonly dueAt: string;
  /** Whether the moment that the subscriber asked for had passed when the event was detected. */
  readonly late: boolean;
}

export interface DeliveryContext {
  readonly subscribers: readonly Subscriber[];
  readonly noticeDays: readonly number[];
  readonly detectedAt: string;
  /** Names of the subscribers who were told of the date that a correction is about. */
  readonly notifiedSubscribers: ReadonlySet<string>;
}

/** Of an event, what the planning of its deliveries has to know. */
export type DeliverableEvent = Pick<
  EventDraft,
  'eventId' | 'kind' | 'effectiveAt' | 'timeZone' | 'state' | 'late' | 'dueAt'
>;

const CORRECTIONS: readonly EventKind[] = [
  'joiner.rescheduled',
  'joiner.rescinded',
  'leaver.rescheduled',
  'leaver.rescinded',
];

/** Whether a kind takes back or moves a date that was told before. */
export function isCorrection(kind: EventKind): boolean {
  return CORRECTIONS.includes(kind);
}

/** @returns who is to be told of an event, and when. Corrections go to those alone who were told of what they correct. */
export function planDeliveries(event: DeliverableEvent, context: DeliveryContext): readonly PlannedDelivery[] {
  return context.subscribers
    .filter(
      ({ events, name }) =>
        events.includes(event.kind) && (!isCorrection(event.kind) || context.notifiedSubscribers.has(name)),
    )
    .flatMap((subscriber) => {
      const main = planDelivery(event, subscriber, context.detectedAt);
      return [...planNotices(event, main, context), main];
    });
}

function planDelivery(event: DeliverableEvent, { name, when }: Subscriber, detectedAt: string): PlannedDelivery {
  const same = {
    deliveryId: `${event.eventId}:${name}`,
    eventId: event.eventId,
    subscriber: name,
    purpose: 'event' as const,
  };
  if (event.state === 'due' || when === 'detected') {
    // Who asks for detection is never late; a planned moment that has passed is.
    return { ...same, dueAt: detectedAt, late: event.late && when !== 'detected' };
  }
  if (when === 'effective') return { ...same, dueAt: event.dueAt, late: false };
  const asked = subtractDays(event.effectiveAt, when.daysBefore, event.timeZone);
  return asked < detectedAt ? { ...same, dueAt: detectedAt, late: true } : { ...same, dueAt: asked, late: false };
}

/** Extra notices before a planned start or end; those whose moment has passed, or that come after the event itself, are left out. */
function planNotices(
  event: DeliverableEvent,
  main: PlannedDelivery,
  context: DeliveryContext,
): readonly PlannedDelivery[] {
  if (event.state !== 'planned') return [];
  return context.noticeDays
    .map((days) => ({ days, dueAt: subtractDays(event.effectiveAt, days, event.timeZone) }))
    .filter(({ dueAt }) => dueAt >= context.detectedAt && dueAt < main.dueAt)
    .map(({ days, dueAt }) => ({
      deliveryId: `${main.deliveryId}:notice-${days}`,
      eventId: event.eventId,
      subscriber: main.subscriber,
      purpose: 'notice' as const,
      dueAt,
      late: false,
    }));
}

const FIRST_RETRY_MS = 1_000;
const LAST_RETRY_MS = 15 * 60_000;

/** @returns how long to wait after a number of tries in a row that Temporal did not accept: 1 s, doubling to at most 15 min. */
export function toRetryDelayMs(refusals: number): number {
  return Math.min(FIRST_RETRY_MS * 2 ** Math.max(0, refusals - 1), LAST_RETRY_MS);
}

const MIN_REPEAT_MS = 60_000;
const MAX_REPEAT_MS = 24 * 3_600_000;

/** @returns how long after it was accepted an unanswered delivery is signalled again. */
export function toRepeatDelayMs(acknowledgeWithinSeconds: number): number {
  return Math.min(Math.max(acknowledgeWithinSeconds * 1_000, MIN_REPEAT_MS), MAX_REPEAT_MS);
}

/** What is still not acknowledged after that long is dead. */
export const DEAD_AFTER_MS = 28 * 24 * 3_600_000;

/** A moment that many people share is met by about so many of them in a second. */
const DISPATCHES_PER_SECOND = 50;
/** A larger crowd is not counted to its end: nobody is late by more than 50 s because of it. */
export const MAX_CROWD_SIZE = 2_500;

/**
 * Thousands of timers that fire in the same millisecond stop a Temporal server for seconds, and every sync with it. People who share a moment
 * therefore meet it one after the other, well above the rate at which they could be told anyway.
 *
 * @param crowdSize how many people share the moment, with this one.
 * @param random evenly distributed, from 0 to below 1.
 * @returns how long after the moment this one is woken, in ms; 0 for one who has it alone.
 */
export function toJitterMs(crowdSize: number, random: number): number {
  return Math.floor((random * Math.max(0, crowdSize - 1) * 1_000) / DISPATCHES_PER_SECOND);
}

/** Of a delivery that is neither acknowledged nor over, what its next step depends on. Moments are ISO texts in UTC. */
export interface DeliveryStatus {
  readonly subscriber: string;
  readonly purpose: 'event' | 'notice' | 'escalation';
  readonly state: 'waiting' | 'sent' | 'failed' | 'overdue';
  readonly dueAt: string;
  readonly nextAttemptAt: string | null;
  readonly firstAttemptAt: string | null;
  /** When Temporal first accepted it. */
  readonly sentAt: string | null;
  readonly deadlineAt: string | null;
  readonly escalatedAt: string | null;
  /** Its event was corrected meanwhile: what was told is not told again. */
  readonly isObsolete: boolean;
}

/** Whether a row has to be marked before anything is sent: dead, overdue, or to be escalated. */
export function shouldMark(delivery: DeliveryStatus, now: string): boolean {
  const { state, purpose, escalatedAt, deadlineAt } = delivery;
  const deadAt = findDeadAt(delivery);
  if (deadAt !== null && deadAt <= now) return true;
  if (state === 'overdue' || state === 'failed') return escalatedAt === null && purpose !== 'escalation';
  return deadlineAt !== null && deadlineAt <= now;
}

/**
 * Unsent: its moment, or the next try. Sent: the next repetition, as long as nothing was answered.
 *
 * @returns null when there is no further try.
 */
export function findNextAttemptAt({ state, dueAt, nextAttemptAt, sentAt, isObsolete }: DeliveryStatus): string | null {
  if (state === 'failed' || (isObsolete && sentAt !== null)) return null;
  return nextAttemptAt ?? dueAt;
}

/**
 * When something has to be done next about each delivery, in the order in which they stand. To one subscriber each waits until the one before
 * it was accepted, so of what is unsent only the first has a try of its own.
 */
export function findNextMoments(deliveries: readonly DeliveryStatus[]): readonly (string | null)[] {
  const blocked = new Set<string>();
  return deliveries.map((delivery) => {
    const isUnsent = isWaitingToBeAccepted(delivery);
    const isBlocked = isUnsent && blocked.has(delivery.subscriber);
    if (isUnsent) blocked.add(delivery.subscriber);
    const deadline = delivery.state === 'waiting' || delivery.state === 'sent' ? delivery.deadlineAt : null;
    return findEarliest([isBlocked ? null : findNextAttemptAt(delivery), deadline, findDeadAt(delivery)]);
  });
}

/** Whether what comes after it, to the same subscriber, has to wait for it. */
export function isWaitingToBeAccepted({ state, sentAt }: DeliveryStatus): boolean {
  return sentAt === null && state !== 'failed';
}

function findDeadAt({ firstAttemptAt }: DeliveryStatus): string | null {
  return firstAttemptAt === null ? null : new Date(Date.parse(firstAttemptAt) + DEAD_AFTER_MS).toISOString();
}

function findEarliest(moments: readonly (string | null)[]): string | null {
  const known = moments.filter((moment) => moment !== null);
  return known.reduce<string | null>((first, moment) => (first === null || moment < first ? moment : first), null);
}
