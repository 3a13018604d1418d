import type { EventKind } from '../contracts/events.js';
import { buildEvent, momentOf } from './event-facts.js';
import type { EventExtras } from './event-facts.js';
import type {
  DecideContext,
  DecideInput,
  LifecycleRule,
  PersonState,
  PlannedEvent,
  ProposedEvent,
} from './lifecycle.js';
import { movesBetween, renamesBetween } from './movers.js';
import type { BrakeClass } from './policy.js';
import type { EmployeeRecord } from './records.js';
import type { Standing } from './standing.js';

/** What one decision is about: both states of the person, and the day. */
export interface Facts {
  readonly input: DecideInput;
  readonly context: DecideContext;
  readonly previous: PersonState | null;
  /** As read, with the last known values in place of absent ones. */
  readonly current: EmployeeRecord;
  readonly zone: string;
  readonly today: string;
  readonly now: Standing;
}

/** The news of one decision: events, what they supersede, and the dates that stand announced afterwards. */
export class Proposals {
  readonly events: ProposedEvent[] = [];
  readonly superseded: { eventId: string; by: string | null }[] = [];
  episode: number;
  announcedStart: string | null;
  announcedEnd: string | null;
  private readonly facts: Facts;
  private isEarlierEnd = false;

  constructor(facts: Facts) {
    this.facts = facts;
    this.episode = facts.previous?.episode ?? 1;
    this.announcedStart = facts.previous?.announcedStart ?? null;
    this.announcedEnd = facts.previous?.announcedEnd ?? null;
  }

  /** From here on everything belongs to a new employment; what was still planned of the former one is withdrawn. */
  beginEpisode(rule: LifecycleRule): void {
    this.episode += 1;
    this.withdrawEnd(rule);
    this.announcedStart = null;
  }

  /** An end in the past puts the person out; by status it counts from its date or from today. */
  leave(): void {
    const { now, today, current } = this.facts;
    const { end, isOutByStatus } = now;
    const date = end !== null && end <= today ? end : today;
    const planned = this.planned('leaver.left');
    const rule = isOutByStatus ? 'out-by-status' : 'out-by-date';
    // The status is a fact of its own: who approved an end to come has not approved one at once.
    const facts = { newValues: current.status === 'inactive' ? ['inactive'] : [] };
    const left = this.built('leaver.left', date, rule, { ...facts, isDueNow: isOutByStatus });
    if (planned !== undefined && planned.effectiveDate !== date) {
      const notice = this.propose('leaver.rescheduled', date, rule, { ...facts, supersedes: planned.eventId });
      this.superseded.push({ eventId: planned.eventId, by: notice.eventId });
    } else if (planned !== undefined) {
      this.superseded.push({ eventId: planned.eventId, by: left.eventId });
    }
    this.isEarlierEnd = true;
    this.announcedEnd = date;
    this.events.push(left);
  }

  /** Follows the coming end of whoever is announced or employed. An end that did not move is no event. */
  followEnd(): void {
    const { now, zone } = this.facts;
    const { end } = now;
    const before = this.announcedEnd;
    const planned = this.planned('leaver.left');
    if (end === before && (before === null || planned === undefined || planned.timeZone === zone)) return;
    if (end === null) {
      this.withdrawEnd('end-withdrawn');
    } else if (before === null) {
      this.propose('leaver.announced', end, 'end-announced');
      this.planEnd(end, 'end-planned');
      this.isEarlierEnd = true;
    } else {
      this.isEarlierEnd = end < before;
      const notice = this.propose('leaver.rescheduled', end, 'end-moved', { supersedes: planned?.eventId ?? null });
      if (planned !== undefined) this.superseded.push({ eventId: planned.eventId, by: notice.eventId });
      this.planEnd(end, 'end-moved');
    }
  }

  moveStart(date: string): void {
    const planned = this.planned('joiner.started');
    const isSame = date === this.announcedStart && (planned === undefined || planned.timeZone === this.facts.zone);
    if (isSame || this.announcedStart === null) {
      if (!isSame) this.planStart(date, 'start-planned');
      return;
    }
    const notice = this.propose('joiner.rescheduled', date, 'start-moved', { supersedes: planned?.eventId ?? null });
    if (planned !== undefined) this.superseded.push({ eventId: planned.eventId, by: notice.eventId });
    this.planStart(date, 'start-moved');
  }

  withdrawStart(rule: LifecycleRule): void {
    this.withdraw('joiner.started', 'joiner.rescinded', rule);
    this.announcedStart = null;
  }

  withdrawEnd(rule: LifecycleRule): void {
    this.withdraw('leaver.left', 'leaver.rescinded', rule);
    this.announcedEnd = null;
  }

  planStart(date: string, rule: LifecycleRule): void {
    this.announcedStart = date;
    this.propose('joiner.started', date, rule);
  }

  planEnd(date: string, rule: LifecycleRule): void {
    this.announcedEnd = date;
    this.propose('leaver.left', date, rule);
  }

  /** Moves, renames and leave between two states of one episode. */
  move(isEmployedTwice: boolean): void {
    const { previous, current, context, input, now, today } = this.facts;
    if (previous === null) return;
    const { ignoreAttributes } = context.lifecycle;
    const atOnce = { effectiveAt: input.collectedAt };
    const moves = movesBetween(previous.record, current, ignoreAttributes);
    if (moves.length > 0) this.propose('mover.changed', today, 'moved', { ...atOnce, changes: moves });
    const renames = renamesBetween(previous.record, current, ignoreAttributes);
    if (renames.changes.length > 0) this.propose('mover.renamed', today, 'renamed', { ...atOnce, ...renames });
    const wasOnLeave = previous.record.status === 'leave';
    if (!isEmployedTwice || wasOnLeave === now.isOnLeave) return;
    if (wasOnLeave) this.propose('mover.leave-ended', today, 'leave-ended', atOnce);
    else this.propose('mover.leave-started', today, 'leave-started', atOnce);
  }

  propose(kind: EventKind, date: string, rule: LifecycleRule, more: EventExtras = {}): ProposedEvent {
    const event = this.built(kind, date, rule, more);
    this.events.push(event);
    return event;
  }

  /** The gravest class counts. What only withdraws always passes. */
  brakeClass(): BrakeClass | null {
    if (this.isEarlierEnd) return 'leavers';
    const kinds = this.events.map((event) => event.kind);
    if (kinds.some((kind) => kind.startsWith('joiner.') && kind !== 'joiner.rescinded')) return 'joiners';
    return kinds.some((kind) => kind.startsWith('mover.')) ? 'movers' : null;
  }

  /** What fell due stays due, even where nobody has marked it yet. */
  private planned(kind: EventKind): PlannedEvent | undefined {
    const { previous, input } = this.facts;
    return previous?.planned.find(
      (event) => event.kind === kind && momentOf(kind, event.effectiveDate, event.timeZone) > input.collectedAt,
    );
  }

  private withdraw(kind: EventKind, notice: EventKind, rule: LifecycleRule): void {
    const planned = this.planned(kind);
    if (planned === undefined) return;
    const rescinded = this.propose(notice, planned.effectiveDate, rule, { supersedes: planned.eventId });
    this.superseded.push({ eventId: planned.eventId, by: rescinded.eventId });
  }

  private built(kind: EventKind, date: string, rule: LifecycleRule, more: EventExtras): ProposedEvent {
    const { input, context, previous, current, zone } = this.facts;
    const { connectionId, employeeId, collectedAt } = input;
    const subject = { connectionId, employeeId, collectedAt, episode: this.episode, version: previous?.version ?? 0 };
    return buildEvent({ ...subject, record: current, zone, digest: context.digest }, { kind, date, rule, ...more });
  }
}
