import type { EventKind } from '../contracts/events.js';
import { momentOf } from './event-facts.js';
import type { DecideContext, DecideInput, Decision, LifecycleState, PersonState, ProposedEvent } from './lifecycle.js';
import { Proposals } from './proposals.js';
import type { Facts } from './proposals.js';
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
    ...{ lifecycleState: previous.lifecycleState, episode: previous.episode, isDeleted: false, oddities: [] },
    ...{ announcedStart: previous.announcedStart, announcedEnd: previous.announcedEnd, events: [], superseded: [] },
  };
  if (previous.deletedAt !== null) return { ...unchanged, unmade: [], brakeClass: null };
  const deleted = new Deciding(input, previous.record, context).deleted();
  if (input.confirmedGone && previous.missingSince !== null) return deleted;
  // What a person is asked about is the deletion that this would become: its id is the same in the next read.
  const unmade = [...deleted.events, ...deleted.unmade].filter(({ kind }) => kind === 'leaver.deleted');
  return { ...unchanged, unmade, brakeClass: previous.missingSince === null ? 'missing' : null };
}

/** Takes the person from the phase before to the phase of the record, one method a former phase. */
class Deciding {
  private readonly facts: Facts;
  private readonly previous: PersonState | null;
  private readonly today: string;
  private readonly now: Standing;
  private readonly news: Proposals;

  constructor(input: DecideInput, record: EmployeeRecord, context: DecideContext) {
    const { previous } = input;
    const current = withoutAbsences(record, previous?.record ?? null);
    const zone = zoneOf(current.office, context.offices);
    this.previous = previous;
    this.today = dayAt(input.collectedAt, zone);
    this.now = standingOf(current, this.today, context.lifecycle.leaverEndsOn);
    this.facts = { input, context, previous, current, zone, today: this.today, now: this.now };
    this.news = new Proposals(this.facts);
  }

  decide(): Decision {
    const isSilent = this.facts.input.baseline && this.previous === null;
    return this.decision(isSilent ? this.planBaseline() : this.follow(this.previousPhase()));
  }

  deleted(): Decision {
    const before = this.previousPhase();
    this.news.withdrawStart('gone-deleted');
    this.news.propose('leaver.deleted', this.today, 'gone-deleted', { effectiveAt: this.facts.input.collectedAt });
    const { lifecycleState } = this.previous ?? { lifecycleState: null };
    const stateOfAnnounced = before === 'announced' ? null : 'employed';
    return {
      ...this.decision('out'),
      lifecycleState: lifecycleState === 'announced' ? stateOfAnnounced : lifecycleState,
      isDeleted: true,
      brakeClass: 'missing',
    };
  }

  private decision(phase: Phase): Decision {
    const { input, context, current } = this.facts;
    const { news } = this;
    const isIgnored = ({ kind }: ProposedEvent): boolean => context.lifecycle.ignoreKinds.includes(kind);
    return {
      lifecycleState: this.stateOf(phase),
      episode: news.episode,
      announcedStart: phase === 'announced' || phase === 'employed' ? news.announcedStart : null,
      // Kept of who is out: the former end, which a return is measured by.
      announcedEnd: phase === 'none' ? null : news.announcedEnd,
      events: news.events.filter((event) => !isIgnored(event)),
      unmade: news.events.filter(isIgnored),
      isDeleted: false,
      superseded: news.superseded,
      brakeClass: input.baseline ? null : news.brakeClass(),
      oddities: odditiesOf(current),
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
    const isPast = (zone: string): boolean => momentOf(kind, date, zone) <= this.facts.input.collectedAt;
    const planned = this.previous?.planned.filter((event) => event.kind === kind && event.effectiveDate === date) ?? [];
    if (planned.length > 0) return planned.every((event) => isPast(event.timeZone));
    return isPast(zoneOf(this.previous?.record.office ?? null, this.facts.context.offices));
  }

  /** The first complete snapshot is no news: it only plans what is to come. */
  private planBaseline(): Phase {
    const { phase, start, end } = this.now;
    if (phase === 'announced' && start !== null) this.news.planStart(start, 'baseline-start');
    if (phase !== 'out' && phase !== 'none' && end !== null) this.news.planEnd(end, 'baseline-end');
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
        return this.previous === null ? this.fromNone() : this.fromOut(this.previous);
    }
  }

  private fromNone(): Phase {
    const { phase, start } = this.now;
    if (phase === 'none') return 'none';
    // Who never came cannot have left: a start that is set anew is announced anew.
    if (phase === 'out') return this.previous === null ? 'out' : 'none';
    if (phase === 'announced' && start !== null) {
      this.news.propose('joiner.announced', start, 'start-announced');
      this.news.planStart(start, 'start-planned');
    }
    if (phase === 'employed') this.news.planStart(start ?? this.today, 'start-first-seen');
    this.news.followEnd();
    return phase;
  }

  private fromAnnounced(): Phase {
    const { phase, start } = this.now;
    if (phase === 'none' || phase === 'out') {
      this.news.withdrawStart('start-withdrawn');
      this.news.withdrawEnd('start-withdrawn');
      return 'none';
    }
    const date = phase === 'announced' ? start : (start ?? this.today);
    if (date !== null) this.news.moveStart(date);
    this.news.followEnd();
    this.news.move(false);
    return phase;
  }

  private fromEmployed(): Phase {
    const { phase, start, isOnboarding } = this.now;
    if (phase === 'out') {
      this.news.leave();
      return 'out';
    }
    // The start that fell due is none to come, even in a zone where its day has not begun.
    const isBack = phase === 'announced' && isOnboarding && start !== null && start !== this.news.announcedStart;
    if (isBack) {
      this.news.propose('joiner.rescheduled', start, 'start-back-to-onboarding');
      this.news.planStart(start, 'start-back-to-onboarding');
    }
    this.news.followEnd();
    this.news.move(!isBack);
    return isBack ? 'announced' : 'employed';
  }

  private fromOut(previous: PersonState): Phase {
    const { phase, start } = this.now;
    if (phase === 'out' || phase === 'none') return 'out';
    const begins = start !== null && this.isAfterFormerEnd(start, previous) ? start : this.today;
    this.news.beginEpisode('back-again');
    this.news.propose('joiner.rehired', begins, 'back-again');
    this.news.planStart(begins, 'back-again');
    this.news.followEnd();
    return phase;
  }

  /** Whoever left before today starts after that if to come; of an unknown former end, only a later hire date than before tells. */
  private isAfterFormerEnd(start: string, previous: PersonState): boolean {
    if (start > this.today) return true;
    const { end } = standingOf(previous.record, this.today, this.facts.context.lifecycle.leaverEndsOn);
    const formerEnd = previous.announcedEnd ?? end ?? previous.record.hireDate;
    return formerEnd === null || start > formerEnd;
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
        if (this.news.announcedEnd !== null) return 'leaving';
        return this.now.isOnLeave ? 'on leave' : 'employed';
    }
  }
}
