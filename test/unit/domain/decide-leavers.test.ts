import { describe, expect, test } from '@jest/globals';
import type { EmployeeRecord } from '../../../src/domain/records.js';
import { createContext, formatEvents, playReads } from './people.js';
import { NEXT, known, seen, joining, leaving, inactive, check } from './reads.js';
import type { Row } from './reads.js';

describe('leavers', () => {
  test.each<Row>([
    {
      name: 'a future end is announced and planned',
      reads: [known(), seen(NEXT, leaving)],
      want: ['leaver.announced 2026-06-30 due', 'leaver.left 2026-06-30 planned'],
      rules: ['end-announced', 'end-planned'],
      state: 'leaving',
      brake: 'leavers',
    },
    {
      name: 'the last day is still a working day',
      reads: [known(), seen(NEXT, { terminationDate: NEXT })],
      want: [`leaver.announced ${NEXT} due`, `leaver.left ${NEXT} planned`],
    },
    {
      name: 'the end of an announced person is announced too',
      reads: [seen(NEXT, joining), seen('2026-06-03', { ...joining, terminationDate: '2026-12-31' })],
      want: ['leaver.announced 2026-12-31 due', 'leaver.left 2026-12-31 planned'],
      state: 'announced',
    },
    {
      name: 'an earlier end is rescheduled and counts as a leaver',
      reads: [known(leaving), seen(NEXT, { terminationDate: '2026-06-15' })],
      want: ['leaver.rescheduled 2026-06-15 due', 'leaver.left 2026-06-15 planned'],
      rules: ['end-moved', 'end-moved'],
      brake: 'leavers',
    },
    {
      name: 'a later end is rescheduled and always passes the brake',
      reads: [known(leaving), seen(NEXT, { terminationDate: '2026-07-31' })],
      want: ['leaver.rescheduled 2026-07-31 due', 'leaver.left 2026-07-31 planned'],
      brake: null,
    },
    {
      name: 'an end that moves into the past is rescheduled and late',
      reads: [known(leaving), seen(NEXT, { terminationDate: '2026-05-31' })],
      want: ['leaver.rescheduled 2026-05-31 due', 'leaver.left 2026-05-31 late'],
      rules: ['out-by-date', 'out-by-date'],
      state: 'left',
    },
    {
      name: 'a withdrawn end is rescinded and counts as a withdrawal',
      reads: [known(leaving), seen(NEXT)],
      want: ['leaver.rescinded 2026-06-30 due'],
      rules: ['end-withdrawn'],
      state: 'employed',
      brake: 'withdrawals',
    },
    {
      name: 'a withdrawn end is rescinded even if the hire date is lost in the same read',
      reads: [known(leaving), seen(NEXT, { status: 'onboarding', hireDate: null })],
      want: ['leaver.rescinded 2026-06-30 due'],
      state: 'employed',
    },
    {
      name: 'an unchanged end emits no event',
      reads: [known(), seen(NEXT, leaving), seen('2026-06-03', leaving)],
      want: [],
      brake: null,
    },
    {
      name: 'an end that fell due between two reads is not emitted twice',
      reads: [known(leaving), seen('2026-07-05', { ...leaving, ...inactive })],
      want: [],
      state: 'left',
    },
    {
      name: 'a correction of a past end emits no event',
      reads: [known(leaving), seen('2026-07-05', { terminationDate: '2026-06-20' })],
      want: [],
      state: 'left',
    },
    {
      name: 'a past end that was never announced is late',
      reads: [known(), seen(NEXT, { terminationDate: '2026-05-31' })],
      want: ['leaver.left 2026-05-31 late'],
      rules: ['out-by-date'],
      brake: 'leavers',
    },
    {
      name: 'an inactive person without dates is out when detected, and not late',
      reads: [known(), seen(NEXT, inactive)],
      want: [`leaver.left ${NEXT} due`],
      rules: ['out-by-status'],
      state: 'left',
      brake: 'leavers',
    },
    {
      name: 'a person inactive at the moment of the start has started and is out',
      reads: [seen(NEXT, joining), seen('2026-06-30T22:00:00.000Z', { ...joining, ...inactive })],
      want: ['leaver.left 2026-07-01 due'],
      state: 'left',
    },
    {
      name: 'a person inactive before a known end is out, and the end is corrected',
      reads: [known(leaving), seen(NEXT, { ...leaving, ...inactive })],
      want: [`leaver.rescheduled ${NEXT} due`, `leaver.left ${NEXT} due`],
      rules: ['out-by-status', 'out-by-status'],
    },
    {
      name: 'an inactive person with a past end is out on that date',
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
      name: 'a last working day alone counts for an inactive person',
      reads: [known(), seen(NEXT, { ...inactive, lastWorkingDay: '2026-05-20' })],
      want: ['leaver.left 2026-05-20 late'],
    },
    {
      name: 'only the termination date counts if the policy says so',
      reads: [known(), seen(NEXT, { ...leaving, lastWorkingDay: '2026-06-20' })],
      policy: { leaverEndsOn: 'termination_date' },
      want: ['leaver.announced 2026-06-30 due', 'leaver.left 2026-06-30 planned'],
    },
    {
      name: 'the contract end never counts, because contracts are extended',
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
      name: 'a kind that the policy ignores is never emitted',
      reads: [known(), seen(NEXT, leaving)],
      policy: { ignoreKinds: ['leaver.announced'] },
      want: ['leaver.left 2026-06-30 planned'],
    },
    {
      name: 'an employed person back in onboarding and then inactive has left',
      reads: [known(), seen(NEXT, joining), seen('2026-06-03', { ...joining, ...inactive })],
      want: ['joiner.rescinded 2026-07-01 due', 'leaver.left 2026-06-03 due'],
      state: 'left',
      brake: 'leavers',
    },
    {
      name: 'an employed person whose new start is withdrawn stays employed',
      reads: [known(), seen(NEXT, joining), seen('2026-06-03', { status: 'onboarding', hireDate: null })],
      want: ['joiner.rescinded 2026-07-01 due'],
      state: 'employed',
    },
    {
      name: 'a hire date after the coming end is that of the next contract',
      reads: [known(leaving), seen(NEXT, { ...leaving, hireDate: '2026-08-01' })],
      want: [],
      state: 'leaving',
    },
    {
      name: 'the next contract follows as a return',
      reads: [known(leaving), seen('2026-07-01', { ...leaving, ...joining, hireDate: '2026-08-01' })],
      want: ['joiner.rehired 2026-08-01 due', 'joiner.started 2026-08-01 planned'],
    },
    {
      name: 'a person inactive on the planned last day leaves at the end of it',
      reads: [known(leaving), seen('2026-06-30', { ...leaving, ...inactive })],
      want: [],
      state: 'leaving',
    },
    {
      name: 'an end that passes in a new zone before the old one is told as moved',
      reads: [
        known({ ...leaving, office: 'Los Angeles' }),
        seen('2026-06-30T23:00:00.000Z', { ...leaving, office: 'Auckland' }),
      ],
      want: ['leaver.rescheduled 2026-06-30 due', 'leaver.left 2026-06-30 late'],
    },
    ...[null, '', 'paused'].map((status) => ({
      name: 'a status that is no fact keeps the last one',
      reads: [known(inactive), seen(NEXT, { status })],
      want: [],
      state: 'left',
    })),
  ])('$name', check);
});

describe('a leaving on hold, whose withdrawal is asked about', () => {
  const LATER = '2026-07-05';
  const { state } = playReads([known(leaving)]);
  const onHold = { ...state, planned: state.planned.map((event) => ({ ...event, isOnHold: true })) };

  test.each<{ name: string; more: Partial<EmployeeRecord>; want: readonly string[] }>([
    { name: 'has not fallen due: nobody is rehired', more: {}, want: ['leaver.rescinded 2026-06-30 due'] },
    { name: 'falls due as planned once the end is back', more: leaving, want: [] },
    {
      name: 'moves with the end',
      more: { terminationDate: '2026-07-31' },
      want: ['leaver.rescheduled 2026-07-31 due', 'leaver.left 2026-07-31 planned'],
    },
    {
      name: 'is corrected where the person is out on another day',
      more: inactive,
      want: ['leaver.rescheduled 2026-07-05 due', 'leaver.left 2026-07-05 due'],
    },
  ])('$name', ({ more, want }) => {
    const { decision } = playReads([seen(LATER, more)], createContext(), onHold);
    expect(formatEvents(decision)).toEqual(want);
  });

  test('is asked about under the same id before and after its time', () => {
    const ids = [NEXT, LATER].map((on) => playReads([seen(on)], createContext(), onHold).decision.events[0]?.eventId);
    expect(ids[0]).toBe(ids[1]);
  });
});

test.each<Row>([
  {
    name: 'a withdrawn end counts before a move',
    reads: [known(leaving), seen(NEXT, { team: 'B' })],
    want: ['leaver.rescinded 2026-06-30 due', `mover.changed ${NEXT} due`],
    brake: 'withdrawals',
  },
  {
    name: 'a new start counts before a withdrawn end',
    reads: [known({ ...joining, terminationDate: '2026-12-31' }), seen(NEXT, { ...joining, hireDate: '2026-07-02' })],
    want: ['joiner.rescheduled 2026-07-02 due', 'joiner.started 2026-07-02 planned', 'leaver.rescinded 2026-12-31 due'],
    brake: 'joiners',
  },
])('$name', check);
