import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { chunkDays, findWindowFault, resolveAttendanceWindow } from '../../../src/domain/attendance-window.js';
import type { WindowRequest } from '../../../src/domain/attendance-window.js';
import type { DayWindow } from '../../../src/contracts/internal/sync.js';
import { addDays, countDaysBetween } from '../../../src/domain/zones.js';

/** A punctual run of the default schedule. */
const ON_TIME: WindowRequest = {
  window: null,
  nominalTime: '2026-11-06T03:30:00Z',
  startedAt: '2026-11-06T03:35:00Z',
  lookbackDays: 35,
  catchUpWithinSeconds: 12 * 3_600,
  jitterSeconds: 600,
};

describe('the days that an attendance run reads', () => {
  test.each<{ name: string; request: Partial<WindowRequest>; from: string; to: string }>([
    { name: 'are the lookback up to and including the nominal day', request: {}, from: '2026-10-03', to: '2026-11-06' },
    {
      name: 'are a single day for a lookback of one day',
      request: { lookbackDays: 1 },
      from: '2026-11-06',
      to: '2026-11-06',
    },
    {
      name: 'count back from the start of a run that no schedule started',
      request: { nominalTime: null },
      from: '2026-10-03',
      to: '2026-11-06',
    },
    {
      name: 'follow the nominal day in UTC, even if the run starts on the next',
      request: { nominalTime: '2026-11-06T23:55:00Z', startedAt: '2026-11-07T00:05:00Z' },
      from: '2026-10-03',
      to: '2026-11-06',
    },
    {
      name: 'are the lookback if a late schedule could explain the delay',
      request: { startedAt: '2026-11-06T15:40:00Z' },
      from: '2026-10-03',
      to: '2026-11-06',
    },
    {
      name: 'are only the nominal day for a backfill',
      request: { startedAt: '2026-11-06T15:40:01Z' },
      from: '2026-11-06',
      to: '2026-11-06',
    },
    {
      name: 'are only the nominal day for a backfill weeks later',
      request: { nominalTime: '2026-11-01T03:30:00Z', startedAt: '2026-11-24T09:00:00Z' },
      from: '2026-11-01',
      to: '2026-11-01',
    },
    {
      name: 'are the window of the input, whatever the nominal time',
      request: { window: { from: '2026-01-01', to: '2026-01-31' }, startedAt: '2026-12-24T09:00:00Z' },
      from: '2026-01-01',
      to: '2026-01-31',
    },
  ])('$name', ({ request, from, to }) => {
    expect(resolveAttendanceWindow({ ...ON_TIME, ...request })).toEqual({ from, to });
  });
});

describe('splitting a window into chunks', () => {
  test('one day is one chunk', () => {
    expect(chunkDays({ from: '2026-11-01', to: '2026-11-01' }, 7)).toEqual([{ from: '2026-11-01', to: '2026-11-01' }]);
  });

  test.each([
    { name: 'reversed', window: { from: '2026-11-02', to: '2026-11-01' }, says: /before it begins/ },
    { name: 'without its last day', window: { from: '2026-11-02' }, says: /`to`/ },
    { name: 'without its first day', window: { to: '2026-11-02' }, says: /`from`/ },
    { name: 'with an unreal day', window: { from: '2026-02-30', to: '2026-03-01' }, says: /`from`/ },
    { name: 'of moments', window: { from: '2026-11-01T00:00:00Z', to: '2026-11-02' }, says: /`from`/ },
    { name: 'of all years', window: { from: '0001-01-01', to: '9999-12-31' }, says: /at most 3660/ },
    { name: 'of 3,661 days', window: { from: '2016-11-01', to: addDays('2016-11-01', 3_660) }, says: /3661 days/ },
    { name: 'that is a text', window: '2026-11-01', says: /object/ },
  ])('a window $name is refused', ({ window, says }) => {
    expect(findWindowFault(window)).toMatch(says);
    expect(() => chunkDays(window as DayWindow, 7)).toThrow(says);
  });

  test('a window of 3,660 days is accepted', () => {
    expect(findWindowFault({ from: '2016-11-01', to: addDays('2016-11-01', 3_659) })).toBeNull();
  });

  test('chunks cover every day once, in order, with boundaries on fixed dates', () => {
    const day = fc.integer({ min: -400, max: 30_000 }).map((days) => addDays('1970-01-01', days));
    fc.assert(
      fc.property(day, fc.nat({ max: 200 }), fc.integer({ min: 1, max: 40 }), (from, length, days) => {
        const window = { from, to: addDays(from, length) };
        const chunks = chunkDays(window, days);
        expect(chunks[0]?.from).toBe(window.from);
        expect(chunks.at(-1)?.to).toBe(window.to);
        for (const [index, chunk] of chunks.entries()) {
          expect(countDaysBetween(chunk.from, chunk.to)).toBeLessThan(days);
          if (index === 0) continue;
          expect(chunk.from).toBe(addDays(chunks[index - 1]?.to ?? '', 1));
          expect(Math.abs(countDaysBetween('1970-01-01', chunk.from)) % days).toBe(0);
        }
      }),
    );
  });
});
