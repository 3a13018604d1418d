import type { EventKind } from '../contracts/public/events.js';
import { employmentOn, fillAbsentAttributes, findAnomalies } from './employment.js';
import type { EmploymentStatus, Phase } from './employment.js';
import { EventBuilder } from './event-builder.js';
import type { TransitionContext } from './event-builder.js';
import { toEffectiveMoment } from './event-draft.js';
import type {
  DecideContext,
  DecideInput,
  EventDraft,
  LifecycleDecision,
  LifecycleState,
  PersonState,
} from './lifecycle.js';
import type { EmployeeRecord } from './records.js';
import { getZone, toLocalDay } from './zones.js';

/**
 * Decides what happened to one person between two states, on the day when collecting ended. The same input gives the
 * same events with the same ids, today or next week. The table in docs/lifecycle.md lists the rules and their reasons.
 */
export function decide(input: DecideInput, context: DecideContext): LifecycleDecision {
  return input.current === null
    ? decideMissing(input, context)
    : new LifecycleEngine(input, input.current, context).decide();
}

/** Keeps the old state of a missing person. One who is missing twice in a row, confirmed by id, is deleted. */
function decideMissing(input: DecideInput, context: DecideContext): LifecycleDecision {
  const { previous } = input;
  if (previous === null) throw new RangeError('A person who was never seen cannot be missing.');
  const unchanged = {
    lifecycleState: previous.lifecycleState,
    episode: previous.episode,
    isDeleted: false,
    anomalies: [],
    announcedStart: previous.announcedStart,
    announcedEnd: previous.announcedEnd,
    events: [],
    superseded: [],
  };
  if (previous.deletedAt !== null) return { ...unchanged, suppressedEvents: [], brakeClass: null };
  const deleted = new LifecycleEngine(input, previous.record, context).decideDeletion();
  if (input.isConfirmedGone && previous.missingSince !== null) return deleted;
  // The approval is about the deletion that this absence would become: its id is the same in the next read.
  const suppressedEvents = [...deleted.events, ...deleted.suppressedEvents].filter(
    ({ kind }) => kind === 'leaver.deleted',
  );
  return { ...unchanged, suppressedEvents, brakeClass: previous.missingSince === null ? 'missing' : null };
}

/** Takes one person from the previous phase to that of the record. Each previous phase has its method. */
class LifecycleEngine {
  private readonly transition: TransitionContext;
  private readonly previous: PersonState | null;
  private readonly today: string;
  private readonly employment: EmploymentStatus;
  private readonly builder: EventBuilder;

  constructor(input: DecideInput, record: EmployeeRecord, context: DecideContext) {
    const { previous } = input;
    const current = fillAbsentAttributes(record, previous?.record ?? null);
    const zone = getZone(current.office, context.offices);
    this.previous = previous;
    this.today = toLocalDay(input.collectedAt, zone);
    this.employment = employmentOn(current, this.today, context.lifecycle.leaverEndsOn);
    this.transition = { input, context, previous, current, zone, today: this.today, employment: this.employment };
    this.builder = new EventBuilder(this.transition);
  }

  decide(): LifecycleDecision {
    const isSilent = this.transition.input.isBaseline && this.previous === null;
    return this.toDecision(isSilent ? this.planBaseline() : this.decideFrom(this.getPreviousPhase()));
  }

  decideDeletion(): LifecycleDecision {
    const before = this.getPreviousPhase();
    this.builder.withdrawStart('gone-deleted');
    this.builder.addEvent('leaver.deleted', this.today, 'gone-deleted', {
      effectiveAt: this.transition.input.collectedAt,
    });
    const { lifecycleState } = this.previous ?? { lifecycleState: null };
    const stateOfAnnounced = before === 'announced' ? null : 'employed';
    return {
      ...this.toDecision('out'),
      lifecycleState: lifecycleState === 'announced' ? stateOfAnnounced : lifecycleState,
      isDeleted: true,
      brakeClass: 'missing',
    };
  }

  private toDecision(phase: Phase): LifecycleDecision {
    const { input, context, current } = this.transition;
    const { builder } = this;
    const isIgnored = ({ kind }: EventDraft): boolean => context.lifecycle.ignoreKinds.includes(kind);
    return {
      lifecycleState: this.toState(phase),
      episode: builder.episode,
      announcedStart: phase === 'announced' || phase === 'employed' ? builder.announcedStart : null,
      // A person who is out keeps the former end, which a return is compared with.
      announcedEnd: phase === 'none' ? null : builder.announcedEnd,
      events: builder.events.filter((event) => !isIgnored(event)),
      suppressedEvents: builder.events.filter(isIgnored),
      isDeleted: false,
      superseded: builder.superseded,
      brakeClass: input.isBaseline ? null : builder.getBrakeClass(),
      anomalies: findAnomalies(current),
    };
  }

  /** Returns the phase just before this read, in which planned events may have fallen due since the last one. */
  private getPreviousPhase(): Phase {
    const { previous } = this;
    if (previous === null) return 'none';
    if (previous.deletedAt !== null) return 'out';
    switch (previous.lifecycleState) {
      case null:
        return 'none';
      case 'announced':
        return this.hasFallenDue('joiner.started', previous.announcedStart)
          ? this.applyDueEnd('employed')
          : 'announced';
      case 'employed':
      case 'on leave':
      case 'leaving':
        return this.applyDueEnd('employed');
      case 'left':
        return 'out';
    }
  }

  private applyDueEnd(phase: Phase): Phase {
    return this.hasFallenDue('leaver.left', this.previous?.announcedEnd ?? null) ? 'out' : phase;
  }

  private hasFallenDue(kind: EventKind, date: string | null): boolean {
    if (date === null) return false;
    const isPast = (zone: string): boolean => toEffectiveMoment(kind, date, zone) <= this.transition.input.collectedAt;
    const planned = this.previous?.planned.filter((event) => event.kind === kind && event.effectiveDate === date) ?? [];
    if (planned.length > 0) return planned.every((event) => isPast(event.timeZone));
    return isPast(getZone(this.previous?.record.office ?? null, this.transition.context.offices));
  }

  /** Emits nothing about the past: the baseline only schedules upcoming start and end dates. */
  private planBaseline(): Phase {
    const { phase, start, end } = this.employment;
    if (phase === 'announced' && start !== null) this.builder.planStart(start, 'baseline-start');
    if (phase !== 'out' && phase !== 'none' && end !== null) this.builder.planEnd(end, 'baseline-end');
    return phase;
  }

  private decideFrom(before: Phase): Phase {
    switch (before) {
      case 'none':
        return this.decideFromNone();
      case 'announced':
        return this.decideFromAnnounced();
      case 'employed':
        return this.decideFromEmployed();
      case 'out':
        return this.previous === null ? this.decideFromNone() : this.decideFromOut(this.previous);
    }
  }

  private decideFromNone(): Phase {
    const { phase, start } = this.employment;
    if (phase === 'none') return 'none';
    // A person who never started cannot leave. A new start date is announced again.
    if (phase === 'out') return this.previous === null ? 'out' : 'none';
    if (phase === 'announced' && start !== null) {
      this.builder.addEvent('joiner.announced', start, 'start-announced');
      this.builder.planStart(start, 'start-planned');
    }
    if (phase === 'employed') this.builder.planStart(start ?? this.today, 'start-first-seen');
    this.builder.followEnd();
    return phase;
  }

  private decideFromAnnounced(): Phase {
    const { phase, start } = this.employment;
    if (phase === 'none' || phase === 'out') {
      this.builder.withdrawStart('start-withdrawn');
      this.builder.withdrawEnd('start-withdrawn');
      return 'none';
    }
    const date = phase === 'announced' ? start : (start ?? this.today);
    if (date !== null) this.builder.moveStart(date);
    this.builder.followEnd();
    this.builder.addChanges(false);
    return phase;
  }

  private decideFromEmployed(): Phase {
    const { phase, start, isOnboarding } = this.employment;
    if (phase === 'out') {
      this.builder.endEmployment();
      return 'out';
    }
    // A start that has fallen due is not ahead, even in a zone where its day has not begun.
    const isOnboardingAgain =
      phase === 'announced' && isOnboarding && start !== null && start !== this.builder.announcedStart;
    if (isOnboardingAgain) {
      this.builder.addEvent('joiner.rescheduled', start, 'start-back-to-onboarding');
      this.builder.planStart(start, 'start-back-to-onboarding');
    }
    this.builder.followEnd();
    this.builder.addChanges(!isOnboardingAgain);
    return isOnboardingAgain ? 'announced' : 'employed';
  }

  private decideFromOut(previous: PersonState): Phase {
    const { phase, start } = this.employment;
    if (phase === 'out' || phase === 'none') return 'out';
    const begins = start !== null && this.isAfterFormerEnd(start, previous) ? start : this.today;
    this.builder.beginEpisode('back-again');
    this.builder.addEvent('joiner.rehired', begins, 'back-again');
    this.builder.planStart(begins, 'back-again');
    this.builder.followEnd();
    return phase;
  }

  /** Compares with the former hire date if the former end is unknown. A future start is always later. */
  private isAfterFormerEnd(start: string, previous: PersonState): boolean {
    if (start > this.today) return true;
    const { end } = employmentOn(previous.record, this.today, this.transition.context.lifecycle.leaverEndsOn);
    const formerEnd = previous.announcedEnd ?? end ?? previous.record.hireDate;
    return formerEnd === null || start > formerEnd;
  }

  private toState(phase: Phase): LifecycleState | null {
    switch (phase) {
      case 'none':
        return null;
      case 'announced':
        return 'announced';
      case 'out':
        return 'left';
      case 'employed':
        if (this.builder.announcedEnd !== null) return 'leaving';
        return this.employment.isOnLeave ? 'on leave' : 'employed';
    }
  }
}
