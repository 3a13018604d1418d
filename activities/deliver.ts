import { cancellationDetails, cancellationSignal, cancelled } from '@temporalio/activity';
import type {
  PendingWork,
  PendingItem,
  EmployeeRef,
  ParsedAcknowledgement,
  LifecycleActivities,
} from '../src/contracts/internal/activities.js';
import { describePending } from '../src/domain/describe-pending.js';
import {
  MAX_CROWD_SIZE,
  isWaitingToBeAccepted,
  findNextMoments,
  shouldMark,
  findNextAttemptAt,
  toRepeatDelayMs,
  toRetryDelayMs,
  toJitterMs,
} from '../src/domain/delivery.js';
import type { Subscriber } from '../src/domain/policy.js';
import { hasCome } from '../src/domain/zones.js';
import { getDeliveryMetrics } from '../src/observability/metrics.js';
import { beginAttempt, endAttempt, recordAcknowledgement, recordReason } from '../src/store/deliveries/attempts.js';
import { countPlannedAt, markDue, markOverdue, readPendingWork } from '../src/store/deliveries/pending.js';
import type { OpenDelivery, StoredPendingWork } from '../src/store/deliveries/pending.js';
import { withHeartbeat } from './failures.js';
import { describeSilence, sendDelivery } from './send.js';
import type { DeliveryDependencies } from './send.js';

/** Used for a subscriber that the policy no longer names. */
const DEFAULT_ACKNOWLEDGE_SECONDS = 86_400;
/** Interval of looking whether a leaving on hold was decided, in case the signal was lost. */
const HOLD_CHECK_MS = 15 * 60_000;

/** Creates the activity of `employeeLifecycle`: the database holds the state, the workflow only waits. */
export function createLifecycleActivities(dependencies: DeliveryDependencies): LifecycleActivities {
  return {
    advanceAgenda: withHeartbeat(async (request) =>
      new PendingProcessor(dependencies, request).processPending(request.acknowledgements),
    ),
  };
}

/** Processes the pending work of one employee once. */
class PendingProcessor {
  private readonly dependencies: DeliveryDependencies;
  private readonly person: EmployeeRef;

  constructor(dependencies: DeliveryDependencies, { connectionId, employeeId }: EmployeeRef) {
    this.dependencies = dependencies;
    this.person = { connectionId, employeeId };
  }

  async processPending(acknowledgements: readonly ParsedAcknowledgement[]): Promise<PendingWork> {
    for (const acknowledgement of acknowledgements) await this.storeAcknowledgement(acknowledgement);
    const before = await this.readPending();
    const isAnythingDue = await this.settle(before);
    const pending = isAnythingDue ? await this.readPending() : before;
    const hasTried = await this.sendDue(pending);
    return this.toPendingWork(hasTried ? await this.readPending() : pending);
  }

  private async readPending(): Promise<StoredPendingWork> {
    return readPendingWork(this.dependencies.database, this.person);
  }

  private async storeAcknowledgement(acknowledgement: ParsedAcknowledgement): Promise<void> {
    const { database, logger } = this.dependencies;
    if (await recordAcknowledgement(database, this.person, acknowledgement)) return;
    getDeliveryMetrics().recordIgnoredAcknowledgement();
    logger.info(
      { connectionId: this.person.connectionId, deliveryId: acknowledgement.deliveryId },
      'An acknowledgement changed nothing: unknown, repeated, or for a delivery that was withdrawn',
    );
  }

  /** Applies what the passing of time causes. Returns whether pending work has changed. */
  private async settle({ now, planned, deliveries }: StoredPendingWork): Promise<boolean> {
    const { database } = this.dependencies;
    const metrics = getDeliveryMetrics();
    const hasDue = planned.some(({ dueAt, isOnHold }) => !isOnHold && hasCome(dueAt, now));
    if (hasDue) await markDue(database, this.person);
    const hasToMark = deliveries.some((delivery) => shouldMark(delivery, now));
    if (hasToMark) {
      const findEscalation = (name: string): string | null => this.findSubscriber(name)?.escalateTo ?? null;
      const { overdue, dead, escalated } = await markOverdue(database, this.person, findEscalation);
      for (const { subscriber } of overdue) metrics.recordOverdue(subscriber);
      for (const { subscriber } of dead) metrics.recordDead(subscriber);
      for (const { escalateTo } of escalated) metrics.recordEscalated(escalateTo);
      const silent = new Set(overdue.map(({ deliveryId }) => deliveryId));
      for (const delivery of deliveries) if (silent.has(delivery.deliveryId)) await this.explainSilence(delivery);
    }
    return hasDue || hasToMark;
  }

  /** Records in the row why an accepted delivery became overdue. */
  private async explainSilence(delivery: OpenDelivery): Promise<void> {
    const subscriber = this.findSubscriber(delivery.subscriber);
    if (delivery.sentAt === null || subscriber === undefined) return;
    const reason = await describeSilence(this.dependencies, subscriber, this.person);
    await recordReason(this.dependencies.database, delivery.deliveryId, reason);
  }

  /** Sends to each subscriber independently, so that one that is stuck does not block the others. */
  private async sendDue({ now, deliveries }: StoredPendingWork): Promise<boolean> {
    const names = [...new Set(deliveries.map(({ subscriber }) => subscriber))];
    const tried = await Promise.all(
      names.map(async (name) =>
        this.sendTo(
          deliveries.filter(({ subscriber }) => subscriber === name),
          now,
        ),
      ),
    );
    return tried.includes(true);
  }

  /** Sends one after the other: a delivery that must wait holds back those after it. */
  private async sendTo(deliveries: readonly OpenDelivery[], now: string): Promise<boolean> {
    let isBlocked = false;
    let hasTried = false;
    for (const delivery of deliveries) {
      const isUnsent = isWaitingToBeAccepted(delivery);
      if (isUnsent && isBlocked) continue;
      const nextTry = findNextAttemptAt(delivery);
      const isTime = nextTry !== null && hasCome(nextTry, now) && hasCome(delivery.dueAt, now);
      if (isTime) hasTried = true;
      const isAccepted = isTime && (await this.attemptDelivery(delivery));
      if (isUnsent && !isAccepted) isBlocked = true;
    }
    return hasTried;
  }

  /** Returns whether the next delivery may follow: Temporal accepted this one, or it was withdrawn meanwhile. */
  private async attemptDelivery(delivery: OpenDelivery): Promise<boolean> {
    // After a timeout another attempt is running, and this one must not send beside it. On shutdown it finishes.
    if (cancellationSignal().aborted && cancellationDetails()?.workerShutdown !== true) await cancelled();
    const { database } = this.dependencies;
    const { deliveryId } = delivery;
    const subscriber = this.findSubscriber(delivery.subscriber);
    const within = subscriber?.acknowledgeWithinSeconds ?? DEFAULT_ACKNOWLEDGE_SECONDS;
    // Read before the next signal: afterwards a new workflow may be running.
    const silence =
      delivery.sentAt === null || subscriber === undefined
        ? null
        : await describeSilence(this.dependencies, subscriber, this.person);
    if (!(await beginAttempt(database, deliveryId, within))) return true;
    const refusal =
      subscriber === undefined
        ? 'The policy no longer names this subscriber.'
        : await sendDelivery(this.dependencies, this.person, delivery, subscriber);
    const isAccepted = refusal === null;
    const nextAttemptInMs = isAccepted ? toRepeatDelayMs(within) : toRetryDelayMs(delivery.refusals + 1);
    await endAttempt(database, { deliveryId, isAccepted, reason: refusal ?? silence, nextAttemptInMs });
    this.countAttempt(delivery, isAccepted);
    return isAccepted;
  }

  private countAttempt(delivery: OpenDelivery, isAccepted: boolean): void {
    const { subscriber, kind } = delivery;
    if (!isAccepted) getDeliveryMetrics().recordRefused(subscriber);
    else if (delivery.sentAt === null)
      getDeliveryMetrics().recordAccepted(
        { subscriber, kind },
        (Date.now() - Date.parse(toMeasuredMoment(delivery))) / 1_000,
      );
  }

  private async toPendingWork(pending: StoredPendingWork): Promise<PendingWork> {
    const { planned, deliveries } = pending;
    const moments = findNextMoments(deliveries);
    const { employeeId } = this.person;
    const eventIdsWithDelivery = new Set(deliveries.map(({ eventId }) => eventId));
    const waiting = planned.map(({ eventId, kind, dueAt: at, timeZone, isOnHold }): PendingItem => {
      const entry = { kind, at, timeZone, purpose: 'event', subscriber: null, state: 'planned', attempts: 0 } as const;
      const sentence = describePending({ ...entry, sentAt: null, isOnHold }, employeeId);
      return { deliveryId: null, eventId, kind, subscriber: null, state: 'planned', at, sentence };
    });
    const open = deliveries.map((delivery, index): PendingItem => {
      const at = moments[index] ?? null;
      const { deliveryId, eventId, kind, subscriber, state } = delivery;
      return {
        deliveryId,
        eventId,
        kind,
        subscriber,
        state,
        at,
        sentence: describePending({ ...delivery, at }, employeeId),
      };
    });
    return {
      items: [...open, ...waiting.filter(({ eventId }) => !eventIdsWithDelivery.has(eventId))].sort(compareByMoment),
      nextInMs: await this.computeNextInMs(pending, moments),
    };
  }

  /**
   * Returns the time until the next step, in ms. First deliveries of planned events get jitter, since crowds share
   * them.
   */
  private async computeNextInMs(
    { now, planned, deliveries }: StoredPendingWork,
    moments: readonly (string | null)[],
  ): Promise<number | null> {
    const toMsUntil = (at: string): number => Math.max(0, Date.parse(at) - Date.parse(now));
    const shared = planned.filter(({ isOnHold }) => !isOnHold).map(({ dueAt }) => ({ at: dueAt, dueAt }));
    const waits = planned
      .filter(({ isOnHold }) => isOnHold)
      .map(({ dueAt }) => Math.max(toMsUntil(dueAt), HOLD_CHECK_MS));
    for (const [index, at] of moments.entries()) {
      const delivery = deliveries[index];
      if (at === null || delivery === undefined) continue;
      const event = planned.find(({ eventId }) => eventId === delivery.eventId);
      if (event !== undefined && delivery.firstAttemptAt === null) shared.push({ at, dueAt: event.dueAt });
      else waits.push(toMsUntil(at));
    }
    const [first] = shared.sort((one, other) => Date.parse(one.at) - Date.parse(other.at));
    if (first !== undefined)
      waits.push(toMsUntil(first.at) + (!hasCome(first.at, now) ? await this.readJitterMs(first.dueAt) : 0));
    return waits.length === 0 ? null : Math.min(...waits);
  }

  private async readJitterMs(dueAt: string): Promise<number> {
    const { connectionId } = this.person;
    const crowdSize = await countPlannedAt(this.dependencies.database, connectionId, dueAt, MAX_CROWD_SIZE);
    return toJitterMs(crowdSize, Math.random());
  }

  private findSubscriber(name: string): Subscriber | undefined {
    return this.dependencies.policy.subscribers.find((subscriber) => subscriber.name === name);
  }
}

/** Sorts overdue and failed items first, then by due time; items that wait for another one come last. */
function compareByMoment(one: PendingItem, other: PendingItem): number {
  const toRank = ({ state }: PendingItem): number => (state === 'overdue' || state === 'failed' ? 0 : 1);
  if (toRank(one) !== toRank(other)) return toRank(one) - toRank(other);
  const toTime = ({ at }: PendingItem): number => (at === null ? Number.MAX_SAFE_INTEGER : Date.parse(at));
  return toTime(one) - toTime(other);
}

/** Returns the time that a delay is measured from: the effective time of a planned event, else the due time. */
function toMeasuredMoment({ kind, purpose, dueAt, effectiveAt }: OpenDelivery): string {
  const isPlannedKind = kind === 'joiner.started' || kind === 'leaver.left';
  return isPlannedKind && purpose === 'event' && hasCome(effectiveAt, dueAt) ? effectiveAt : dueAt;
}
