import { describe, expect, test } from '@jest/globals';
import {
  addDays,
  countDaysBetween,
  endOfDay,
  findOfficeMismatch,
  getZone,
  startOfDay,
  subtractDays,
  toLocalDay,
  hasCome,
} from '../../../src/domain/zones.js';

describe('the start and the end of a day', () => {
  test.each([
    {
      what: 'in winter',
      date: '2026-01-15',
      zone: 'Europe/Berlin',
      start: '2026-01-14T23:00',
      end: '2026-01-15T23:00',
    },
    {
      what: 'in summer',
      date: '2026-07-15',
      zone: 'Europe/Berlin',
      start: '2026-07-14T22:00',
      end: '2026-07-15T22:00',
    },
    {
      what: 'of 23 hours',
      date: '2026-03-29',
      zone: 'Europe/Berlin',
      start: '2026-03-28T23:00',
      end: '2026-03-29T22:00',
    },
    {
      what: 'of 25 hours',
      date: '2026-10-25',
      zone: 'Europe/Berlin',
      start: '2026-10-24T22:00',
      end: '2026-10-25T23:00',
    },
    {
      what: 'whose midnight the clocks skip, at 01:00',
      date: '2018-11-04',
      zone: 'America/Sao_Paulo',
      start: '2018-11-04T03:00',
      end: '2018-11-05T02:00',
    },
    {
      what: 'before a midnight that the clocks skip',
      date: '2018-11-03',
      zone: 'America/Sao_Paulo',
      start: '2018-11-03T03:00',
      end: '2018-11-04T03:00',
    },
    {
      what: 'at the end of a year',
      date: '2026-12-31',
      zone: 'Asia/Tokyo',
      start: '2026-12-30T15:00',
      end: '2026-12-31T15:00',
    },
    { what: 'of a leap year', date: '2028-02-29', zone: 'UTC', start: '2028-02-29T00:00', end: '2028-03-01T00:00' },
  ])('are right on a day $what ($zone)', ({ date, zone, start, end }) => {
    expect(startOfDay(date, zone)).toBe(`${start}:00.000Z`);
    expect(endOfDay(date, zone)).toBe(`${end}:00.000Z`);
  });

  test('stay right after the cache is full', () => {
    for (let day = 0; day < 20_100; day += 1) startOfDay(addDays('1990-01-01', day), 'UTC');
    expect(startOfDay('1990-01-01', 'UTC')).toBe('1990-01-01T00:00:00.000Z');
  });
});

describe('the day of a moment', () => {
  test.each([
    { zone: 'Pacific/Auckland', want: '2026-07-01' },
    { zone: 'Europe/Berlin', want: '2026-07-01' },
    { zone: 'America/Los_Angeles', want: '2026-06-30' },
  ])('is $want in $zone', ({ zone, want }) => {
    expect(toLocalDay('2026-07-01T03:00:00.000Z', zone)).toBe(want);
  });

  test('is the next one as soon as a day is over', () => {
    const over = endOfDay('2026-06-30', 'Europe/Berlin');
    expect(toLocalDay(over, 'Europe/Berlin')).toBe('2026-07-01');
    expect(toLocalDay('2026-06-30T21:59:59.999Z', 'Europe/Berlin')).toBe('2026-06-30');
  });
});

describe('days before a moment', () => {
  test('keep the wall-clock time of the zone across a clock change', () => {
    expect(subtractDays('2026-03-30T22:00:00.000Z', 14, 'Europe/Berlin')).toBe('2026-03-16T23:00:00.000Z');
    expect(subtractDays('2026-03-30T22:00:00.000Z', 14, 'UTC')).toBe('2026-03-16T22:00:00.000Z');
  });
});

describe('the zone of an office', () => {
  const offices = { defaultZone: 'Europe/Berlin', zones: { Auckland: 'Pacific/Auckland' } };
  test.each([
    { office: 'Auckland', want: 'Pacific/Auckland' },
    { office: 'Hamburg', want: 'Europe/Berlin' },
    { office: null, want: 'Europe/Berlin' },
    { office: 'constructor', want: 'Europe/Berlin' },
    { office: '__proto__', want: 'Europe/Berlin' },
  ])('of $office is $want', ({ office, want }) => {
    expect(getZone(office, offices)).toBe(want);
  });
});

describe('days between dates', () => {
  test('are counted on the calendar, whatever the clocks do', () => {
    expect(countDaysBetween('2026-03-28', '2026-03-30')).toBe(2);
    expect(countDaysBetween('2026-03-01', '2026-02-28')).toBe(-1);
    expect(countDaysBetween('2024-01-01', '2026-01-01')).toBe(731);
  });
});

test('the year 10000 comes after the year 2026, although its text is smaller', () => {
  expect(hasCome('+010000-01-01T05:00:00.000Z', '2026-06-01T00:00:00.000Z')).toBe(false);
  expect(hasCome('2026-06-01T00:00:00.000Z', '2026-06-01T00:00:00.000Z')).toBe(true);
});

describe('an office', () => {
  const offices = {
    defaultZone: 'Europe/Berlin',
    zones: { 'Zu\u0308rich ': 'Europe/Zurich', Málaga: 'Europe/Madrid' },
  };

  test.each(['Z\u00fcrich', 'Zu\u0308rich', ' zürich', 'ZÜRICH'])(
    'has its zone however it is written: %j',
    (office) => {
      expect(getZone(office, offices)).toBe('Europe/Zurich');
    },
  );

  test('of a person or of the policy is found where it matches none', () => {
    expect(findOfficeMismatch(['ZÜRICH', 'Moon', 'constructor'], offices)).toEqual({
      withoutZone: ['Moon', 'constructor'],
      unmatched: ['Málaga'],
    });
  });
});
