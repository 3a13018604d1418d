import { describe, expect, test } from '@jest/globals';
import { findChangedFormats } from '../../../src/domain/unreadable.js';

describe('an attribute that cannot be read', () => {
  test.each([
    { records: 10, received: 10, isChanged: false },
    { records: 11, received: 11, isChanged: true },
    { records: 50, received: 1_000, isChanged: false },
    { records: 51, received: 1_000, isChanged: true },
  ])('in $records of $received records: the format changed: $isChanged', ({ records, received, isChanged }) => {
    const counts = [{ attribute: 'hire_date', records }];
    expect(findChangedFormats(counts, received)).toEqual(isChanged ? counts : []);
  });
});
