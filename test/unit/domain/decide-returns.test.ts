import { describe, expect, test } from '@jest/globals';
import { playReads } from './people.js';
import { NEXT, known, seen, missing, leaving, inactive, check, joining } from './reads.js';
import type { Row } from './reads.js';

describe('returns', () => {
  const left = [known(leaving), seen('2026-07-05', { ...leaving, ...inactive })];
  test.each<Row>([
    {
      name: 'a new hire date after the end is rehired and planned',
      reads: [...left, seen('2026-07-10', { ...joining, hireDate: '2026-09-01' })],
      want: ['joiner.rehired 2026-09-01 due', 'joiner.started 2026-09-01 planned'],
      rules: ['back-again', 'back-again'],
      state: 'announced',
      brake: 'joiners',
    },
    {
      name: 'a past hire date after the end starts on that date, late',
      reads: [...left, seen('2026-07-10', { hireDate: '2026-07-06' })],
      want: ['joiner.rehired 2026-07-06 due', 'joiner.started 2026-07-06 late'],
    },
    {
      name: 'a leaving by mistake becomes a rehire on the day of detection',
      reads: [...left, seen('2026-07-10')],
      want: ['joiner.rehired 2026-07-10 due', 'joiner.started 2026-07-10 late'],
      state: 'employed',
    },
    {
      name: 'a person out by status without a date is rehired when detected',
      reads: [known(), seen(NEXT, inactive), seen('2026-06-05')],
      want: ['joiner.rehired 2026-06-05 due', 'joiner.started 2026-06-05 late'],
    },
    {
      name: 'a person out by status before the end is rehired at a hire date between',
      reads: [
        known(),
        seen(NEXT, { ...inactive, terminationDate: '2026-12-31' }),
        seen('2026-09-05', { hireDate: '2026-09-01' }),
      ],
      want: ['joiner.rehired 2026-09-01 due', 'joiner.started 2026-09-01 late'],
    },
    {
      name: 'a person out since the baseline is rehired when detected',
      reads: [known(inactive), seen(NEXT)],
      want: [`joiner.rehired ${NEXT} due`, `joiner.started ${NEXT} late`],
    },
    {
      name: 'a new employment announces and plans its future end',
      reads: [...left, seen('2026-07-10', { hireDate: '2026-07-10', terminationDate: '2026-12-31' })],
      want: [
        'joiner.rehired 2026-07-10 due',
        'joiner.started 2026-07-10 late',
        'leaver.announced 2026-12-31 due',
        'leaver.left 2026-12-31 planned',
      ],
      state: 'leaving',
    },
    {
      name: 'the read of a rehire emits no moves',
      reads: [...left, seen('2026-07-10', { team: 'B', lastName: 'Neu' })],
      want: ['joiner.rehired 2026-07-10 due', 'joiner.started 2026-07-10 late'],
    },
    {
      name: 'a person onboarding without a hire date is not back yet',
      reads: [...left, seen('2026-07-10', { status: 'onboarding', hireDate: null })],
      want: [],
      state: 'left',
    },
    {
      name: 'a deleted person who reappears is rehired',
      reads: [known(), missing(NEXT), missing('2026-06-03', true), seen('2026-06-04')],
      want: ['joiner.rehired 2026-06-04 due', 'joiner.started 2026-06-04 late'],
    },
    {
      name: 'the planned end of a deleted person is rescinded if they return without it',
      reads: [known(leaving), missing(NEXT), missing('2026-06-03', true), seen('2026-06-04')],
      want: ['leaver.rescinded 2026-06-30 due', 'joiner.rehired 2026-06-04 due', 'joiner.started 2026-06-04 late'],
    },
    {
      name: 'a rehired person can leave again',
      reads: [...left, seen('2026-07-10'), seen('2026-07-11', { terminationDate: '2026-07-31' })],
      want: ['leaver.announced 2026-07-31 due', 'leaver.left 2026-07-31 planned'],
    },
    {
      name: 'a return is never dated on or before the former end, even when it moves',
      reads: [...left, seen('2026-07-10', { ...joining, hireDate: '2026-09-01' }), seen('2026-07-11')],
      want: ['joiner.rescheduled 2026-07-11 due', 'joiner.started 2026-07-11 late'],
      state: 'employed',
    },
    {
      name: 'a return after a deletion is dated after the deletion',
      reads: [known(), missing(NEXT), missing('2026-06-03', true), seen('2026-06-04', { hireDate: '2020-02-01' })],
      want: ['joiner.rehired 2026-06-04 due', 'joiner.started 2026-06-04 late'],
    },
    {
      name: 'a withdrawn return leaves the person as before: left',
      reads: [...left, seen('2026-07-10', { ...joining, hireDate: '2026-09-01' }), seen('2026-07-11', inactive)],
      want: ['joiner.rescinded 2026-09-01 due'],
      state: 'left',
    },
    {
      name: 'a withdrawn return that is set again is a rehire again',
      reads: [
        ...left,
        seen('2026-07-10', { ...joining, hireDate: '2026-09-01' }),
        seen('2026-07-11', inactive),
        seen('2026-07-12', { ...joining, hireDate: '2026-09-05' }),
      ],
      want: ['joiner.rehired 2026-09-05 due', 'joiner.started 2026-09-05 planned'],
    },
  ])('$name', check);

  test('every event of the return has the new episode', () => {
    const { decision } = playReads([...left, seen('2026-07-10', { terminationDate: '2026-12-31' })]);
    expect(decision.events.map((event) => event.episode)).toEqual([2, 2, 2, 2]);
  });
});
