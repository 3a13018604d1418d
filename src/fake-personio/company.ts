import { addDays } from '../domain/zones.js';
import { createRandom } from './chance.js';
import type { Random } from './chance.js';
import {
  FIRST_NAMES,
  LAST_NAMES,
  DEPARTMENTS,
  TEAMS,
  OFFICES,
  SUBCOMPANIES,
  POSITIONS,
  COST_CENTERS,
  SKILLS,
} from './vocabulary.js';
import type { Unit } from './vocabulary.js';

/** One made-up person, as the HR department would see them. `status` follows from the dates on the day of asking. */
export interface DemoEmployee {
  readonly id: number;
  firstName: string;
  lastName: string;
  preferredName: string;
  email: string;
  gender: string;
  position: string;
  department: Unit | null;
  team: Unit | null;
  office: Unit | null;
  subcompany: Unit;
  supervisorId: number | null;
  employmentType: 'internal' | 'external';
  weeklyWorkingHours: string;
  hireDate: string | null;
  contractEndDate: string | null;
  terminationDate: string | null;
  lastWorkingDay: string | null;
  terminationType: string;
  isOnLeave: boolean;
  costCenters: readonly { readonly id: number; readonly name: string; readonly percentage: number }[];
  salary: number;
  iban: string;
  skills: readonly string[];
  lastModifiedAt: string;
}

export interface CompanyOptions {
  readonly employees: number;
  readonly seed: number;
  /** The day on which the company was made up; dates of its people lie around it. */
  readonly foundedOn: string;
}

const FIRST_ID = 1_001;
/** People with a supervisor report to one of the first tenth. */
const LEADERS_SHARE = 10;

/** A made-up company: the same options give the same people. */
export class Company {
  readonly options: CompanyOptions;
  private readonly random: Random;
  private readonly people = new Map<number, DemoEmployee>();
  private nextId = FIRST_ID;

  constructor(options: CompanyOptions) {
    this.options = options;
    this.random = createRandom(options.seed);
    for (let index = 0; index < options.employees; index++) this.hire(options.foundedOn);
  }

  /** Everybody whom Personio would list, in the order of their ids. */
  get employees(): readonly DemoEmployee[] {
    return [...this.people.values()];
  }

  get size(): number {
    return this.people.size;
  }

  get departments(): readonly Unit[] {
    return DEPARTMENTS;
  }

  find(id: number): DemoEmployee | undefined {
    return this.people.get(id);
  }

  /** Gone from Personio, as after a deletion: no trace in any list. */
  remove(id: number): void {
    this.people.delete(id);
  }

  add(employee: DemoEmployee): void {
    this.people.set(employee.id, employee);
    this.nextId = Math.max(this.nextId, employee.id + 1);
  }

  /** Changes what HR would have entered by the morning of `today`: somebody joins, somebody moves, somebody's last day was yesterday. */
  advanceDay(today: string): void {
    const joiner = this.hire(today);
    Object.assign(joiner, { hireDate: today, contractEndDate: null, terminationDate: null, lastWorkingDay: null });
    Object.assign(joiner, { isOnLeave: false, terminationType: '', lastModifiedAt: `${today}T07:00:00Z` });
    const here = this.employees.filter(
      (person) =>
        getStatus(person, today) === 'active' && person.terminationDate === null && (person.hireDate ?? today) < today,
    );
    const [mover, leaver] = [
      here[this.random.pickBetween(0, here.length - 1)],
      here[this.random.pickBetween(0, here.length - 1)],
    ];
    if (leaver !== undefined) {
      const yesterday = addDays(today, -1);
      Object.assign(leaver, { terminationDate: yesterday, lastWorkingDay: yesterday, terminationType: 'employee' });
      leaver.lastModifiedAt = `${today}T07:00:00Z`;
    }
    const moving = mover === leaver ? here.find((person) => person !== leaver) : mover;
    if (moving !== undefined) {
      const others = DEPARTMENTS.filter((unit) => unit.id !== moving.department?.id);
      moving.department = others[this.random.pickBetween(0, others.length - 1)] ?? DEPARTMENTS[0];
      moving.position = moving.position === 'Manager' ? 'Team Lead' : 'Manager';
      moving.lastModifiedAt = `${today}T07:00:00Z`;
    }
  }

  private hire(today: string): DemoEmployee {
    const { random: chance } = this;
    const id = this.nextId;
    this.nextId += 1;
    const firstName = chance.pick(FIRST_NAMES);
    const lastName = chance.pick(LAST_NAMES);
    const share = chance.pickBetween(1, 9) * 10;
    const [one, two] = [chance.pick(COST_CENTERS), chance.pick(COST_CENTERS)];
    const isLeader = this.people.size < Math.max(1, Math.floor(this.options.employees / LEADERS_SHARE));
    const employee: DemoEmployee = {
      id,
      firstName,
      lastName,
      preferredName: chance.isLucky(0.2) ? firstName.slice(0, 3) : '',
      email: `${toAscii(firstName)}.${toAscii(lastName)}.${id}@example.org`,
      gender: chance.pick(['female', 'male', 'diverse', '']),
      position: isLeader ? 'Team Lead' : chance.pick(POSITIONS),
      department: chance.isLucky(0.97) ? chance.pick(DEPARTMENTS) : null,
      team: chance.isLucky(0.8) ? chance.pick(TEAMS) : null,
      office: chance.isLucky(0.95) ? chance.pick(OFFICES) : null,
      subcompany: chance.pick(SUBCOMPANIES),
      supervisorId: isLeader
        ? null
        : FIRST_ID + chance.pickBetween(0, Math.max(0, Math.floor(this.options.employees / LEADERS_SHARE) - 1)),
      employmentType: chance.isLucky(0.9) ? 'internal' : 'external',
      weeklyWorkingHours: chance.pick(['40', '40', '40', '32', '20', '38.5']),
      ...this.createHistory(today),
      costCenters:
        one.id === two.id
          ? [{ ...one, percentage: 100 }]
          : [
              { ...one, percentage: share },
              { ...two, percentage: 100 - share },
            ],
      salary: chance.pickBetween(30, 120) * 1_000,
      iban: `DE00${chance.pickBetween(10_000_000, 99_999_999)}${chance.pickBetween(1_000_000_000, 9_999_999_999)}`,
      skills: SKILLS.filter(() => chance.isLucky(0.3)),
    };
    this.people.set(id, employee);
    return employee;
  }

  /** A believable employment: most are here, some are to come, some have left or are about to. */
  private createHistory(
    today: string,
  ): Pick<
    DemoEmployee,
    | 'hireDate'
    | 'contractEndDate'
    | 'terminationDate'
    | 'lastWorkingDay'
    | 'terminationType'
    | 'isOnLeave'
    | 'lastModifiedAt'
  > {
    const { random: chance } = this;
    const pickDay = (low: number, high: number): string => addDays(today, chance.pickBetween(low, high));
    const kind = chance.next();
    const none = {
      contractEndDate: null,
      terminationDate: null,
      lastWorkingDay: null,
      terminationType: '',
      isOnLeave: false,
    };
    const lastModifiedAt = `${pickDay(-300, -2)}T10:00:00Z`;
    const hireDate = pickDay(-4_000, -40);
    if (kind < 0.03) return { ...none, lastModifiedAt, hireDate: kind < 0.003 ? null : pickDay(2, 60) };
    if (kind < 0.15) {
      const terminationDate = pickDay(-700, -3);
      const hiredOn = addDays(terminationDate, -chance.pickBetween(30, 3_000));
      const lastWorkingDay = addDays(terminationDate, -chance.pickBetween(0, 14));
      return {
        ...none,
        lastModifiedAt,
        hireDate: hiredOn,
        terminationDate,
        lastWorkingDay,
        terminationType: 'employee',
      };
    }
    if (kind < 0.18) {
      const terminationDate = pickDay(5, 90);
      const lastWorkingDay = addDays(terminationDate, -chance.pickBetween(0, 4));
      return { ...none, lastModifiedAt, hireDate, terminationDate, lastWorkingDay, terminationType: 'employee' };
    }
    if (kind < 0.22) return { ...none, lastModifiedAt, hireDate, isOnLeave: true };
    if (kind < 0.28) return { ...none, lastModifiedAt, hireDate, contractEndDate: pickDay(-20, 300) };
    return { ...none, lastModifiedAt, hireDate };
  }
}

/** What Personio would show on a day. */
export function getStatus(person: DemoEmployee, today: string): 'onboarding' | 'active' | 'leave' | 'inactive' {
  if (person.terminationDate !== null && person.terminationDate < today) return 'inactive';
  if (person.hireDate === null || person.hireDate > today) return 'onboarding';
  return person.isOnLeave ? 'leave' : 'active';
}

function toAscii(name: string): string {
  return name
    .normalize('NFD')
    .replaceAll(/[^a-zA-Z]/g, '')
    .toLowerCase();
}
