import { describe, expect, test } from '@jest/globals';
import {
  calculateAllowed,
  checkBrake,
  describeBrake,
  describeMissingGroup,
  describeRejected,
  describeUndecided,
} from '../../../src/domain/brake.js';
import type { BrakeCheck, BrakeCounts } from '../../../src/domain/brake.js';
import type { BrakeClass, BrakeLimit } from '../../../src/domain/policy.js';

const NOBODY: Readonly<Record<BrakeClass, number>> = {
  leavers: 0,
  missing: 0,
  joiners: 0,
  withdrawals: 0,
  movers: 0,
};

/** Default limits of the policy. */
const LIMITS: Readonly<Record<BrakeClass, BrakeLimit>> = {
  leavers: { atLeast: 5, percent: 10 },
  missing: { atLeast: 5, percent: 5 },
  joiners: { atLeast: 20, percent: 25 },
  withdrawals: { atLeast: 5, percent: 25 },
  movers: { atLeast: 50, percent: 50 },
};

function checkClass(name: BrakeClass, counts: Partial<BrakeCounts>): BrakeCheck {
  const checks = checkBrake({ run: NOBODY, lastDay: NOBODY, active: 250, plannedLeavings: 40, ...counts }, LIMITS);
  const found = checks.find((check) => check.class === name);
  if (found === undefined) throw new Error(`No check of ${name}.`);
  return found;
}

describe('the number of people who may change', () => {
  test.each([
    { active: 0, allowed: 5 },
    { active: 50, allowed: 5 },
    { active: 59, allowed: 5 },
    { active: 60, allowed: 6 },
    { active: 250, allowed: 25 },
  ])('is the larger of 5 and 10 percent, rounded down: $allowed of $active', ({ active, allowed }) => {
    expect(calculateAllowed(LIMITS.leavers, active)).toBe(allowed);
  });
});

describe('the brake', () => {
  test.each<{ name: BrakeClass; allowed: number }>([
    { name: 'leavers', allowed: 25 },
    { name: 'missing', allowed: 12 },
    { name: 'joiners', allowed: 62 },
    { name: 'movers', allowed: 125 },
  ])('lets $allowed $name of 250 pass and holds one more', ({ name, allowed }) => {
    expect(checkClass(name, { run: { ...NOBODY, [name]: allowed } })).toMatchObject({ allowed, isOver: false });
    expect(checkClass(name, { run: { ...NOBODY, [name]: allowed + 1 } })).toMatchObject({
      isOver: true,
      window: 'run',
    });
  });

  test('compares withdrawals with the planned leavings, and says that these wait', () => {
    const check = checkClass('withdrawals', { run: { ...NOBODY, withdrawals: 11 } });
    expect(check).toMatchObject({ count: 11, of: 40, allowed: 10, isOver: true });
    expect(checkClass('withdrawals', { run: { ...NOBODY, withdrawals: 10 } }).isOver).toBe(false);
    expect(describeBrake(check)).toBe(
      '11 of 40 planned leavings would be withdrawn in this run (limit 10). Their changes are on hold; ' +
        'all others are committed, and these leavings fall due only after an answer',
    );
  });

  test('checks every class separately, so a reorganisation stops no leaver', () => {
    const run = { ...NOBODY, movers: 200, leavers: 3 };
    const checks = checkBrake({ run, lastDay: NOBODY, active: 250, plannedLeavings: 0 }, LIMITS);
    expect(checks.filter(({ isOver }) => isOver).map((check) => check.class)).toEqual(['movers']);
  });

  test('holds changes that exceed the limit within a day, although no run does', () => {
    const check = checkClass('leavers', { run: { ...NOBODY, leavers: 10 }, lastDay: { ...NOBODY, leavers: 20 } });
    expect(check).toMatchObject({ isOver: true, window: 'day', count: 30, of: 250, allowed: 25 });
  });

  test('lets pass changes that just reach the limit of the day', () => {
    const check = checkClass('leavers', { run: { ...NOBODY, leavers: 5 }, lastDay: { ...NOBODY, leavers: 20 } });
    expect(check).toMatchObject({ isOver: false, window: 'run', count: 5 });
  });

  test('reports the run if the run alone exceeds the limit', () => {
    const check = checkClass('leavers', { run: { ...NOBODY, leavers: 40 }, lastDay: { ...NOBODY, leavers: 20 } });
    expect(check).toMatchObject({ isOver: true, window: 'run', count: 40 });
  });

  test('holds nobody in a run that changes nobody, however full the day', () => {
    expect(checkClass('leavers', { lastDay: { ...NOBODY, leavers: 100 } }).isOver).toBe(false);
  });

  test('describes the count, the total, the period and the limit', () => {
    const run = checkClass('leavers', { run: { ...NOBODY, leavers: 40 } });
    expect(describeBrake(run)).toBe(
      '40 of 250 employees would leave in this run (limit 25). Their changes are on hold; all others are committed',
    );
    const day = checkClass('missing', { run: { ...NOBODY, missing: 10 }, lastDay: { ...NOBODY, missing: 10 } });
    expect(describeBrake(day)).toMatch(/^20 of 250 employees are missing within 24 hours \(limit 12\)\. /);
  });

  test('describes a group of which everyone is missing', () => {
    expect(describeMissingGroup('office', 'Munich', 12)).toMatch(
      /^All 12 employees of the office Munich are missing\. /,
    );
    expect(describeMissingGroup('inactive', '', 3)).toMatch(/^All 3 inactive employees are missing\. /);
  });

  test('describes people who stay on hold', () => {
    expect(describeUndecided('leavers', 1)).toBe('1 leaver is still on hold, waiting for approval or rejection');
    expect(describeUndecided('missing', 2)).toBe(
      '2 missing employees are still on hold, waiting for approval or rejection',
    );
    expect(describeRejected(1)).toBe('1 employee stays on hold because the change was rejected');
    expect(describeRejected(2)).toBe('2 employees stay on hold because their changes were rejected');
  });
});
