import { describe, expect, test } from '@jest/globals';
import { decide } from '../../../src/domain/decide.js';
import { createContext, createInput, formatEvents, playReads } from './people.js';
import { NEXT, known, seen, missing, joining, leaving, inactive, check } from './reads.js';
import type { Row } from './reads.js';

describe('who is missing', () => {
  test.each<Row>([
    {
      name: 'has not left: the first time is no event, and counts for the brake',
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
      name: 'is not deleted while the single record is still there',
      reads: [known(), missing(NEXT), missing('2026-06-03')],
      want: [],
      brake: null,
    },
    {
      name: 'is deleted the second time when the single record is gone',
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
      name: 'is deleted after leaving too',
      reads: [known(inactive), missing(NEXT), missing('2026-06-03', true)],
      want: ['leaver.deleted 2026-06-03 due'],
      state: 'left',
    },
    {
      name: 'and was to start does not start any more',
      reads: [known(joining), missing(NEXT), missing('2026-06-03', true)],
      want: ['joiner.rescinded 2026-07-01 due', 'leaver.deleted 2026-06-03 due'],
      state: null,
    },
    {
      name: 'and has started meanwhile keeps the start, since what fell due stays due',
      reads: [known(joining), missing('2026-06-30'), missing('2026-07-01', true)],
      want: ['leaver.deleted 2026-07-01 due'],
      state: 'employed',
    },
  ])('$name', check);

  test('a planned end stands when its person is deleted', () => {
    const { state } = playReads([known(leaving), missing(NEXT), missing('2026-06-03', true)]);
    expect(state.planned.map(({ kind, effectiveDate }) => `${kind} ${effectiveDate}`)).toEqual([
      'leaver.left 2026-06-30',
    ]);
  });

  test('is asked about as the deletion that it would become, whose id stays the same', () => {
    const first = playReads([known(joining), missing(NEXT, true)]);
    const second = playReads([known(joining), missing(NEXT, true), missing('2026-06-03', true)]);
    const deletions = second.decision.events.filter(({ kind }) => kind === 'leaver.deleted');
    expect(first.decision.withheldEvents.map(({ eventId }) => eventId)).toEqual(
      deletions.map(({ eventId }) => eventId),
    );
  });

  test('a deletion whose kind the policy leaves out is a deletion all the same, and can be asked about', () => {
    const context = createContext({ ignoreKinds: ['leaver.deleted'] });
    const { decision } = playReads([known(), missing(NEXT, true), missing('2026-06-03', true)], context);
    expect(decision).toMatchObject({ events: [], isDeleted: true, withheldEvents: [{ kind: 'leaver.deleted' }] });
  });

  test('nobody can be missing who was never seen', () => {
    expect(() => decide(createInput(null, missing(NEXT)), createContext())).toThrow('never seen');
  });
});

describe('a correction', () => {
  test('takes the place of exactly the planned event that it corrects', () => {
    const { decision, previous } = playReads([known(leaving), seen(NEXT, { terminationDate: '2026-07-31' })]);
    const corrected = previous?.planned[0]?.eventId;
    const notice = decision.events[0];
    expect(notice?.supersedes).toBe(corrected);
    expect(decision.superseded).toEqual([{ eventId: corrected, by: notice?.eventId }]);
  });

  test('never takes back what has fallen due but was not marked yet', () => {
    const back = playReads([known(leaving), seen('2026-07-05')]);
    expect(formatEvents(back.decision)).toEqual(['joiner.rehired 2026-07-05 due', 'joiner.started 2026-07-05 late']);
    expect(back.decision.superseded).toEqual([]);
  });

  test('is one notice when somebody who was deleted is back with the same end, which is announced anew', () => {
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
