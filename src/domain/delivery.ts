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

const CORRECTIONS: readonly EventKind[] = [
  ...(['joiner.rescheduled', 'joiner.rescinded'] as const),
  ...(['leaver.rescheduled', 'leaver.rescinded'] as const),
];

/** @returns who is to be told of an event, and when. Corrections go to those alone who were told of what they correct. */
export function planDeliveries(event: ProposedEvent, context: DeliveryContext): readonly PlannedDelivery[] {
  const isCorrection = CORRECTIONS.includes(event.kind);
  return context.subscribers
    .filter(({ events, name }) => events.includes(event.kind) && (!isCorrection || context.told.has(name)))
    .flatMap((subscriber) => {
      const main = deliveryOf(event, subscriber, context.detectedAt);
      return [...noticesOf(event, main, context), main];
    });
}

function deliveryOf(event: ProposedEvent, { name, when }: Subscriber, detectedAt: string): PlannedDelivery {
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
function noticesOf(event: ProposedEvent, main: PlannedDelivery, context: DeliveryContext): readonly PlannedDelivery[] {
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

/** @returns how long to wait after a number of tries that Temporal did not accept: 1 s, doubling to at most 15 min. */
export function retryDelayMs(attempts: number): number {
  return Math.min(FIRST_RETRY_MS * 2 ** Math.max(0, attempts - 1), LAST_RETRY_MS);
}

const MIN_REPEAT_MS = 60_000;
const MAX_REPEAT_MS = 24 * 3_600_000;

/** @returns how long after it was accepted an unanswered delivery is signalled again. */
export function repeatDelayMs(acknowledgeWithinSeconds: number): number {
  return Math.min(Math.max(acknowledgeWithinSeconds * 1_000, MIN_REPEAT_MS), MAX_REPEAT_MS);
}

/** What is still not acknowledged after that long is dead. */
export const DEAD_AFTER_MS = 28 * 24 * 3_600_000;
