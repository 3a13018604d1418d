import { describe, expect, test } from '@jest/globals';
import { decide } from '../../../src/domain/decide.js';
import { createContext, createInput, formatEvents, playReads } from './people.js';
import { NEXT, known, seen, missing, joining, leaving, inactive, check } from './reads.js';
import type { Row } from './reads.js';

describe('a missing person', () => {
  test.each<Row>([
    {
      name: 'has not left: the first time emits no event and counts for the brake',
      reads: [known(), missing(NEXT)],
      want: [],
      state: 'employed',
      brake: 'missing',
    },
    {
      name: 'is not deleted the first time, even if the single record is gone too',
      reads: [known(), missing(NEXT, true)],
      want: [],
    },
    {
      name: 'is not deleted while the single record still exists',
      reads: [known(), missing(NEXT), missing('2026-06-03')],
      want: [],
      brake: null,
    },
    {
      name: 'is deleted the second time if the single record is gone',
      reads: [known(), missing(NEXT), missing('2026-06-03', true)],
      want: ['leaver.deleted 2026-06-03 due'],
      rules: ['gone-deleted'],
      brake: 'missing',
    },
    {
      name: 'is not deleted after being seen in between',
      reads: [known(), missing(NEXT), seen('2026-06-03'), missing('2026-06-04', true)],
      want: [],
    },
    {
      name: 'is deleted once',
      reads: [known(), missing(NEXT), missing('2026-06-03', true), missing('2026-06-04', true)],
      want: [],
      brake: null,
    },
    {
      name: 'is deleted even after leaving',
      reads: [known(inactive), missing(NEXT), missing('2026-06-03', true)],
      want: ['leaver.deleted 2026-06-03 due'],
      state: 'left',
    },
    {
      name: 'has the planned start rescinded when deleted',
      reads: [known(joining), missing(NEXT), missing('2026-06-03', true)],
      want: ['joiner.rescinded 2026-07-01 due', 'leaver.deleted 2026-06-03 due'],
      state: null,
    },
    {
      name: 'keeps a start that fell due meanwhile',
      reads: [known(joining), missing('2026-06-30'), missing('2026-07-01', true)],
      want: ['leaver.deleted 2026-07-01 due'],
      state: 'employed',
    },
  ])('$name', check);

  test('a planned end stays when the person is deleted', () => {
    const { state } = playReads([known(leaving), missing(NEXT), missing('2026-06-03', true)]);
    expect(state.planned.map(({ kind, effectiveDate }) => `${kind} ${effectiveDate}`)).toEqual([
      'leaver.left 2026-06-30',
    ]);
  });

  test('is held under the id of the deletion that the absence would become', () => {
    const first = playReads([known(joining), missing(NEXT, true)]);
    const second = playReads([known(joining), missing(NEXT, true), missing('2026-06-03', true)]);
    const deletions = second.decision.events.filter(({ kind }) => kind === 'leaver.deleted');
    expect(first.decision.suppressedEvents.map(({ eventId }) => eventId)).toEqual(
      deletions.map(({ eventId }) => eventId),
    );
  });

  test('a deletion of an ignored kind still deletes and can be held', () => {
    const context = createContext({ ignoreKinds: ['leaver.deleted'] });
    const { decision } = playReads([known(), missing(NEXT, true), missing('2026-06-03', true)], context);
    expect(decision).toMatchObject({ events: [], isDeleted: true, suppressedEvents: [{ kind: 'leaver.deleted' }] });
  });

  test('a person who was never seen cannot be missing', () => {
    expect(() => decide(createInput(null, missing(NEXT)), createContext())).toThrow('never seen');
  });
});

describe('a correction', () => {
  test('supersedes exactly the planned event that it corrects', () => {
    const { decision, previous } = playReads([known(leaving), seen(NEXT, { terminationDate: '2026-07-31' })]);
    const corrected = previous?.planned[0]?.eventId;
    const notice = decision.events[0];
    expect(notice?.supersedes).toBe(corrected);
    expect(decision.superseded).toEqual([{ eventId: corrected, by: notice?.eventId }]);
  });

  test('never withdraws an event that has fallen due but is not marked yet', () => {
    const back = playReads([known(leaving), seen('2026-07-05')]);
    expect(formatEvents(back.decision)).toEqual(['joiner.rehired 2026-07-05 due', 'joiner.started 2026-07-05 late']);
    expect(back.decision.superseded).toEqual([]);
  });

  test('is one notice if a deleted person is back with the same end', () => {
    const reads = [known(leaving), missing(NEXT), missing('2026-06-03', true), seen('2026-06-04', leaving)];
    const { decision } = playReads(reads);
    expect(formatEvents(decision)).toEqual([
      'leaver.rescinded 2026-06-30 due',
      'joiner.rehired 2026-06-04 due',
      'joiner.started 2026-06-04 late',
      'leaver.announced 2026-06-30 due',
      'leaver.left 2026-06-30 planned',
    ]);
    expect(decision.superseded).toEqual([{ eventId: expect.any(String), by: decision.events[0]?.eventId }]);
  });
});
