import { describe, expect, test } from '@jest/globals';
import { calculateAllowed, describeBrake, checkBrake } from '../../../src/domain/brake.js';
import type { BrakeCounts, BrakeCheck } from '../../../src/domain/brake.js';
import type { BrakeClass, BrakeLimit } from '../../../src/domain/policy.js';

const NOBODY: Readonly<Record<BrakeClass, number>> = { leavers: 0, missing: 0, joiners: 0, movers: 0 };

/** The defaults of the policy. */
const LIMITS: Readonly<Record<BrakeClass, BrakeLimit>> = {
  leavers: { atLeast: 5, percent: 10 },
  missing: { atLeast: 5, percent: 5 },
  joiners: { atLeast: 20, percent: 25 },
  movers: { atLeast: 50, percent: 50 },
};

function checkClass(name: BrakeClass, counts: Partial<BrakeCounts>): BrakeCheck {
  const checks = checkBrake({ run: NOBODY, lastDay: NOBODY, active: 250, ...counts }, LIMITS);
  const found = checks.find((check) => check.class === name);
  if (found === undefined) throw new Error(`No verdict on ${name}.`);
  return found;
}

describe('how many people may change', () => {
  test.each([
    { active: 0, allowed: 5 },
    { active: 50, allowed: 5 },
    { active: 59, allowed: 5 },
    { active: 60, allowed: 6 },
    { active: 250, allowed: 25 },
  ])('is the larger of five and ten percent, rounded down: $allowed of $active', ({ active, allowed }) => {
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

  test('judges every class on its own, so that a reorganisation stops no leaver', () => {
    const checks = checkBrake({ run: { ...NOBODY, movers: 200, leavers: 3 }, lastDay: NOBODY, active: 250 }, LIMITS);
    expect(checks.filter(({ isOver }) => isOver).map((check) => check.class)).toEqual(['movers']);
  });

  test('holds what is too much within a day, though no run alone is', () => {
    const check = checkClass('leavers', { run: { ...NOBODY, leavers: 10 }, lastDay: { ...NOBODY, leavers: 20 } });
    expect(check).toMatchObject({ isOver: true, window: 'day', count: 30, of: 250, allowed: 25 });
  });

  test('lets pass what just fills the day', () => {
    const check = checkClass('leavers', { run: { ...NOBODY, leavers: 5 }, lastDay: { ...NOBODY, leavers: 20 } });
    expect(check).toMatchObject({ isOver: false, window: 'run', count: 5 });
  });

  test('speaks of the run where the run alone is too much', () => {
    const check = checkClass('leavers', { run: { ...NOBODY, leavers: 40 }, lastDay: { ...NOBODY, leavers: 20 } });
    expect(check).toMatchObject({ isOver: true, window: 'run', count: 40 });
  });

  test('holds nobody in a run that changes nobody, however full the day is', () => {
    expect(checkClass('leavers', { lastDay: { ...NOBODY, leavers: 100 } }).isOver).toBe(false);
  });

  test('says in a sentence how many of how many, and within which time', () => {
    const run = checkClass('leavers', { run: { ...NOBODY, leavers: 40 } });
    expect(describeBrake(run)).toMatch(/^40 of 250 people would leave at once, at most 25 may: they are held/);
    const day = checkClass('missing', { run: { ...NOBODY, missing: 10 }, lastDay: { ...NOBODY, missing: 10 } });
    expect(describeBrake(day)).toMatch(/^20 of 250 people are missing at once \(within 24 hours\), at most 12 may/);
  });
});
