import type { EventKind } from '../contracts/events.js';
import type { ProposedEvent } from './lifecycle.js';
import type { Subscriber } from './policy.js';
import { daysBefore } from './zones.js';

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
  readonly told: ReadonlySet<string>;
}

/** Of an event, what the planning of its deliveries has to know. */
export type DeliverableEvent = Pick<
  ProposedEvent,
  'eventId' | 'kind' | 'effectiveAt' | 'timeZone' | 'state' | 'late' | 'dueAt'
>;

const CORRECTIONS: readonly EventKind[] = [
  ...(['joiner.rescheduled', 'joiner.rescinded'] as const),
  ...(['leaver.rescheduled', 'leaver.rescinded'] as const),
];

/** Whether a kind takes back or moves a date that was told before. */
export function isCorrection(kind: EventKind): boolean {
  return CORRECTIONS.includes(kind);
}

/** @returns who is to be told of an event, and when. Corrections go to those alone who were told of what they correct. */
export function planDeliveries(event: DeliverableEvent, context: DeliveryContext): readonly PlannedDelivery[] {
  return context.subscribers
    .filter(({ events, name }) => events.includes(event.kind) && (!isCorrection(event.kind) || context.told.has(name)))
    .flatMap((subscriber) => {
      const main = deliveryOf(event, subscriber, context.detectedAt);
      return [...noticesOf(event, main, context), main];
    });
}

function deliveryOf(event: DeliverableEvent, { name, when }: Subscriber, detectedAt: string): PlannedDelivery {
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
  const asked = daysBefore(event.effectiveAt, when.daysBefore, event.timeZone);
  return asked < detectedAt ? { ...same, dueAt: detectedAt, late: true } : { ...same, dueAt: asked, late: false };
}

/** Extra notices before a planned start or end; those whose moment has passed, or that come after the event itself, are left out. */
function noticesOf(
  event: DeliverableEvent,
  main: PlannedDelivery,
  context: DeliveryContext,
): readonly PlannedDelivery[] {
  if (event.state !== 'planned') return [];
  return context.noticeDays
    .map((days) => ({ days, dueAt: daysBefore(event.effectiveAt, days, event.timeZone) }))
    .filter(({ dueAt }) => dueAt >= context.detectedAt && dueAt < main.dueAt)
    .map(({ days, dueAt }) => ({
      ...{ deliveryId: `${main.deliveryId}:notice-${days}`, eventId: event.eventId, subscriber: main.subscriber },
      ...{ purpose: 'notice' as const, dueAt, late: false },
    }));
}

const FIRST_RETRY_MS = 1_000;
const LAST_RETRY_MS = 15 * 60_000;

/** @returns how long to wait after a number of tries in a row that Temporal did not accept: 1 s, doubling to at most 15 min. */
export function retryDelayMs(refusals: number): number {
  return Math.min(FIRST_RETRY_MS * 2 ** Math.max(0, refusals - 1), LAST_RETRY_MS);
}

const MIN_REPEAT_MS = 60_000;
const MAX_REPEAT_MS = 24 * 3_600_000;

/** @returns how long after it was accepted an unanswered delivery is signalled again. */
export function repeatDelayMs(acknowledgeWithinSeconds: number): number {
  return Math.min(Math.max(acknowledgeWithinSeconds * 1_000, MIN_REPEAT_MS), MAX_REPEAT_MS);
}

/** What is still not acknowledged after that long is dead. */
export const DEAD_AFTER_MS = 28 * 24 * 3_600_000;

/** A moment that many people share is met by about so many of them in a second. */
const WAKES_PER_SECOND = 50;
/** A larger crowd is not counted to its end: nobody is late by more than 50 s because of it. */
export const LARGEST_CROWD = 2_500;

/**
 * Thousands of timers that fire in the same millisecond stop a Temporal server for seconds, and every sync with it. People who share a moment
 * therefore meet it one after the other, well above the rate at which they could be told anyway.
 *
 * @param together how many people share the moment, with this one.
 * @param draw evenly distributed, from 0 to below 1.
 * @returns how long after the moment this one is woken, in ms; 0 for one who has it alone.
 */
export function wakeDelayMs(together: number, draw: number): number {
  return Math.floor((draw * Math.max(0, together - 1) * 1_000) / WAKES_PER_SECOND);
}

/** Of a delivery that is neither acknowledged nor over, what its next step depends on. Moments are ISO texts in UTC. */
export interface DeliveryStanding {
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
export function needsMarking(delivery: DeliveryStanding, now: string): boolean {
  const { state, purpose, escalatedAt, deadlineAt } = delivery;
  const deadAt = deadAtOf(delivery);
  if (deadAt !== null && deadAt <= now) return true;
  if (state === 'overdue' || state === 'failed') return escalatedAt === null && purpose !== 'escalation';
  return deadlineAt !== null && deadlineAt <= now;
}

/**
 * Unsent: its moment, or the next try. Sent: the next repetition, as long as nothing was answered.
 *
 * @returns null when there is no further try.
 */
export function nextTryOf({ state, dueAt, nextAttemptAt, sentAt, isObsolete }: DeliveryStanding): string | null {
  if (state === 'failed' || (isObsolete && sentAt !== null)) return null;
  return nextAttemptAt ?? dueAt;
}

/**
 * When something has to be done next about each delivery, in the order in which they stand. To one subscriber each waits until the one before
 * it was accepted, so of what is unsent only the first has a try of its own.
 */
export function momentsOf(deliveries: readonly DeliveryStanding[]): readonly (string | null)[] {
  const held = new Set<string>();
  return deliveries.map((delivery) => {
    const isUnsent = isWaitingToBeAccepted(delivery);
    const isHeld = isUnsent && held.has(delivery.subscriber);
    if (isUnsent) held.add(delivery.subscriber);
    const deadline = delivery.state === 'waiting' || delivery.state === 'sent' ? delivery.deadlineAt : null;
    return earliest([isHeld ? null : nextTryOf(delivery), deadline, deadAtOf(delivery)]);
  });
}

/** Whether what comes after it, to the same subscriber, has to wait for it. */
export function isWaitingToBeAccepted({ state, sentAt }: DeliveryStanding): boolean {
  return sentAt === null && state !== 'failed';
}

function deadAtOf({ firstAttemptAt }: DeliveryStanding): string | null {
  return firstAttemptAt === null ? null : new Date(Date.parse(firstAttemptAt) + DEAD_AFTER_MS).toISOString();
}

function earliest(moments: readonly (string | null)[]): string | null {
  const known = moments.filter((moment) => moment !== null);
  return known.reduce<string | null>((first, moment) => (first === null || moment < first ? moment : first), null);
}
