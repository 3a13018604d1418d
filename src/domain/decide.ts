import type { EventKind } from '../contracts/events.js';
import type {
  DecideContext,
  DecideInput,
  Decision,
  LifecycleState,
  PersonState,
  PlannedEvent,
  ProposedEvent,
} from './lifecycle.js';
import { buildEvent, momentOf } from './event-facts.js';
import type { EventExtras } from './event-facts.js';
import { movesBetween, renamesBetween } from './movers.js';
import type { BrakeClass } from './policy.js';
import type { EmployeeRecord } from './records.js';
import { odditiesOf, standingOf, withoutAbsences } from './standing.js';
import type { Phase, Standing } from './standing.js';
import { dayAt, zoneOf } from './zones.js';

/**
 * Decides what happened to one person between two states, on the day on which collecting ended. Pure: the same input gives the same
 * events with the same ids, today or next week. The rules, each with its reason, are the table in docs/lifecycle.md.
 */
export function decide(input: DecideInput, context: DecideContext): Decision {
  return input.current === null ? decideMissing(input, context) : new Deciding(input, input.current, context).decide();
}

/** Missing is not left: the old state stands. Gone twice in a row, and confirmed by id, is deleted. */
function decideMissing(input: DecideInput, context: DecideContext): Decision {
  const { previous } = input;
  if (previous === null) throw new RangeError('Nobody can be missing who was never seen.');
  const unchanged = {
    ...{ lifecycleState: previous.lifecycleState, episode: previous.episode, oddities: [] },
    ...{ announcedStart: previous.announcedStart, announcedEnd: previous.announcedEnd },
  };
  if (previous.deletedAt !== null) return { ...unchanged, events: [], superseded: [], brakeClass: null };
  if (!input.confirmedGone || previous.missingSince === null) {
    return { ...unchanged, events: [], superseded: [], brakeClass: previous.missingSince === null ? 'missing' : null };
  }
  const deciding = new Deciding(input, previous.record, context);
  return { ...deciding.deleted(), brakeClass: 'missing' };
}

class Deciding {
  private readonly input: DecideInput;
  private readonly context: DecideContext;
  private readonly previous: PersonState | null;
  private readonly current: EmployeeRecord;
  private readonly zone: string;
  private readonly today: string;
  private readonly now: Standing;
  private readonly events: ProposedEvent[] = [];
  private readonly superseded: { eventId: string; by: string | null }[] = [];
  private episode: number;
  private announcedStart: string | null;
  private announcedEnd: string | null;
  private isEarlierEnd = false;

  constructor(input: DecideInput, current: EmployeeRecord, context: DecideContext) {
    this.input = input;
    this.context = context;
    this.previous = input.previous;
    this.current = withoutAbsences(current, input.previous?.record ?? null);
    this.zone = zoneOf(this.current.office, context.offices);
    this.today = dayAt(input.collectedAt, this.zone);
    this.now = standingOf(this.current, this.today, context.lifecycle.leaverEndsOn);
    this.episode = this.previous?.episode ?? 1;
    this.announcedStart = this.previous?.announcedStart ?? null;
    this.announcedEnd = this.previous?.announcedEnd ?? null;
  }

  decide(): Decision {
    const phase =
      this.input.baseline && this.previous === null ? this.planBaseline() : this.follow(this.previousPhase());
    return this.decision(phase);
  }

  deleted(): Decision {
    this.withdrawStart('gone-deleted');
    this.propose('leaver.deleted', this.today, 'gone-deleted', { effectiveAt: this.input.collectedAt });
    const { lifecycleState } = this.previous ?? { lifecycleState: null };
    return { ...this.decision('out'), lifecycleState: lifecycleState === 'announced' ? null : lifecycleState };
  }

  private decision(phase: Phase): Decision {
    const isHere = phase === 'announced' || phase === 'employed';
    return {
      lifecycleState: this.stateOf(phase),
      episode: this.episode,
      announcedStart: isHere ? this.announcedStart : null,
      announcedEnd: isHere ? this.announcedEnd : null,
      events: this.events.filter((event) => !this.context.lifecycle.ignoreKinds.includes(event.kind)),
      superseded: this.superseded,
      brakeClass: this.input.baseline ? null : this.brakeClass(),
      oddities: odditiesOf(this.current, this.context.offices),
    };
  }

  /** Where the person stood when collecting ended, had nothing been read: what was planned has fallen due meanwhile. */
  private previousPhase(): Phase {
    const { previous } = this;
    if (previous === null) return 'none';
    if (previous.deletedAt !== null) return 'out';
    switch (previous.lifecycleState) {
      case null:
        return 'none';
      case 'announced':
        return this.hasFallenDue('joiner.started', previous.announcedStart) ? this.endedOr('employed') : 'announced';
      case 'employed':
      case 'on leave':
      case 'leaving':
        return this.endedOr('employed');
      case 'left':
        return 'out';
    }
  }

  private endedOr(phase: Phase): Phase {
    return this.hasFallenDue('leaver.left', this.previous?.announcedEnd ?? null) ? 'out' : phase;
  }

  private hasFallenDue(kind: EventKind, date: string | null): boolean {
    if (date === null) return false;
    const planned = this.planned(kind);
    const zone = planned?.timeZone ?? zoneOf(this.previous?.record.office ?? null, this.context.offices);
    return momentOf(kind, date, zone) <= this.input.collectedAt;
  }

  private planned(kind: EventKind): PlannedEvent | undefined {
    return this.previous?.planned.find((event) => event.kind === kind);
  }

  /** The first complete snapshot is no news: it only plans what is to come. */
  private planBaseline(): Phase {
    const { phase, start, end } = this.now;
    if (phase === 'announced' && start !== null) this.planStart(start, 'baseline-start');
    if (phase !== 'out' && phase !== 'none' && end !== null) this.planEnd(end, 'baseline-end');
    return phase;
  }

  private follow(before: Phase): Phase {
    switch (before) {
      case 'none':
        return this.fromNone();
      case 'announced':
        return this.fromAnnounced();
      case 'employed':
        return this.fromEmployed();
      case 'out':
        return this.previous === null ? this.fromNone() : this.fromOut();
    }
  }

  private fromNone(): Phase {
    const { phase, start } = this.now;
    if (phase === 'announced' && start !== null) {
      this.propose('joiner.announced', start, 'start-announced');
      this.planStart(start, 'start-planned');
    }
    if (phase === 'employed') this.planStart(start ?? this.today, 'start-first-seen');
    this.followEnd();
    return phase;
  }

  private fromAnnounced(): Phase {
    const { phase, start } = this.now;
    if (phase === 'none' || phase === 'out') {
      this.withdrawStart('start-withdrawn');
      this.withdrawEnd('start-withdrawn');
      return phase;
    }
    const date = phase === 'announced' ? start : (start ?? this.today);
    if (date !== null) this.moveStart(date);
    this.followEnd();
    this.proposeMoves(false);
    return phase;
  }

  private fromEmployed(): Phase {
    const { phase, start, isOnboarding } = this.now;
    if (phase === 'out') {
      this.leave();
      return 'out';
    }
    if (phase === 'announced' && isOnboarding && start !== null) {
      this.propose('joiner.rescheduled', start, 'start-back-to-onboarding');
      this.planStart(start, 'start-back-to-onboarding');
      this.followEnd();
      return 'announced';
    }
    this.followEnd();
    this.proposeMoves(true);
    return 'employed';
  }

  private fromOut(): Phase {
    const { phase, start } = this.now;
    if (phase === 'out' || phase === 'none') return 'out';
    const formerEnd = this.formerEnd();
    const begins = start !== null && (formerEnd === null || start > formerEnd) ? start : this.today;
    this.episode += 1;
    this.announcedStart = null;
    this.announcedEnd = null;
    for (const planned of this.previous?.planned ?? []) this.superseded.push({ eventId: planned.eventId, by: null });
    this.propose('joiner.rehired', begins, 'back-again');
    this.planStart(begins, 'back-again');
    this.followEnd();
    return phase;
  }

  private formerEnd(): string | null {
    const { previous } = this;
    if (previous === null) return null;
    return previous.announcedEnd ?? standingOf(previous.record, this.today, this.context.lifecycle.leaverEndsOn).end;
  }

  /** An end in the past puts the person out; by status it counts from its date or from today. */
  private leave(): void {
    const { end, isOutByStatus } = this.now;
    const date = end !== null && end <= this.today ? end : this.today;
    const planned = this.planned('leaver.left');
    const rule = isOutByStatus ? 'out-by-status' : 'out-by-date';
    const left = this.built('leaver.left', date, rule, isOutByStatus ? { isDueNow: true } : {});
    if (planned !== undefined && planned.effectiveDate !== date) {
      const notice = this.propose('leaver.rescheduled', date, rule, { supersedes: planned.eventId });
      this.superseded.push({ eventId: planned.eventId, by: notice.eventId });
    } else if (planned !== undefined) {
      this.superseded.push({ eventId: planned.eventId, by: left.eventId });
    }
    this.isEarlierEnd = true;
    this.events.push(left);
  }

  /** Follows the coming end of whoever is announced or employed. An end that did not move is no event. */
  private followEnd(): void {
    const { phase, end } = this.now;
    if (phase !== 'announced' && phase !== 'employed') return;
    const before = this.announcedEnd;
    const planned = this.planned('leaver.left');
    if (end === before && (planned === undefined || planned.timeZone === this.zone)) return;
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

  private moveStart(date: string): void {
    const planned = this.planned('joiner.started');
    const isSame = date === this.announcedStart && (planned === undefined || planned.timeZone === this.zone);
    if (isSame || this.announcedStart === null) {
      if (!isSame) this.planStart(date, 'start-planned');
      return;
    }
    const notice = this.propose('joiner.rescheduled', date, 'start-moved', { supersedes: planned?.eventId ?? null });
    if (planned !== undefined) this.superseded.push({ eventId: planned.eventId, by: notice.eventId });
    this.planStart(date, 'start-moved');
  }

  private withdrawStart(rule: string): void {
    this.withdraw('joiner.started', 'joiner.rescinded', rule);
    this.announcedStart = null;
  }

  private withdrawEnd(rule: string): void {
    this.withdraw('leaver.left', 'leaver.rescinded', rule);
    this.announcedEnd = null;
  }

  private withdraw(kind: EventKind, notice: EventKind, rule: string): void {
    const planned = this.planned(kind);
    if (planned === undefined) return;
    const rescinded = this.propose(notice, planned.effectiveDate, rule, { supersedes: planned.eventId });
    this.superseded.push({ eventId: planned.eventId, by: rescinded.eventId });
  }

  private planStart(date: string, rule: string): void {
    this.announcedStart = date;
    this.propose('joiner.started', date, rule);
  }

  private planEnd(date: string, rule: string): void {
    this.announcedEnd = date;
    this.propose('leaver.left', date, rule);
  }

  private proposeMoves(isEmployedTwice: boolean): void {
    const { previous } = this;
    if (previous === null) return;
    const { ignoreAttributes } = this.context.lifecycle;
    const moves = movesBetween(previous.record, this.current, ignoreAttributes);
    const now = { effectiveAt: this.input.collectedAt };
    if (moves.length > 0) this.propose('mover.changed', this.today, 'moved', { ...now, changes: moves });
    const renames = renamesBetween(previous.record, this.current, ignoreAttributes);
    if (renames.changes.length > 0) {
      this.propose('mover.renamed', this.today, 'renamed', {
        ...now,
        changes: renames.changes,
        newValues: renames.newValues,
      });
    }
    const wasOnLeave = previous.record.status === 'leave';
    if (!isEmployedTwice || wasOnLeave === this.now.isOnLeave) return;
    this.propose(
      wasOnLeave ? 'mover.leave-ended' : 'mover.leave-started',
      this.today,
      wasOnLeave ? 'leave-ended' : 'leave-started',
      now,
    );
  }

  private propose(kind: EventKind, date: string, rule: string, more: EventExtras = {}): ProposedEvent {
    const event = this.built(kind, date, rule, more);
    this.events.push(event);
    return event;
  }

  private built(kind: EventKind, date: string, rule: string, more: EventExtras): ProposedEvent {
    const { connectionId, employeeId, collectedAt } = this.input;
    const subject = {
      connectionId,
      employeeId,
      collectedAt,
      episode: this.episode,
      version: this.previous?.version ?? 0,
    };
    return buildEvent(
      { ...subject, record: this.current, zone: this.zone, digest: this.context.digest },
      { kind, date, rule, ...more },
    );
  }

  private stateOf(phase: Phase): LifecycleState | null {
    switch (phase) {
      case 'none':
        return null;
      case 'announced':
        return 'announced';
      case 'out':
        return 'left';
      case 'employed':
        if (this.announcedEnd !== null) return 'leaving';
        return this.now.isOnLeave ? 'on leave' : 'employed';
    }
  }

  /** The gravest class counts. What only withdraws always passes. */
  private brakeClass(): BrakeClass | null {
    if (this.isEarlierEnd) return 'leavers';
    const kinds = this.events.map((event) => event.kind);
    if (kinds.some((kind) => kind.startsWith('joiner.') && kind !== 'joiner.rescinded')) return 'joiners';
    return kinds.some((kind) => kind.startsWith('mover.')) ? 'movers' : null;
  }
}
