import { expect, test } from '@jest/globals';
import { decide } from '../../../src/domain/decide.js';
import type { PersonState } from '../../../src/domain/lifecycle.js';
import type { EmployeeRecord } from '../../../src/domain/records.js';
import { fillAbsentAttributes } from '../../../src/domain/employment.js';
import { addDays, getZone, toLocalDay } from '../../../src/domain/zones.js';
import { createRandom } from '../../../src/fake-personio/random.js';
import type { Random } from '../../../src/fake-personio/random.js';
import { ModelPerson } from './model.js';
import { commitDecision, createContext, createInput, formatEvents, createRecord } from './people.js';
import type { Read } from './people.js';

/** Simulates a company for a year, and compares every decision with the brute-force model, person by person. */
const PEOPLE = 1_000;
const FIRST_DAY = '2026-01-05';
const DAYS = 366;
const OFFICES = ['Berlin', 'Auckland', 'Los Angeles', 'Hamburg', null] as const;
const context = createContext();

/** Applies a change that HR enters, including mistakes. */
function applyRandomChange(person: EmployeeRecord, today: string, chance: Random): EmployeeRecord {
  const pickNear = (low: number, high: number): string => addDays(today, chance.pickBetween(low, high));
  const changes: readonly [() => Partial<EmployeeRecord>, ...(() => Partial<EmployeeRecord>)[]] = [
    () => ({ terminationDate: pickNear(1, 90) }),
    () => ({ terminationDate: pickNear(-10, 20) }),
    () => ({ terminationDate: null }),
    () => ({ terminationDate: null, lastWorkingDay: null, status: 'active' }),
    () => ({ lastWorkingDay: pickNear(-5, 30) }),
    () => ({ lastWorkingDay: null }),
    () => ({ status: 'inactive' }),
    () => ({ status: 'active' }),
    () => ({ status: 'active', hireDate: pickNear(-3, 3), terminationDate: null, lastWorkingDay: null }),
    () => ({ status: 'onboarding', hireDate: pickNear(1, 60), terminationDate: null, lastWorkingDay: null }),
    () => ({ status: 'onboarding', hireDate: null }),
    () => ({ hireDate: pickNear(-20, 20) }),
    // The next contract, before this one ends.
    () => ({ terminationDate: pickNear(0, 10), lastWorkingDay: null, hireDate: pickNear(11, 40) }),
    // Inactive on the last day, and no fact at all.
    () => ({ status: 'inactive', terminationDate: today }),
    () => (person.terminationDate === today ? { status: 'inactive' } : { status: chance.pick([null, '', 'paused']) }),
    () => ({ status: 'leave' }),
    () => ({ status: 'active' }),
    () => ({ terminationDate: '2015-06-30' }),
    () => ({ office: chance.pick(OFFICES) }),
    () => ({ teamId: chance.pick(['1', '2', null]), team: chance.pick(['A', 'B', 'C']) }),
    () => ({ departmentId: chance.pick(['1', '2']) }),
    () => ({ department: chance.pick(['Sales', 'Sales & More']) }),
    () => ({ lastName: chance.pick(['Alt', 'Neu']) }),
    () => ({ contractEndDate: pickNear(-20, 20) }),
    () => ({ absentAttributes: chance.pick([[], ['team'], ['termination_date'], ['team', 'termination_date']]) }),
    () => ({ absentAttributes: [] }),
  ];
  return { ...person, ...chance.pick(changes)() };
}

/** Returns the record as the list has it, without attributes that may not be read. */
function toListed(person: EmployeeRecord): EmployeeRecord {
  return {
    ...person,
    ...(person.absentAttributes.includes('team') ? { teamId: null, team: null } : {}),
    ...(person.absentAttributes.includes('termination_date') ? { terminationDate: null } : {}),
  };
}

interface SimulatedPerson {
  truth: EmployeeRecord;
  /** Number of days on which the list omits the person. */
  hiddenFor: number;
  state: PersonState | null;
  readonly model: ModelPerson;
}

/** Checks whether the store would decide on this person: new, missing, changed, or with a date ahead. */
function isPair(state: PersonState | null, record: EmployeeRecord | null): boolean {
  if (state === null) return record !== null;
  if (record === null) return state.deletedAt === null;
  const after = fillAbsentAttributes(record, state.record);
  return (
    JSON.stringify(after) !== JSON.stringify(state.record) ||
    state.missingSince !== null ||
    state.deletedAt !== null ||
    ['announced', 'leaving'].includes(state.lifecycleState ?? '') ||
    (state.lifecycleState !== 'left' && (after.terminationDate !== null || after.lastWorkingDay !== null))
  );
}

test.each([1, 2])(
  'a simulated year of 1,000 people gives the events of the model (seed %d)',
  (seed) => {
    const chance = createRandom(seed);
    const getOfficeZone = (office: string | null): string => getZone(office, context.offices);
    const createPerson = (truth: EmployeeRecord): SimulatedPerson => ({
      truth,
      hiddenFor: 0,
      state: null,
      model: new ModelPerson(getOfficeZone),
    });
    const company = Array.from({ length: PEOPLE }, (_, index) =>
      createPerson(createRecord({ employeeId: String(index), office: chance.pick(OFFICES) })),
    );
    const ids = new Set<string>();
    const kinds = new Map<string, number>();
    for (let day = 0; day < DAYS; day++) {
      const on = addDays(FIRST_DAY, day);
      live(company, on, chance, createPerson);
      // Weekends, lost days, and three weeks in August without a run.
      const isRead = day % 7 < 5 && !chance.isLucky(0.05) && !(on >= '2026-08-03' && on < '2026-08-24');
      if (!isRead) continue;
      for (const person of company) readBoth(person, `${on}T03:00:00.000Z`, day === 0, { ids, kinds });
    }
    // Otherwise a simulation without events would pass.
    expect(kinds.size).toBe(14);
    for (const count of kinds.values()) expect(count).toBeGreaterThan(20);
  },
  60_000,
);

function live(
  company: SimulatedPerson[],
  today: string,
  chance: Random,
  createPerson: (truth: EmployeeRecord) => SimulatedPerson,
): void {
  for (const person of company) {
    if (chance.isLucky(0.02)) person.truth = applyRandomChange(person.truth, today, chance);
    person.hiddenFor = chance.isLucky(0.0008) ? chance.pickBetween(1, 6) : Math.max(0, person.hiddenFor - 1);
  }
  for (let joiner = 0; joiner < 1; joiner++) {
    const hireDate = addDays(today, chance.pickBetween(-2, 40));
    const status = hireDate > today ? 'onboarding' : 'active';
    company.push(
      createPerson(createRecord({ employeeId: String(company.length), status, hireDate, office: 'Auckland' })),
    );
  }
}

interface Tally {
  readonly ids: Set<string>;
  readonly kinds: Map<string, number>;
}

function readBoth(person: SimulatedPerson, on: string, isBaseline: boolean, { ids, kinds }: Tally): void {
  const record = person.hiddenFor > 0 ? null : toListed(person.truth);
  const expected = person.model.read(new Date(on), record, isBaseline);
  let got: readonly string[] = [];
  if (isPair(person.state, record)) {
    const read: Read = { on, record, isConfirmedGone: record === null, isBaseline };
    const before = person.state === null ? null : markFallenDue(person.state, on);
    const input = { ...createInput(before, read), employeeId: person.truth.employeeId };
    const decision = decide(input, context);
    got = formatEvents(decision);
    for (const { eventId, kind } of decision.events) {
      if (ids.has(eventId)) throw new Error(`Event id ${eventId} is used twice.`);
      ids.add(eventId);
      kinds.set(kind, (kinds.get(kind) ?? 0) + 1);
    }
    person.state = commitDecision(before, read, decision);
  }
  // `expect` is too slow for a third of a million comparisons.
  if (got.join() !== expected.join())
    throw new Error(
      `Employee ${person.truth.employeeId} on ${on}:\n${got.join('\n')}\ninstead of\n${expected.join('\n')}\n` +
        JSON.stringify(record),
    );
}

/** Marks events that have fallen due, as the store does. For some people it does so late, which must not matter. */
function markFallenDue(state: PersonState, on: string): PersonState {
  const isPast = (event: PersonState['planned'][number]): boolean => {
    const today = toLocalDay(on, event.timeZone);
    return event.kind === 'leaver.left' ? today > event.effectiveDate : today >= event.effectiveDate;
  };
  const isMarked = state.version % 2 === 0;
  return isMarked ? { ...state, planned: state.planned.filter((event) => !isPast(event)) } : state;
}
