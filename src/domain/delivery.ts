import type { EventKind } from '../contracts/public/events.js';
import type { EventDraft } from './lifecycle.js';
import type { Subscriber } from './policy.js';
import { hasCome, subtractDays } from './zones.js';

/** A delivery of an event to a subscriber. Types of its parts and stages pick from this one. Moments are in UTC. */
export interface Delivery {
  /** Identifies repeats. An event and its notices share an event id and have different delivery ids. */
  readonly deliveryId: string;
  readonly eventId: string;
  readonly connectionId: string;
  readonly employeeId: string;
  readonly subscriber: string;
  readonly purpose: 'event' | 'notice' | 'escalation';
  readonly state: 'waiting' | 'sent' | 'acknowledged' | 'failed' | 'overdue' | 'dead' | 'superseded';
  readonly attempts: number;
  readonly dueAt: string;
  /** True if the due time had passed when the event was detected. */
  readonly late: boolean;
  readonly firstAttemptAt: string | null;
  readonly nextAttemptAt: string | null;
  /** Time when Temporal first accepted it. */
  readonly sentAt: string | null;
  readonly acknowledgedAt: string | null;
  readonly deadlineAt: string | null;
  readonly escalatedAt: string | null;
  readonly note: string | null;
  readonly lastError: string | null;
}

/** A delivery before its first attempt. */
export type PlannedDelivery = Pick<Delivery, 'deliveryId' | 'eventId' | 'subscriber' | 'dueAt' | 'late'> & {
  readonly purpose: 'event' | 'notice';
};

export interface DeliveryContext {
  readonly subscribers: readonly Subscriber[];
  readonly noticeDays: readonly number[];
  readonly detectedAt: string;
  /** Names of the subscribers that received the date that a correction is about. */
  readonly notifiedSubscribers: ReadonlySet<string>;
}

/** The fields of an event that planning its deliveries needs. */
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

/** Checks whether a kind moves or withdraws a date that was sent before. */
export function isCorrection(kind: EventKind): boolean {
  return CORRECTIONS.includes(kind);
}

/** Plans the deliveries of an event. A correction goes only to subscribers that received the date that it corrects. */
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
    // A subscriber that asks for `detected` is never late. A planned due time that has passed is.
    return { ...same, dueAt: detectedAt, late: event.late && when !== 'detected' };
  }
  if (when === 'effective') return { ...same, dueAt: event.dueAt, late: false };
  const requestedAt = subtractDays(event.effectiveAt, when.daysBefore, event.timeZone);
  return Date.parse(requestedAt) < Date.parse(detectedAt)
    ? { ...same, dueAt: detectedAt, late: true }
    : { ...same, dueAt: requestedAt, late: false };
}

/** Plans notices before a planned start or end. Skips those that were due before now or would follow the event. */
function planNotices(
  event: DeliverableEvent,
  main: PlannedDelivery,
  context: DeliveryContext,
): readonly PlannedDelivery[] {
  if (event.state !== 'planned') return [];
  return context.noticeDays
    .map((days) => ({ days, dueAt: subtractDays(event.effectiveAt, days, event.timeZone) }))
    .filter(({ dueAt }) => hasCome(context.detectedAt, dueAt) && !hasCome(main.dueAt, dueAt))
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
const MAX_RETRY_MS = 15 * 60_000;

/** Returns how long to wait after consecutive refusals by Temporal: 1 s, doubling to at most 15 min. */
export function toRetryDelayMs(refusals: number): number {
  return Math.min(FIRST_RETRY_MS * 2 ** Math.max(0, refusals - 1), MAX_RETRY_MS);
}

const MIN_REPEAT_MS = 60_000;
const MAX_REPEAT_MS = 24 * 3_600_000;

/** Returns how long after Temporal accepted it an unacknowledged delivery is signalled again. */
export function toRepeatDelayMs(acknowledgeWithinSeconds: number): number {
  return Math.min(Math.max(acknowledgeWithinSeconds * 1_000, MIN_REPEAT_MS), MAX_REPEAT_MS);
}

/** Time from the first attempt after which an unacknowledged delivery is dead. */
export const DEAD_AFTER_MS = 28 * 24 * 3_600_000;

/** Rate at which people who share a due time are dispatched. */
const DISPATCHES_PER_SECOND = 50;
/** Limit up to which people who share a due time are counted. It bounds the jitter to 50 s. */
export const MAX_CROWD_SIZE = 2_500;

/**
 * Returns a random delay in milliseconds for a person who shares a due time with others, and 0 for one alone.
 *
 * Thousands of timers that fire in the same millisecond stop a Temporal server for seconds, and every sync with it.
 * The jitter spreads them, at a rate well above the one at which subscribers could be signalled anyway.
 *
 * @param crowdSize number of people who share the due time, including this one.
 * @param random uniformly distributed, from 0 to below 1.
 */
export function toJitterMs(crowdSize: number, random: number): number {
  return Math.floor((random * Math.max(0, crowdSize - 1) * 1_000) / DISPATCHES_PER_SECOND);
}

/** The fields of an open delivery that its next step depends on. */
export type DeliveryStatus = Pick<
  Delivery,
  'subscriber' | 'purpose' | 'dueAt' | 'firstAttemptAt' | 'nextAttemptAt' | 'sentAt' | 'deadlineAt' | 'escalatedAt'
> & {
  readonly state: 'waiting' | 'sent' | 'failed' | 'overdue';
  /** True if its event was superseded: once sent, it is not repeated. */
  readonly isObsolete: boolean;
  /** True if it is unsent and its event waits until the withdrawal of the leaving is approved or rejected. */
  readonly isOnHold: boolean;
};

/** Checks whether a delivery must first be marked as dead, overdue or escalated. */
export function shouldMark(delivery: DeliveryStatus, now: string): boolean {
  const { state, purpose, escalatedAt, deadlineAt } = delivery;
  const deadAt = findDeadAt(delivery);
  if (deadAt !== null && hasCome(deadAt, now)) return true;
  if (state === 'overdue' || state === 'failed') return escalatedAt === null && purpose !== 'escalation';
  return deadlineAt !== null && hasCome(deadlineAt, now);
}

/** Finds the time of the next attempt: the first, a retry, or a repeat until it is acknowledged. Null if none. */
export function findNextAttemptAt(delivery: DeliveryStatus): string | null {
  const { state, dueAt, nextAttemptAt, sentAt, isObsolete, isOnHold } = delivery;
  if (isOnHold || state === 'failed' || (isObsolete && sentAt !== null)) return null;
  return nextAttemptAt ?? dueAt;
}

/**
 * Finds the time of the next step of each delivery, in the given order. A delivery waits until Temporal has accepted
 * the one before it to the same subscriber, so only the first unsent one has an attempt of its own.
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

/** Checks whether later deliveries to the same subscriber must wait for this one. */
export function isWaitingToBeAccepted({ state, sentAt, isOnHold }: DeliveryStatus): boolean {
  return sentAt === null && state !== 'failed' && !isOnHold;
}

function findDeadAt({ firstAttemptAt }: DeliveryStatus): string | null {
  return firstAttemptAt === null ? null : new Date(Date.parse(firstAttemptAt) + DEAD_AFTER_MS).toISOString();
}

function findEarliest(moments: readonly (string | null)[]): string | null {
  const known = moments.filter((moment) => moment !== null);
  return known.reduce<string | null>(
    (first, moment) => (first === null || hasCome(moment, first) ? moment : first),
    null,
  );
}
