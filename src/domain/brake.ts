import { BRAKE_CLASSES } from './policy.js';
import type { BrakeClass, BrakeLimit } from './policy.js';

export interface BrakeCounts {
  /** People whom this run would change. */
  readonly run: Readonly<Record<BrakeClass, number>>;
  /** People whom runs of the last 24 hours have changed, without this one. */
  readonly lastDay: Readonly<Record<BrakeClass, number>>;
  /** Announced people aside: who is employed, on leave or leaving before this run. */
  readonly active: number;
}

export interface BrakeCheck {
  readonly class: BrakeClass;
  readonly count: number;
  readonly of: number;
  readonly allowed: number;
  readonly window: 'run' | 'day';
  readonly isOver: boolean;
}

const CHANGE_PHRASES: Readonly<Record<BrakeClass, string>> = {
  leavers: 'would leave at once',
  missing: 'are missing at once',
  joiners: 'would join at once',
  movers: 'would move at once',
};

/** @returns how many people of a class may change: the larger of the absolute and the relative limit, rounded down. */
export function calculateAllowed(limit: BrakeLimit, active: number): number {
  return Math.max(limit.atLeast, Math.floor((active * limit.percent) / 100));
}

/** Judges each class twice, for this run and for the rolling day with it, and returns the graver verdict of each. */
export function checkBrake(
  counts: BrakeCounts,
  limits: Readonly<Record<BrakeClass, BrakeLimit>>,
): readonly BrakeCheck[] {
  return BRAKE_CLASSES.map((name) => {
    const allowed = calculateAllowed(limits[name], counts.active);
    const run = counts.run[name];
    const day = run + counts.lastDay[name];
    const isOverDayOnly = run <= allowed && day > allowed && run > 0;
    const count = isOverDayOnly ? day : run;
    return {
      class: name,
      count,
      of: counts.active,
      allowed,
      window: isOverDayOnly ? 'day' : 'run',
      isOver: count > allowed,
    };
  });
}

/** @returns the sentence that a person decides on, such as `40 of 250 people would leave at once, at most 25 may`. */
export function describeBrake({ class: name, count, of, allowed, window }: BrakeCheck): string {
  const when = window === 'day' ? ' (within 24 hours)' : '';
  return `${count} of ${of} people ${CHANGE_PHRASES[name]}${when}, at most ${allowed} may: they are held, and everybody else's changes were committed`;
}

/** What a whole group of people has in common that is missing at once. */
export type BrakeGroup = 'office' | 'department' | 'legal entity' | 'inactive';

/** @returns the sentence where everyone of a group is missing, which is held however few they are. */
export function describeMissingGroup(group: BrakeGroup, name: string, people: number): string {
  const whose = group === 'inactive' ? 'inactive people' : `people of the ${group} ${name}`;
  return `All ${people} ${whose} are missing at once, which is what a withdrawn permission looks like: they are held, however few they are`;
}

const CLASS_PHRASES: Readonly<Record<BrakeClass, string>> = {
  leavers: 'leaving',
  missing: 'missing',
  joiners: 'joining',
  movers: 'moving',
};

/** @returns the sentence about people who were held before, where the class is within its limit by now. */
export function describeUndecided(name: BrakeClass, people: number): string {
  return `${people} ${people === 1 ? 'person stays' : 'people stay'} held as ${CLASS_PHRASES[name]}, since nobody has decided on them yet`;
}

/** @returns the sentence about people who are held because somebody said so. */
export function describeRejected(people: number): string {
  return `${people} ${people === 1 ? 'person stays' : 'people stay'} held, as was decided`;
}
