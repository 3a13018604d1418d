import { expect, test } from '@jest/globals';
import { isShrunk } from '../../../src/domain/shrunk.js';

test.each([
  { stored: 0, deleted: 0, shrunk: false },
  { stored: 10, deleted: 4, shrunk: false },
  { stored: 10, deleted: 5, shrunk: true },
  { stored: 1, deleted: 1, shrunk: true },
  { stored: 1_000, deleted: 100, shrunk: false },
  { stored: 1_000, deleted: 101, shrunk: true },
  { stored: 100_000, deleted: 10_000, shrunk: false },
  { stored: 100_000, deleted: 10_001, shrunk: true },
])('$deleted of $stored rows that vanish: shrunk $shrunk', ({ stored, deleted, shrunk }) => {
  expect(isShrunk(stored, deleted)).toBe(shrunk);
});
