import { describe, expect, test } from '@jest/globals';
import { findSupervisorLoops } from '../../../src/domain/supervisors.js';

const findLoops = (...pairs: readonly (readonly [string, string])[]): ReturnType<typeof findSupervisorLoops> =>
  findSupervisorLoops(new Map(pairs));

describe('circles of supervisors', () => {
  test('a hierarchy has none', () => {
    expect(findLoops(['2', '1'], ['3', '1'], ['4', '3'])).toEqual([]);
  });

  test('a circle is found once, from its smallest id', () => {
    expect(findLoops(['9', '3'], ['3', '2'], ['1', '3'], ['2', '1'])).toEqual([['1', '3', '2']]);
  });

  test('a person who supervises themselves is a circle of one', () => {
    expect(findLoops(['7', '7'], ['1', '2'], ['2', '1'])).toEqual([['1', '2'], ['7']]);
  });
});
