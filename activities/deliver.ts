import { cancellationDetails, cancellationSignal, cancelled } from '@temporalio/activity';
import type { Agenda, AgendaItem, AgendaRequest, Answer, LifecycleActivities } from '../src/contracts/activities.js';
import { wordsOf } from '../src/domain/agenda-words.js';
import {
  LARGEST_CROWD,
  isWaitingToBeAccepted,
  momentsOf,
  needsMarking,
  nextTryOf,
  repeatDelayMs,
  retryDelayMs,
  wakeDelayMs,
} from '../src/domain/delivery.js';
import type { Subscriber } from '../src/domain/policy.js';
import { deliveryMetrics } from '../src/observability/metrics.js';
import {
  beginAttempt,
  countPlannedAt,
  endAttempt,
  fallDue,
  markOverdue,
  noteAnswer,
  noteReason,
  readAgenda,
} from '../src/store/agenda.js';
import type { OpenDelivery, PersonAgenda } from '../src/store/agenda.js';
import type { DeliverDependencies } from './deliver-dependencies.js';
import { heartbeating } from './failures.js';
import { sendDelivery, whyUnanswered } from './send.js';

/** For a subscriber that the policy does not name any more. */
const DEFAULT_ACKNOWLEDGE_SECONDS = 86_400;

/** Activities of `employeeLifecycle`: the truth is in the database, the waiting in the workflow. */
export function createLifecycleActivities(dependencies: DeliverDependencies): LifecycleActivities {
  return {
    advanceAgenda: heartbeating(async (request) => new Advancing(dependencies, request).advance(request.answers)),
  };
}

/** One look at one person's agenda. */
class Advancing {
  private readonly dependencies: DeliverDependencies;
  private readonly person: AgendaRequest;

  constructor(dependencies: DeliverDependencies, { connectionId, employeeId }: AgendaRequest) {
    this.dependencies = dependencies;
    this.person = { connectionId, employeeId };
  }

  async advance(answers: readonly Answer[]): Promise<Agenda> {
    for (const answer of answers) await this.note(answer);
    const before = await this.read();
    const isAnythingDue = await this.settle(before);
    const agenda = isAnythingDue ? await this.read() : before;
    const hasTried = await this.send(agenda);
    return this.agendaOf(hasTried ? await this.read() : agenda);
  }

  private async read(): Promise<PersonAgenda> {
    return readAgenda(this.dependencies.database, this.person);
  }

  private async note(answer: Answer): Promise<void> {
    const { database, logger } = this.dependencies;
    if (await noteAnswer(database, this.person, answer)) return;
    deliveryMetrics().answerIgnored();
    logger.info(
      { connectionId: this.person.connectionId, deliveryId: answer.deliveryId },
      'An answer changed nothing: unknown, given before, or about what was withdrawn',
    );
  }

  /** What time alone has brought about. @returns whether the agenda has changed. */
  private async settle({ now, planned, deliveries }: PersonAgenda): Promise<boolean> {
    const { database } = this.dependencies;
    const metrics = deliveryMetrics();
    const hasDue = planned.some(({ dueAt }) => dueAt <= now);
    if (hasDue) await fallDue(database, this.person);
    const hasToMark = deliveries.some((delivery) => needsMarking(delivery, now));
    if (hasToMark) {
      const escalateTo = (name: string): string | null => this.subscriber(name)?.escalateTo ?? null;
      const { overdue, dead, escalated } = await markOverdue(database, this.person, escalateTo);
      for (const { subscriber } of overdue) metrics.overdue(subscriber);
      for (const { subscriber } of dead) metrics.dead(subscriber);
      for (const one of escalated) metrics.escalated(one.escalateTo);
      const silent = new Set(overdue.map(({ deliveryId }) => deliveryId));
      for (const delivery of deliveries) if (silent.has(delivery.deliveryId)) await this.explainSilence(delivery);
    }
    return hasDue || hasToMark;
  }

  /** Says in the row why an accepted delivery became overdue. */
  private async explainSilence(delivery: OpenDelivery): Promise<void> {
    const subscriber = this.subscriber(delivery.subscriber);
    if (delivery.sentAt === null || subscriber === undefined) return;
    const reason = await whyUnanswered(this.dependencies, subscriber, this.person);
    await noteReason(this.dependencies.database, delivery.deliveryId, reason);
  }

  /** Every subscriber on its own, so that one that is stuck holds nobody else up. */
  private async send({ now, deliveries }: PersonAgenda): Promise<boolean> {
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

  /** One after the other: what has to wait holds back what comes after it. */
  private async sendTo(deliveries: readonly OpenDelivery[], now: string): Promise<boolean> {
    let isHeld = false;
    let hasTried = false;
    for (const delivery of deliveries) {
      const isUnsent = isWaitingToBeAccepted(delivery);
      if (isUnsent && isHeld) continue;
      const nextTry = nextTryOf(delivery);
      const isTime = nextTry !== null && nextTry <= now && delivery.dueAt <= now;
      if (isTime) hasTried = true;
      const isAccepted = isTime && (await this.attempt(delivery));
      if (isUnsent && !isAccepted) isHeld = true;
    }
    return hasTried;
  }

  /** @returns whether what comes after it may go: Temporal accepted it, or it was withdrawn meanwhile. */
  private async attempt(delivery: OpenDelivery): Promise<boolean> {
    // A look that took too long is done again by another one, and must not send beside it. One whose worker is going ends what it has begun.
    if (cancellationSignal().aborted && cancellationDetails()?.workerShutdown !== true) await cancelled();
    const { database } = this.dependencies;
    const { deliveryId } = delivery;
    const subscriber = this.subscriber(delivery.subscriber);
    const within = subscriber?.acknowledgeWithinSeconds ?? DEFAULT_ACKNOWLEDGE_SECONDS;
    // Looked up before it is signalled again: afterwards a new workflow may be running.
    const silence =
      delivery.sentAt === null || subscriber === undefined
        ? null
        : await whyUnanswered(this.dependencies, subscriber, this.person);
    if (!(await beginAttempt(database, deliveryId, within))) return true;
    const refusal =
      subscriber === undefined
        ? 'The policy names no such subscriber any more.'
        : await sendDelivery(this.dependencies, this.person, delivery, subscriber);
    const isAccepted = refusal === null;
    const nextAttemptInMs = isAccepted ? repeatDelayMs(within) : retryDelayMs(delivery.refusals + 1);
    await endAttempt(database, { deliveryId, isAccepted, reason: refusal ?? silence, nextAttemptInMs });
    this.count(delivery, isAccepted);
    return isAccepted;
  }

  private count(delivery: OpenDelivery, isAccepted: boolean): void {
    const { subscriber, kind } = delivery;
    if (!isAccepted) deliveryMetrics().refused(subscriber);
    else if (delivery.sentAt === null)
      deliveryMetrics().accepted({ subscriber, kind }, (Date.now() - Date.parse(momentToldOf(delivery))) / 1_000);
  }

  private async agendaOf(agenda: PersonAgenda): Promise<Agenda> {
    const { planned, deliveries } = agenda;
    const moments = momentsOf(deliveries);
    const { employeeId } = this.person;
    const told = new Set(deliveries.map(({ eventId }) => eventId));
    const waiting = planned.map(({ eventId, kind, dueAt: at, timeZone }): AgendaItem => {
      const entry = { kind, at, timeZone, purpose: 'event', subscriber: null, state: 'planned', attempts: 0 } as const;
      const sentence = wordsOf({ ...entry, sentAt: null }, employeeId);
      return { deliveryId: null, eventId, kind, subscriber: null, state: 'planned', at, sentence };
    });
    const open = deliveries.map((delivery, index): AgendaItem => {
      const at = moments[index] ?? null;
      const { deliveryId, eventId, kind, subscriber, state } = delivery;
      return { deliveryId, eventId, kind, subscriber, state, at, sentence: wordsOf({ ...delivery, at }, employeeId) };
    });
    return {
      items: [...open, ...waiting.filter(({ eventId }) => !told.has(eventId))].sort(byMoment),
      nextInMs: await this.nextInMs(agenda, moments),
    };
  }

  /** What nobody was told yet of a planned event comes to a whole crowd at once, and is met in turn; all else at its moment. */
  private async nextInMs(
    { now, planned, deliveries }: PersonAgenda,
    moments: readonly (string | null)[],
  ): Promise<number | null> {
    const msUntil = (at: string): number => Math.max(0, Date.parse(at) - Date.parse(now));
    const shared = planned.map(({ dueAt }) => ({ at: dueAt, dueAt }));
    const waits: number[] = [];
    for (const [index, at] of moments.entries()) {
      const delivery = deliveries[index];
      if (at === null || delivery === undefined) continue;
      const event = planned.find(({ eventId }) => eventId === delivery.eventId);
      if (event !== undefined && delivery.firstAttemptAt === null) shared.push({ at, dueAt: event.dueAt });
      else waits.push(msUntil(at));
    }
    const [first] = shared.sort((one, other) => (one.at < other.at ? -1 : 1));
    if (first !== undefined) waits.push(msUntil(first.at) + (first.at > now ? await this.turnMs(first.dueAt) : 0));
    return waits.length === 0 ? null : Math.min(...waits);
  }

  private async turnMs(dueAt: string): Promise<number> {
    const { connectionId } = this.person;
    const together = await countPlannedAt(this.dependencies.database, connectionId, dueAt, LARGEST_CROWD);
    return wakeDelayMs(together, Math.random());
  }

  private subscriber(name: string): Subscriber | undefined {
    return this.dependencies.policy.subscribers.find((subscriber) => subscriber.name === name);
  }
}

/** What is overdue or failed comes first, then what comes next; what waits for another comes last. */
function byMoment(one: AgendaItem, other: AgendaItem): number {
  const rank = ({ state }: AgendaItem): number => (state === 'overdue' || state === 'failed' ? 0 : 1);
  if (rank(one) !== rank(other)) return rank(one) - rank(other);
  return (one.at ?? '9') < (other.at ?? '9') ? -1 : 1;
}

/** The moment that a delay is measured against: the effective one of what is told then, else the one that was asked for. */
function momentToldOf({ kind, purpose, dueAt, effectiveAt }: OpenDelivery): string {
  const isPlannedKind = kind === 'joiner.started' || kind === 'leaver.left';
  return isPlannedKind && purpose === 'event' && dueAt >= effectiveAt ? effectiveAt : dueAt;
}
