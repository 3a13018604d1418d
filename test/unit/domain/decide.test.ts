import { describe, test } from '@jest/globals';
import { NEXT, known, seen, joining, leaving, inactive, check } from './reads.js';
import type { Row } from './reads.js';

describe('the first complete read', () => {
  test.each<Row>([
    { name: 'is silent about who is employed', reads: [known()], want: [], state: 'employed', brake: null },
    { name: 'is silent about who is on leave', reads: [known({ status: 'leave' })], want: [], state: 'on leave' },
    {
      name: 'is silent about who has left',
      reads: [known({ ...inactive, terminationDate: '2026-05-31' })],
      want: [],
      state: 'left',
    },
    {
      name: 'plans a coming start without announcing it',
      reads: [known(joining)],
      want: ['joiner.started 2026-07-01 planned'],
      rules: ['baseline-start'],
      state: 'announced',
      brake: null,
    },
    {
      name: 'plans a coming end without announcing it',
      reads: [known(leaving)],
      want: ['leaver.left 2026-06-30 planned'],
      rules: ['baseline-end'],
      state: 'leaving',
      brake: null,
    },
    {
      name: 'makes no news of it when the next read says the same',
      reads: [
        known({ ...joining, terminationDate: '2026-12-31' }),
        seen(NEXT, { ...joining, terminationDate: '2026-12-31' }),
      ],
      want: [],
      brake: null,
    },
  ])('$name', check);
});

describe('who joins', () => {
  test.each<Row>([
    {
      name: 'somebody seen first after the baseline with a coming start is announced, and the start planned',
      reads: [seen(NEXT, joining)],
      want: ['joiner.announced 2026-07-01 due', 'joiner.started 2026-07-01 planned'],
      rules: ['start-announced', 'start-planned'],
      state: 'announced',
      brake: 'joiners',
    },
    {
      name: 'somebody seen first after the baseline who works here already has started, late and without an announcement',
      reads: [seen(NEXT, { hireDate: '2026-05-15' })],
      want: ['joiner.started 2026-05-15 late'],
      rules: ['start-first-seen'],
      state: 'employed',
      brake: 'joiners',
    },
    {
      name: 'somebody active without a hire date has started on the day of detection',
      reads: [seen(NEXT, { hireDate: null })],
      want: [`joiner.started ${NEXT} late`],
    },
    {
      name: 'somebody seen first after the baseline who is out is no news',
      reads: [seen(NEXT, inactive)],
      want: [],
      state: 'left',
      brake: null,
    },
    {
      name: 'an end to come of somebody first seen is announced too',
      reads: [seen(NEXT, leaving)],
      want: ['joiner.started 2020-01-01 late', 'leaver.announced 2026-06-30 due', 'leaver.left 2026-06-30 planned'],
      brake: 'leavers',
    },
    {
      name: 'a start that falls due while nobody reads is not told twice',
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
      name: 'a start that moves into the past is rescheduled and has happened, late',
      reads: [seen(NEXT, joining), seen('2026-06-03', { hireDate: '2026-06-01' })],
      want: ['joiner.rescheduled 2026-06-01 due', 'joiner.started 2026-06-01 late'],
      state: 'employed',
    },
    {
      name: 'onboarding that loses its hire date withdraws the start, and the end with it',
      reads: [
        seen(NEXT, { ...joining, terminationDate: '2026-12-31' }),
        seen('2026-06-03', { ...joining, hireDate: null, terminationDate: '2026-12-31' }),
      ],
      want: ['joiner.rescinded 2026-07-01 due', 'leaver.rescinded 2026-12-31 due'],
      rules: ['start-withdrawn', 'start-withdrawn'],
      state: null,
      brake: null,
    },
    {
      name: 'inactive before the start withdraws it, and nobody has left',
      reads: [seen(NEXT, joining), seen('2026-06-03', { ...joining, ...inactive })],
      want: ['joiner.rescinded 2026-07-01 due'],
      rules: ['start-withdrawn'],
      brake: null,
    },
    {
      name: 'a start that lost its date and is set anew is announced anew',
      reads: [seen(NEXT, joining), seen('2026-06-03', { ...joining, hireDate: null }), seen('2026-06-04', joining)],
      want: ['joiner.announced 2026-07-01 due', 'joiner.started 2026-07-01 planned'],
    },
    {
      name: 'a start that was withdrawn by inactive and is set anew is announced anew, since nobody had left',
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
      name: 'the employed whose hire date is corrected are no news',
      reads: [known(), seen(NEXT, { hireDate: '2019-01-01' })],
      want: [],
    },
    {
      name: 'the employed stay so when the hire date moves to come',
      reads: [known(), seen(NEXT, { hireDate: '2026-07-01' })],
      want: [],
      state: 'employed',
    },
    {
      name: 'the employed who are back to onboarding with a coming hire date start anew',
      reads: [known(), seen(NEXT, joining)],
      want: ['joiner.rescheduled 2026-07-01 due', 'joiner.started 2026-07-01 planned'],
      rules: ['start-back-to-onboarding', 'start-back-to-onboarding'],
      state: 'announced',
    },
    {
      name: 'a coming start whose office changes begins at another moment, and is rescheduled',
      reads: [seen(NEXT, joining), seen('2026-06-03', { ...joining, office: 'Auckland' })],
      want: ['joiner.rescheduled 2026-07-01 due', 'joiner.started 2026-07-01 planned', 'mover.changed 2026-06-03 due'],
    },
    {
      name: 'a start that fell due is none to come, even in a zone where its day has not begun',
      reads: [
        seen(NEXT, { ...joining, office: 'Auckland' }),
        seen('2026-06-30T13:00:00.000Z', { ...joining, office: 'Los Angeles' }),
      ],
      want: ['mover.changed 2026-06-30 due'],
      state: 'employed',
    },
    {
      name: 'a move in the read that puts the employed back to onboarding is told, since it is one employment',
      reads: [known(), seen(NEXT, { ...joining, team: 'B' })],
      want: ['joiner.rescheduled 2026-07-01 due', 'joiner.started 2026-07-01 planned', `mover.changed ${NEXT} due`],
    },
  ])('$name', check);
});
