import { describe, test } from '@jest/globals';
import { NEXT, known, seen, joining, leaving, inactive, check } from './reads.js';
import type { Row } from './reads.js';

describe('the first complete read', () => {
  test.each<Row>([
    { name: 'emits nothing about employed people', reads: [known()], want: [], state: 'employed', brake: null },
    { name: 'emits nothing about people on leave', reads: [known({ status: 'leave' })], want: [], state: 'on leave' },
    {
      name: 'emits nothing about people who have left',
      reads: [known({ ...inactive, terminationDate: '2026-05-31' })],
      want: [],
      state: 'left',
    },
    {
      name: 'plans a future start without announcing it',
      reads: [known(joining)],
      want: ['joiner.started 2026-07-01 planned'],
      rules: ['baseline-start'],
      state: 'announced',
      brake: null,
    },
    {
      name: 'plans a future end without announcing it',
      reads: [known(leaving)],
      want: ['leaver.left 2026-06-30 planned'],
      rules: ['baseline-end'],
      state: 'leaving',
      brake: null,
    },
    {
      name: 'is followed by no events if the next read says the same',
      reads: [
        known({ ...joining, terminationDate: '2026-12-31' }),
        seen(NEXT, { ...joining, terminationDate: '2026-12-31' }),
      ],
      want: [],
      brake: null,
    },
  ])('$name', check);
});

describe('joiners', () => {
  test.each<Row>([
    {
      name: 'a new person with a future start is announced, and the start planned',
      reads: [seen(NEXT, joining)],
      want: ['joiner.announced 2026-07-01 due', 'joiner.started 2026-07-01 planned'],
      rules: ['start-announced', 'start-planned'],
      state: 'announced',
      brake: 'joiners',
    },
    {
      name: 'a new person who already works here has started, late and unannounced',
      reads: [seen(NEXT, { hireDate: '2026-05-15' })],
      want: ['joiner.started 2026-05-15 late'],
      rules: ['start-first-seen'],
      state: 'employed',
      brake: 'joiners',
    },
    {
      name: 'a new active person without a hire date starts when detected',
      reads: [seen(NEXT, { hireDate: null })],
      want: [`joiner.started ${NEXT} late`],
    },
    {
      name: 'a new person who is out emits no event',
      reads: [seen(NEXT, inactive)],
      want: [],
      state: 'left',
      brake: null,
    },
    {
      name: 'the future end of a new person is announced too',
      reads: [seen(NEXT, leaving)],
      want: ['joiner.started 2020-01-01 late', 'leaver.announced 2026-06-30 due', 'leaver.left 2026-06-30 planned'],
      brake: 'leavers',
    },
    {
      name: 'a start that fell due between two reads is not emitted twice',
      reads: [seen(NEXT, joining), seen('2026-07-02', { ...joining, status: 'active' })],
      want: [],
      state: 'employed',
    },
    {
      name: 'a start that moves is rescheduled',
      reads: [seen(NEXT, joining), seen('2026-06-03', { ...joining, hireDate: '2026-08-01' })],
      want: ['joiner.rescheduled 2026-08-01 due', 'joiner.started 2026-08-01 planned'],
      rules: ['start-moved', 'start-moved'],
      brake: 'joiners',
    },
    {
      name: 'a start that moves into the past is rescheduled and late',
      reads: [seen(NEXT, joining), seen('2026-06-03', { hireDate: '2026-06-01' })],
      want: ['joiner.rescheduled 2026-06-01 due', 'joiner.started 2026-06-01 late'],
      state: 'employed',
    },
    {
      name: 'onboarding that loses its hire date withdraws the start and the end',
      reads: [
        seen(NEXT, { ...joining, terminationDate: '2026-12-31' }),
        seen('2026-06-03', { ...joining, hireDate: null, terminationDate: '2026-12-31' }),
      ],
      want: ['joiner.rescinded 2026-07-01 due', 'leaver.rescinded 2026-12-31 due'],
      rules: ['start-withdrawn', 'start-withdrawn'],
      state: null,
      // Held, the start would fall due.
      brake: null,
    },
    {
      name: 'a person inactive before the start has it withdrawn and has not left',
      reads: [seen(NEXT, joining), seen('2026-06-03', { ...joining, ...inactive })],
      want: ['joiner.rescinded 2026-07-01 due'],
      rules: ['start-withdrawn'],
      brake: null,
    },
    {
      name: 'a start that lost its date and gets a new one is announced again',
      reads: [seen(NEXT, joining), seen('2026-06-03', { ...joining, hireDate: null }), seen('2026-06-04', joining)],
      want: ['joiner.announced 2026-07-01 due', 'joiner.started 2026-07-01 planned'],
    },
    {
      name: 'a start withdrawn by inactive is announced again, not rehired',
      reads: [
        seen(NEXT, joining),
        seen('2026-06-03', { ...joining, ...inactive }),
        seen('2026-06-04', { ...joining, ...inactive, team: 'B' }),
        seen('2026-06-05', joining),
      ],
      want: ['joiner.announced 2026-07-01 due', 'joiner.started 2026-07-01 planned'],
      state: 'announced',
    },
    {
      name: 'a corrected hire date of an employed person emits no event',
      reads: [known(), seen(NEXT, { hireDate: '2019-01-01' })],
      want: [],
    },
    {
      name: 'an employed person stays employed if the hire date moves to the future',
      reads: [known(), seen(NEXT, { hireDate: '2026-07-01' })],
      want: [],
      state: 'employed',
    },
    {
      name: 'an employed person back in onboarding with a future start is rescheduled',
      reads: [known(), seen(NEXT, joining)],
      want: ['joiner.rescheduled 2026-07-01 due', 'joiner.started 2026-07-01 planned'],
      rules: ['start-back-to-onboarding', 'start-back-to-onboarding'],
      state: 'announced',
    },
    {
      name: 'a future start in another office zone is rescheduled',
      reads: [seen(NEXT, joining), seen('2026-06-03', { ...joining, office: 'Auckland' })],
      want: ['joiner.rescheduled 2026-07-01 due', 'joiner.started 2026-07-01 planned', 'mover.changed 2026-06-03 due'],
    },
    {
      name: 'a start that fell due stays due, even in a zone where its day is ahead',
      reads: [
        seen(NEXT, { ...joining, office: 'Auckland' }),
        seen('2026-06-30T13:00:00.000Z', { ...joining, office: 'Los Angeles' }),
      ],
      want: ['mover.changed 2026-06-30 due'],
      state: 'employed',
    },
    {
      name: 'a move in the read that puts a person back in onboarding is emitted',
      reads: [known(), seen(NEXT, { ...joining, team: 'B' })],
      want: ['joiner.rescheduled 2026-07-01 due', 'joiner.started 2026-07-01 planned', `mover.changed ${NEXT} due`],
    },
  ])('$name', check);
});
