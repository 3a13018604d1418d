import { expect, test } from '@jest/globals';
import { withCurrentNames } from '../../../src/contracts/internal/former-names.js';

test('former names of fields become the current ones, at any depth', () => {
  const former = {
    connection: 'default',
    continued: { counts: { heldRows: 9 }, narrowed: [{ reading: { reading: 2, chunk: null }, heldRows: 9 }] },
  };
  expect(withCurrentNames<unknown>(former)).toEqual({
    connection: 'default',
    continued: { counts: { storedRows: 9 }, shrunk: [{ attempt: { attempt: 2, chunk: null }, storedRows: 9 }] },
  });
});

test.each([undefined, null, 7, 'reading', ['moved'], { attempt: 1, constructor: 'x', note: 'reading' }])(
  'a payload with current names stays as it is: %j',
  (payload) => {
    expect(withCurrentNames<unknown>(payload)).toEqual(payload);
  },
);

test('the detail of a run keeps its stored keys', () => {
  const request = { runId: 'run', detail: { narrowed: [{ from: '2026-01-01', to: '2026-01-07' }] } };
  expect(withCurrentNames<unknown>(request)).toEqual(request);
});
