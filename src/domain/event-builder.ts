import type { EventKind } from '../contracts/public/events.js';
import type { EmploymentStatus } from './employment.js';
import { createEventDraft, toEffectiveMoment } from './event-draft.js';
import type { EventOptions } from './event-draft.js';
import type { DecideContext, DecideInput, EventDraft, LifecycleRule, PersonState, PlannedEvent } from './lifecycle.js';
import { findMoves, findRenames } from './movers.js';
import type { BrakeClass } from './policy.js';
import type { EmployeeRecord } from './records.js';
import { hasCome } from './zones.js';

/** Subject of one decision: both states of the person, and the day. */
export interface TransitionContext {
  readonly input: DecideInput;
  readonly context: DecideContext;
  readonly previous: PersonState | null;
  /** The record as read, with the last known values in place of absent attributes. */
  readonly current: EmployeeRecord;
  readonly zone: string;
  readonly today: string;
  readonly employment: EmploymentStatus;
}

/** Builds the events of one decision, what they supersede, and the dates that remain announced. */
export class EventBuilder {
  readonly events: EventDraft[] = [];
  readonly superseded: { eventId: string; by: string | null }[] = [];
  episode: number;
  announcedStart: string | null;
  announcedEnd: string | null;
  formerEnd: string | null;
  private readonly transition: TransitionContext;
  private hasEarlierEnd = false;

  constructor(transition: TransitionContext) {
    this.transition = transition;
    this.episode = transition.previous?.episode ?? 1;
    this.announcedStart = transition.previous?.announcedStart ?? null;
    this.announcedEnd = transition.previous?.announcedEnd ?? null;
    this.formerEnd = transition.previous?.formerEnd ?? null;
  }

  /** Begins a new employment, and withdraws the planned end of the former one. */
  beginEpisode(formerEnd: string | null, rule: LifecycleRule): void {
    this.episode += 1;
    this.formerEnd = formerEnd;
    this.withdrawEnd(rule);
    this.announcedStart = null;
  }

  /** Adds the leaving of an employed person. Without a past or present end it counts from today. */
  endEmployment(): void {
    const { employment, today, current, zone } = this.transition;
    const { end, isOutByStatus } = employment;
    const date = end !== null && end <= today ? end : today;
    // It has another day or another zone: on its own day, it falls due as planned.
    const planned = this.findPlanned('leaver.left');
    // Its withdrawal was asked about, and has gone: it falls due as planned, only later.
    if (planned?.isOnHold === true && planned.effectiveDate === date && planned.timeZone === zone) return;
    const rule = isOutByStatus ? 'out-by-status' : 'out-by-date';
    // The status is a fact of its own: approving a future end does not approve an immediate one.
    const options = { newValues: current.status === 'inactive' ? ['inactive'] : [] };
    const left = this.createDraft('leaver.left', date, rule, { ...options, isDueNow: isOutByStatus });
    if (planned !== undefined) {
      const notice = this.addEvent('leaver.rescheduled', date, rule, { ...options, supersedes: planned.eventId });
      this.superseded.push({ eventId: planned.eventId, by: notice.eventId });
    }
    this.hasEarlierEnd = true;
    this.announcedEnd = date;
    this.events.push(left);
  }

  /** Follows the future end of a person who is announced or employed. An end that did not move is no event. */
  followEnd(end = this.transition.employment.end): void {
    const { zone } = this.transition;
    const before = this.announcedEnd;
    const planned = this.findPlanned('leaver.left');
    if (end === before && (before === null || planned === undefined || planned.timeZone === zone)) return;
    if (end === null) {
      this.withdrawEnd('end-withdrawn');
    } else if (before === null) {
      this.addEvent('leaver.announced', end, 'end-announced');
      this.planEnd(end, 'end-planned');
      this.hasEarlierEnd = true;
    } else {
      this.hasEarlierEnd = end < before;
      const notice = this.addEvent('leaver.rescheduled', end, 'end-moved', { supersedes: planned?.eventId ?? null });
      if (planned !== undefined) this.superseded.push({ eventId: planned.eventId, by: notice.eventId });
      this.planEnd(end, 'end-moved');
    }
  }

  moveStart(date: string): void {
    const planned = this.findPlanned('joiner.started');
    const isSame = date === this.announcedStart && (planned === undefined || planned.timeZone === this.transition.zone);
    if (isSame || this.announcedStart === null) {
      if (!isSame) this.planStart(date, 'start-planned');
      return;
    }
    const notice = this.addEvent('joiner.rescheduled', date, 'start-moved', { supersedes: planned?.eventId ?? null });
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
    this.addEvent('joiner.started', date, rule);
  }

  planEnd(date: string, rule: LifecycleRule): void {
    this.announcedEnd = date;
    this.addEvent('leaver.left', date, rule);
  }

  /** Adds moves, renames and leave between two states of one episode. Leave counts only if both states are employed. */
  addChanges(isContinuouslyEmployed: boolean): void {
    const { previous, current, context, input, employment, today } = this.transition;
    if (previous === null) return;
    const { ignoreAttributes } = context.lifecycle;
    const atOnce = { effectiveAt: input.collectedAt };
    const moves = findMoves(previous.record, current, ignoreAttributes);
    if (moves.length > 0) this.addEvent('mover.changed', today, 'moved', { ...atOnce, changes: moves });
    const renames = findRenames(previous.record, current, ignoreAttributes);
    if (renames.changes.length > 0) this.addEvent('mover.renamed', today, 'renamed', { ...atOnce, ...renames });
    const wasOnLeave = previous.record.status === 'leave';
    if (!isContinuouslyEmployed || wasOnLeave === employment.isOnLeave) return;
    if (wasOnLeave) this.addEvent('mover.leave-ended', today, 'leave-ended', atOnce);
    else this.addEvent('mover.leave-started', today, 'leave-started', atOnce);
  }

  addEvent(kind: EventKind, date: string, rule: LifecycleRule, more: EventOptions = {}): EventDraft {
    const event = this.createDraft(kind, date, rule, more);
    this.events.push(event);
    return event;
  }

  /** Returns the gravest class of the events. A withdrawn start and a later end alone have none and always pass. */
  getBrakeClass(): BrakeClass | null {
    if (this.hasEarlierEnd) return 'leavers';
    const kinds = this.events.map((event) => event.kind);
    if (kinds.some((kind) => kind.startsWith('joiner.') && kind !== 'joiner.rescinded')) return 'joiners';
    // With the start withdrawn as well, holding would let a person start who never comes.
    if (kinds.includes('leaver.rescinded') && !kinds.includes('joiner.rescinded')) return 'withdrawals';
    return kinds.some((kind) => kind.startsWith('mover.')) ? 'movers' : null;
  }

  /**
   * Finds a planned event that is still ahead or on hold. One that has fallen due stays due, even if it is not marked
   * yet.
   */
  private findPlanned(kind: EventKind): PlannedEvent | undefined {
    const { previous, input } = this.transition;
    return previous?.planned.find(
      (event) =>
        event.kind === kind &&
        (event.isOnHold === true ||
          !hasCome(toEffectiveMoment(kind, event.effectiveDate, event.timeZone), input.collectedAt)),
    );
  }

  private withdraw(kind: EventKind, notice: EventKind, rule: LifecycleRule): void {
    const planned = this.findPlanned(kind);
    if (planned === undefined) return;
    const rescinded = this.addEvent(notice, planned.effectiveDate, rule, { supersedes: planned.eventId });
    this.superseded.push({ eventId: planned.eventId, by: rescinded.eventId });
  }

  private createDraft(kind: EventKind, date: string, rule: LifecycleRule, more: EventOptions): EventDraft {
    const { input, context, previous, current, zone } = this.transition;
    const { connectionId, employeeId, collectedAt } = input;
    const subject = { connectionId, employeeId, collectedAt, episode: this.episode, version: previous?.version ?? 0 };
    return createEventDraft(
      { ...subject, record: current, zone, digest: context.digest },
      { kind, date, rule, ...more },
    );
  }
}
