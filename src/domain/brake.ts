import { BRAKE_CLASSES } from './policy.js';
import type { BrakeClass, BrakeLimit } from './policy.js';

export interface BrakeCounts {
  /** Number of people that this run would change. */
  readonly run: Readonly<Record<BrakeClass, number>>;
  /** Number of people that earlier runs of the last 24 hours changed. */
  readonly lastDay: Readonly<Record<BrakeClass, number>>;
  /** Number of people employed, on leave or leaving before this run. Announced people do not count. */
  readonly active: number;
  /** Number of people whose leaving is planned, which withdrawals are compared with. */
  readonly plannedLeavings: number;
}

/** Result of the brake for one class of changes. */
export interface BrakeCheck {
  readonly class: BrakeClass;
  readonly count: number;
  readonly of: number;
  readonly allowed: number;
  readonly window: 'run' | 'day';
  readonly isOver: boolean;
}

/** Returns how many people of a class may change: the larger of the absolute and the relative limit, rounded down. */
export function calculateAllowed(limit: BrakeLimit, people: number): number {
  return Math.max(limit.atLeast, Math.floor((people * limit.percent) / 100));
}

/** Checks each class against its limit, for this run and the last 24 hours, and returns the graver result. */
export function checkBrake(
  counts: BrakeCounts,
  limits: Readonly<Record<BrakeClass, BrakeLimit>>,
): readonly BrakeCheck[] {
  return BRAKE_CLASSES.map((name) => {
    const of = name === 'withdrawals' ? counts.plannedLeavings : counts.active;
    const allowed = calculateAllowed(limits[name], of);
    const run = counts.run[name];
    const day = run + counts.lastDay[name];
    const isOverDayOnly = run <= allowed && day > allowed && run > 0;
    const count = isOverDayOnly ? day : run;
    return {
      class: name,
      count,
      of,
      allowed,
      window: isOverDayOnly ? 'day' : 'run',
      isOver: count > allowed,
    };
  });
}

const CHANGE_PHRASES: Readonly<Record<BrakeClass, string>> = {
  leavers: 'employees would leave',
  missing: 'employees are missing',
  joiners: 'employees would join',
  withdrawals: 'planned leavings would be withdrawn',
  movers: 'employees would move',
};

/** Describes a class that is over its limit, such as `40 of 250 employees would leave in this run (limit 25). …`. */
export function describeBrake({ class: name, count, of, allowed, window }: BrakeCheck): string {
  const when = window === 'day' ? 'within 24 hours' : 'in this run';
  const finding = `${count} of ${of} ${CHANGE_PHRASES[name]} ${when} (limit ${allowed})`;
  const wait = name === 'withdrawals' ? `, and these leavings fall due only after an answer` : '';
  return `${finding}. Their changes are on hold; all others are committed${wait}`;
}

/** Property that a group of people shares; the brake looks for groups of which everyone is missing. */
export type BrakeGroup = 'office' | 'department' | 'legal entity' | 'inactive';

/** Describes a group of which everyone is missing. It is held regardless of the limit. */
export function describeMissingGroup(group: BrakeGroup, name: string, people: number): string {
  const members = group === 'inactive' ? 'inactive employees' : `employees of the ${group} ${name}`;
  const finding = `All ${people} ${members} are missing`;
  return `${finding}. A withdrawn permission looks like this, so they are on hold regardless of the limit`;
}

const MEMBER_NAMES: Readonly<Record<BrakeClass, readonly [singular: string, plural: string]>> = {
  leavers: ['leaver', 'leavers'],
  missing: ['missing employee', 'missing employees'],
  joiners: ['joiner', 'joiners'],
  withdrawals: ['withdrawn leaving', 'withdrawn leavings'],
  movers: ['mover', 'movers'],
};

/** Describes people who were held by an earlier run, while their class is within its limit now. */
export function describeUndecided(name: BrakeClass, people: number): string {
  const [singular, plural] = MEMBER_NAMES[name];
  const subject = people === 1 ? `1 ${singular} is` : `${people} ${plural} are`;
  return `${subject} still on hold, waiting for approval or rejection`;
}

/** Describes people who are left out of a read and whose questions stay open. */
export function describeCarried(people: number): string {
  const subject = people === 1 ? '1 employee who was left out is' : `${people} employees who were left out are`;
  return `${subject} still on hold, waiting for approval or rejection`;
}

/** Describes people who are held because an operator rejected their changes. */
export function describeRejected(people: number): string {
  return people === 1
    ? '1 employee stays on hold because the change was rejected'
    : `${people} employees stay on hold because their changes were rejected`;
}
