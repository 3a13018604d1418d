import { describe, expect, test } from '@jest/globals';
import { calculateSecretAge, formatSecretNotice } from '../../../src/worker/secret-age.js';

const SET_AT = '2026-01-01T09:00:00.000Z';
const DUE_AT = '2026-04-01T09:00:00.000Z';
const DAY_MS = 86_400_000;
const toMoment = (day: number): number => Date.parse(SET_AT) + day * DAY_MS;

describe('the age of a secret', () => {
  test.each([
    { day: 0, isDue: false, isShown: false },
    { day: 75.9, isDue: false, isShown: false },
    { day: 76, isDue: false, isShown: true },
    { day: 89.9, isDue: false, isShown: true },
    { day: 90, isDue: true, isShown: false },
    { day: 400, isDue: true, isShown: false },
  ])('on day $day: due $isDue, announced $isShown', ({ day, isDue, isShown }) => {
    expect(calculateSecretAge(SET_AT, 90, toMoment(day))).toEqual({ days: Math.floor(day), isDue });
    const notice = formatSecretNotice('acme', SET_AT, DUE_AT, toMoment(day));
    expect(notice !== null).toBe(isShown);
    if (notice !== null) expect(notice).toMatch(/2026-04-01.*Settings > Integrations > API credentials.*rotate acme/);
  });

  test('is unknown for the environment', () => {
    expect([calculateSecretAge(null, 90), formatSecretNotice('default', null, null)]).toEqual([null, null]);
  });
});
