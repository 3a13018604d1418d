import { employmentOn, fillAbsentAttributes, findAnomalies } from './employment.js';
import type { EmploymentStatus, Phase } from './employment.js';
import { EventBuilder } from './event-builder.js';
import type { TransitionContext } from './event-builder.js';
import type {
  DecideContext,
  DecideInput,
  EventDraft,
  LifecycleDecision,
  LifecycleState,
  PersonState,
} from './lifecycle.js';
import type { EmployeeRecord } from './records.js';
import { findPhase } from './phase.js';
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
    formerEnd: previous.formerEnd,
    hasStarted: previous.hasStarted,
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
  private readonly before: Phase;
  private readonly employment: EmploymentStatus;
  private readonly builder: EventBuilder;

  constructor(input: DecideInput, record: EmployeeRecord, context: DecideContext) {
    const { previous } = input;
    const current = fillAbsentAttributes(record, previous?.record ?? null);
    const zone = getZone(current.office, context.offices);
    this.previous = previous;
    this.today = toLocalDay(input.collectedAt, zone);
    this.before = previous === null ? 'none' : findPhase(previous, input, context);
    this.employment = employmentOn(current, this.today, context.lifecycle.leaverEndsOn, this.before === 'employed');
    this.transition = { input, context, previous, current, zone, today: this.today, employment: this.employment };
    this.builder = new EventBuilder(this.transition);
  }

  decide(): LifecycleDecision {
    const isSilent = this.transition.input.isBaseline && this.previous === null;
    return this.toDecision(isSilent ? this.planBaseline() : this.decideFrom(this.before));
  }

  decideDeletion(): LifecycleDecision {
    this.builder.withdrawStart('gone-deleted');
    this.builder.addEvent('leaver.deleted', this.today, 'gone-deleted', {
      effectiveAt: this.transition.input.collectedAt,
    });
    this.builder.formerEnd = this.today;
    const { lifecycleState } = this.previous ?? { lifecycleState: null };
    const stateOfAnnounced = this.before === 'announced' ? null : 'employed';
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
      formerEnd: builder.formerEnd,
      hasStarted: phase === 'announced' && this.hasStarted(),
      events: builder.events.filter((event) => !isIgnored(event)),
      suppressedEvents: builder.events.filter(isIgnored),
      isDeleted: false,
      superseded: builder.superseded,
      brakeClass: input.isBaseline ? null : builder.getBrakeClass(),
      anomalies: findAnomalies(current),
    };
  }

  /** Checks whether the person was employed in this episode before this read. */
  private hasStarted(): boolean {
    return this.before === 'employed' || (this.before === 'announced' && this.previous?.hasStarted === true);
  }

  /** Emits nothing about the past: the baseline only plans upcoming starts and ends. */
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
    const { phase } = this.employment;
    if (phase === 'none' || phase === 'out') return this.decideWithdrawn(phase);
    this.builder.moveStart(this.findStart());
    this.builder.followEnd();
    this.builder.addChanges(false);
    return phase;
  }

  /** Withdraws the start. What the person was before it was announced remains. */
  private decideWithdrawn(phase: 'none' | 'out'): Phase {
    this.builder.withdrawStart('start-withdrawn');
    if (this.hasStarted()) {
      if (phase === 'out') return this.leave();
      this.builder.followEnd();
      this.builder.addChanges(false);
      return 'employed';
    }
    this.builder.withdrawEnd('start-withdrawn');
    return this.builder.episode > 1 ? 'out' : 'none';
  }

  private decideFromEmployed(): Phase {
    const { phase, start, isOnboarding } = this.employment;
    if (phase === 'out') return this.leave();
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

  /** Ends the employment; but a last day that was planned ends as planned, while it lasts. */
  private leave(): Phase {
    if (!this.employment.isOutByStatus || this.builder.announcedEnd !== this.today) {
      this.builder.endEmployment();
      return 'out';
    }
    this.builder.followEnd(this.today);
    this.builder.addChanges(false);
    return 'employed';
  }

  private decideFromOut(previous: PersonState): Phase {
    const { phase } = this.employment;
    if (phase === 'out' || phase === 'none') return 'out';
    this.builder.beginEpisode(this.findFormerEnd(previous), 'back-again');
    const begins = this.findStart();
    this.builder.addEvent('joiner.rehired', begins, 'back-again');
    this.builder.planStart(begins, 'back-again');
    this.builder.followEnd();
    return phase;
  }

  /** Returns the day on which the person starts: never on or before the former end, then the day of detection. */
  private findStart(): string {
    const { start } = this.employment;
    const { formerEnd } = this.builder;
    if (start === null) return this.today;
    return start > this.today || formerEnd === null || start > formerEnd ? start : this.today;
  }

  /** Returns the last day on which the person is known to have left; without any, the former hire date. */
  private findFormerEnd({ record, announcedEnd, formerEnd }: PersonState): string | null {
    const days = [announcedEnd, formerEnd].filter((day) => day !== null && day <= this.today);
    const { leaverEndsOn } = this.transition.context.lifecycle;
    return days.sort().at(-1) ?? employmentOn(record, this.today, leaverEndsOn, false).end ?? record.hireDate;
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
