import { describe, expect, test } from '@jest/globals';
import { playReads } from './people.js';
import { NEXT, known, seen, joining, leaving, inactive, check } from './reads.js';
import type { Row } from './reads.js';

describe('movers', () => {
  test.each<Row & { attribute: string }>(
    (
      [
        ['department', { departmentId: '2', department: 'IT' }],
        ['team', { team: 'B' }],
        ['office', { office: 'Hamburg' }],
        ['position', { position: 'Manager' }],
        ['supervisor', { supervisorId: '2' }],
        ['subcompany', { subcompany: 'Two GmbH' }],
        ['cost_centers', { costCenters: [{ id: '1', name: 'C', percentage: 100 }] }],
        ['employment_type', { employmentType: 'external' }],
        ['weekly_working_hours', { weeklyWorkingHours: '20' }],
      ] as const
    ).map(([attribute, change]) => ({
      attribute,
      name: `a change of ${attribute} is emitted with the values before and after`,
      reads: [known(), seen(NEXT, change)],
      want: [`mover.changed ${NEXT} due`],
      rules: ['moved'],
      brake: 'movers',
    })),
  )('$name', (row) => {
    check(row);
    const { decision } = playReads(row.reads);
    expect(decision.events[0]?.changes).toEqual([expect.objectContaining({ attribute: row.attribute })]);
    expect(decision.events[0]?.changes[0]).toHaveProperty('from');
    expect(decision.events[0]?.changes[0]).toHaveProperty('to');
  });

  test.each<Row>([
    {
      name: 'a renamed department moves nobody',
      reads: [known(), seen(NEXT, { department: 'Sales and more' })],
      want: [],
    },
    ...(['team', 'office', 'subcompany'] as const).flatMap((unit) => [
      {
        name: 'a renamed office, team or legal entity moves nobody',
        reads: [known({ [`${unit}Id`]: '1', [unit]: 'Old' }), seen(NEXT, { [`${unit}Id`]: '1', [unit]: 'New' })],
        want: [],
      },
      {
        name: 'another office, team or legal entity of the same name is a move',
        reads: [known({ [`${unit}Id`]: '1' }), seen(NEXT, { [`${unit}Id`]: '2' })],
        want: [`mover.changed ${NEXT} due`],
      },
    ]),
    {
      name: 'an id that was unknown before moves nobody',
      reads: [known(), seen(NEXT, { officeId: '1', teamId: '1', subcompanyId: '1' })],
      want: [],
    },
    {
      name: 'a department is compared by name if one side has no id',
      reads: [known(), seen(NEXT, { departmentId: null })],
      want: [],
    },
    {
      name: '40 and 40.0 weekly hours are equal',
      reads: [known(), seen(NEXT, { weeklyWorkingHours: '40.0' })],
      want: [],
    },
    {
      name: 'the order of cost centres does not matter',
      reads: [known({ costCenters: [cost('1'), cost('2')] }), seen(NEXT, { costCenters: [cost('2'), cost('1')] })],
      want: [],
    },
    {
      name: 'an attribute that the policy ignores moves nobody',
      reads: [known(), seen(NEXT, { team: 'B', email: 'new@example.com' })],
      policy: { ignoreAttributes: ['team', 'email'] },
      want: [],
    },
    {
      name: 'an announced person can move too',
      reads: [known(joining), seen(NEXT, { ...joining, team: 'B' })],
      want: [`mover.changed ${NEXT} due`],
    },
    {
      name: 'a new last name is a rename',
      reads: [known(), seen(NEXT, { lastName: 'Neu' })],
      want: [`mover.renamed ${NEXT} due`],
      rules: ['renamed'],
      brake: 'movers',
    },
    {
      name: 'the begin of a leave is a mover event',
      reads: [known(), seen(NEXT, { status: 'leave' })],
      want: [`mover.leave-started ${NEXT} due`],
      rules: ['leave-started'],
      state: 'on leave',
      brake: 'movers',
    },
    {
      name: 'the end of a leave is a mover event',
      reads: [known({ status: 'leave' }), seen(NEXT)],
      want: [`mover.leave-ended ${NEXT} due`],
      rules: ['leave-ended'],
      state: 'employed',
    },
    {
      name: 'leave before the start emits no event',
      reads: [known(joining), seen(NEXT, { ...joining, status: 'leave' })],
      want: [],
      state: 'announced',
    },
    {
      name: 'nobody moves in the read that ends the employment',
      reads: [known(), seen(NEXT, { ...inactive, team: 'B', lastName: 'Neu' })],
      want: [`leaver.left ${NEXT} due`],
    },
    {
      name: 'nobody moves after leaving',
      reads: [known(inactive), seen(NEXT, { ...inactive, team: 'B' })],
      want: [],
    },
    {
      name: 'a person who leaves and moves counts as a leaver',
      reads: [known(), seen(NEXT, { ...leaving, team: 'B' })],
      want: ['leaver.announced 2026-06-30 due', 'leaver.left 2026-06-30 planned', `mover.changed ${NEXT} due`],
      brake: 'leavers',
    },
  ])('$name', check);

  test('a rename names the attributes, never their values', () => {
    const { decision } = playReads([known(), seen(NEXT, { lastName: 'Geheim', email: 'geheim@example.com' })]);
    expect(decision.events[0]?.changes).toEqual([{ attribute: 'last_name' }, { attribute: 'email' }]);
    expect(JSON.stringify(decision)).not.toMatch(/geheim|Alt|anna/i);
  });
});

function cost(id: string): { id: string; name: string; percentage: number } {
  return { id, name: id, percentage: 50 };
}

describe('an attribute that the credential may not read', () => {
  const everything = ['hire_date', 'termination_date', 'status', 'department', 'office', 'last_name'];
  const nothing = {
    hireDate: null,
    terminationDate: null,
    status: null,
    departmentId: null,
    department: null,
    office: null,
    lastName: null,
    absentAttributes: everything,
  };
  test.each<Row>([
    {
      name: 'keeps its last value and emits no event',
      reads: [known(leaving), seen(NEXT, nothing)],
      want: [],
      state: 'leaving',
    },
    { name: 'does not withdraw a start', reads: [known(joining), seen(NEXT, nothing)], want: [], state: 'announced' },
    {
      name: 'moves nobody when it becomes readable',
      reads: [
        known({ team: null, preferredName: null, absentAttributes: ['team', 'preferred_name'] }),
        seen(NEXT, { preferredName: 'Ann' }),
      ],
      want: [],
    },
    {
      name: 'differs from an empty one',
      reads: [known({ team: null }), seen(NEXT)],
      want: [`mover.changed ${NEXT} due`],
    },
  ])('$name', check);
});
