import { describe, test } from '@jest/globals';
import { NEXT, known, seen, joining, leaving, inactive, check } from './reads.js';
import type { Row } from './reads.js';

describe('who leaves', () => {
  test.each<Row>([
    {
      name: 'an end to come is announced and planned',
      reads: [known(), seen(NEXT, leaving)],
      want: ['leaver.announced 2026-06-30 due', 'leaver.left 2026-06-30 planned'],
      rules: ['end-announced', 'end-planned'],
      state: 'leaving',
      brake: 'leavers',
    },
    {
      name: 'today is still a day at work',
      reads: [known(), seen(NEXT, { terminationDate: NEXT })],
      want: [`leaver.announced ${NEXT} due`, `leaver.left ${NEXT} planned`],
    },
    {
      name: 'an end of somebody announced is announced too',
      reads: [seen(NEXT, joining), seen('2026-06-03', { ...joining, terminationDate: '2026-12-31' })],
      want: ['leaver.announced 2026-12-31 due', 'leaver.left 2026-12-31 planned'],
      state: 'announced',
    },
    {
      name: 'an end that comes earlier is rescheduled and counts as leaving',
      reads: [known(leaving), seen(NEXT, { terminationDate: '2026-06-15' })],
      want: ['leaver.rescheduled 2026-06-15 due', 'leaver.left 2026-06-15 planned'],
      rules: ['end-moved', 'end-moved'],
      brake: 'leavers',
    },
    {
      name: 'an end that comes later is rescheduled and always passes the brake',
      reads: [known(leaving), seen(NEXT, { terminationDate: '2026-07-31' })],
      want: ['leaver.rescheduled 2026-07-31 due', 'leaver.left 2026-07-31 planned'],
      brake: null,
    },
    {
      name: 'an end that moves into the past is rescheduled and has happened, late',
      reads: [known(leaving), seen(NEXT, { terminationDate: '2026-05-31' })],
      want: ['leaver.rescheduled 2026-05-31 due', 'leaver.left 2026-05-31 late'],
      rules: ['out-by-date', 'out-by-date'],
      state: 'left',
    },
    {
      name: 'an end that is withdrawn is rescinded and always passes the brake',
      reads: [known(leaving), seen(NEXT)],
      want: ['leaver.rescinded 2026-06-30 due'],
      rules: ['end-withdrawn'],
      state: 'employed',
      brake: null,
    },
    {
      name: 'an end that is withdrawn is rescinded even where onboarding lost its hire date in the same read',
      reads: [known(leaving), seen(NEXT, { status: 'onboarding', hireDate: null })],
      want: ['leaver.rescinded 2026-06-30 due'],
      state: 'employed',
    },
    {
      name: 'an end that did not move is no event',
      reads: [known(), seen(NEXT, leaving), seen('2026-06-03', leaving)],
      want: [],
      brake: null,
    },
    {
      name: 'an end that fell due while nobody read is not told twice',
      reads: [known(leaving), seen('2026-07-05', { ...leaving, ...inactive })],
      want: [],
      state: 'left',
    },
    {
      name: 'a correction of an end within the past is no event',
      reads: [known(leaving), seen('2026-07-05', { terminationDate: '2026-06-20' })],
      want: [],
      state: 'left',
    },
    {
      name: 'a past end that nobody announced has happened, late',
      reads: [known(), seen(NEXT, { terminationDate: '2026-05-31' })],
      want: ['leaver.left 2026-05-31 late'],
      rules: ['out-by-date'],
      brake: 'leavers',
    },
    {
      name: 'inactive without dates is out on the day of detection, at once and not late',
      reads: [known(), seen(NEXT, inactive)],
      want: [`leaver.left ${NEXT} due`],
      rules: ['out-by-status'],
      state: 'left',
      brake: 'leavers',
    },
    {
      name: 'inactive at the very moment of the start is out, since the start has fallen due',
      reads: [seen(NEXT, joining), seen('2026-06-30T22:00:00.000Z', { ...joining, ...inactive })],
      want: ['leaver.left 2026-07-01 due'],
      state: 'left',
    },
    {
      name: 'inactive before a known end is out at once, and the end is corrected',
      reads: [known(leaving), seen(NEXT, { ...leaving, ...inactive })],
      want: [`leaver.rescheduled ${NEXT} due`, `leaver.left ${NEXT} due`],
      rules: ['out-by-status', 'out-by-status'],
    },
    {
      name: 'inactive with a past end is out on that end',
      reads: [known(), seen(NEXT, { ...inactive, terminationDate: '2026-05-31' })],
      want: ['leaver.left 2026-05-31 late'],
    },
    {
      name: 'the earlier of last working day and termination date counts',
      reads: [known(), seen(NEXT, { ...leaving, lastWorkingDay: '2026-06-20' })],
      want: ['leaver.announced 2026-06-20 due', 'leaver.left 2026-06-20 planned'],
    },
    {
      name: 'a last working day alone is advisory',
      reads: [known(), seen(NEXT, { lastWorkingDay: '2026-05-20' })],
      want: [],
      state: 'employed',
    },
    {
      name: 'a last working day alone counts of whoever is inactive',
      reads: [known(), seen(NEXT, { ...inactive, lastWorkingDay: '2026-05-20' })],
      want: ['leaver.left 2026-05-20 late'],
    },
    {
      name: 'the termination date alone counts where the policy says so',
      reads: [known(), seen(NEXT, { ...leaving, lastWorkingDay: '2026-06-20' })],
      policy: { leaverEndsOn: 'termination_date' },
      want: ['leaver.announced 2026-06-30 due', 'leaver.left 2026-06-30 planned'],
    },
    {
      name: 'the end of a contract never counts, since contracts are extended',
      reads: [known(), seen(NEXT, { contractEndDate: '2026-05-31' })],
      want: [],
    },
    {
      name: 'an end before the hire date belongs to a former employment',
      reads: [known(), seen(NEXT, { terminationDate: '2019-12-31' })],
      want: [],
      state: 'employed',
    },
    {
      name: 'a kind that the policy leaves out is never made',
      reads: [known(), seen(NEXT, leaving)],
      policy: { ignoreKinds: ['leaver.announced'] },
      want: ['leaver.left 2026-06-30 planned'],
    },
  ])('$name', check);
});
