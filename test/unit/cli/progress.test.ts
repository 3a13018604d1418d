import { describe, expect, test } from '@jest/globals';
import { createProgressPrinter } from '../../../src/cli/runs/progress.js';

const STARTED_AT = '2026-11-30T03:00:00.000Z';

/** Shows a printer the same progress as a run would, one state each two seconds. Returns the printed lines. */
function print(isTerminal: boolean, states: readonly (readonly [phase: string, received: number])[]): string[] {
  const lines: string[] = [];
  let now = 0;
  const onProgress = createProgressPrinter({
    note: (line) => lines.push(line.replace(/^employees +… /, '')),
    isTerminal,
    getNow: () => now,
  });
  for (const [phase, received] of states) {
    onProgress('employees', { phase, received, total: null, page: 1, startedAt: STARTED_AT, waitingFor: null });
    now += 2_000;
  }
  return lines;
}

describe('progress without a terminal', () => {
  test('prints each new phase at once', () => {
    const states = [
      ['starting', 0],
      ['Reading employees', 200],
      ['Reading employees', 400],
      ['Deciding', 400],
    ] as const;
    expect(print(false, states)).toEqual([
      'starting: 0 records',
      'Reading employees: 200 records',
      'Deciding: 400 records',
    ]);
  });

  test('prints counts and weeks every 30 seconds at most', () => {
    const states = Array.from({ length: 31 }, (_, index) => [`Reading week ${index}`, index] as const);
    expect(print(false, states)).toEqual([
      'Reading week 0: 0 records',
      'Reading week 15: 15 records',
      'Reading week 30: 30 records',
    ]);
  });
});

describe('progress on a terminal', () => {
  test('prints each change, and an unchanged line every 30 seconds', () => {
    const waiting = Array.from({ length: 16 }, () => ['Reading employees', 400] as const);
    expect(print(true, [['Reading employees', 200], ...waiting])).toEqual([
      'Reading employees: 200 records',
      'Reading employees: 400 records',
      'Reading employees: 400 records',
    ]);
  });
});
