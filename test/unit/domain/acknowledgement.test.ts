import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { parseAcknowledgement } from '../../../src/domain/acknowledgement.js';

describe('an acknowledgement of a subscriber', () => {
  test('a valid one is returned unchanged', () => {
    expect(parseAcknowledgement({ deliveryId: 'd', outcome: 'done', note: 'closed' })).toEqual({
      deliveryId: 'd',
      outcome: 'done',
      note: 'closed',
    });
  });

  test.each([undefined, null, 7, 'text', [], {}])('is harmless if it is %p', (answer) => {
    expect(parseAcknowledgement(answer)).toEqual({ deliveryId: '', outcome: 'failed', note: null });
  });

  test('any of 5,000 shapes becomes one that can be stored', () => {
    const part = fc.oneof(fc.jsonValue(), fc.string({ unit: 'binary', maxLength: 2_000 }), fc.constant('\u0000done'));
    const answer = fc.oneof(part, fc.record({ deliveryId: part, outcome: part, note: part }, { requiredKeys: [] }));
    fc.assert(
      fc.property(answer, (given) => {
        const { deliveryId, outcome, note } = parseAcknowledgement(given);
        expect(['done', 'failed']).toContain(outcome);
        expect(`${deliveryId}${note ?? ''}`.includes('\u0000')).toBe(false);
        expect((note ?? '').length).toBeLessThanOrEqual(500);
      }),
      { seed: 20_261_130, numRuns: 5_000 },
    );
  });
});
