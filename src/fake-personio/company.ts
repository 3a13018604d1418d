import { addDays } from '../domain/zones.js';
import { createRandom } from './random.js';
import type { Random } from './random.js';
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

/** Employee as the HR department enters them. Their status follows from the dates, see `getStatus`. */
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
  /** Day around which the dates of the employees lie, `YYYY-MM-DD`. */
  readonly foundedOn: string;
}

const FIRST_ID = 1_001;
/** The first tenth leads; all others report to one of them. */
const LEADERS_SHARE = 10;

/** Demo company. The same options give the same employees. */
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

  /** All employees that Personio lists, ordered by id. */
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

  /** Deletes an employee, who then is in no list. */
  remove(id: number): void {
    this.people.delete(id);
  }

  add(employee: DemoEmployee): void {
    this.people.set(employee.id, employee);
    this.nextId = Math.max(this.nextId, employee.id + 1);
  }

  /**
   * Makes the changes that HR has entered by the morning of `today`: one employee joins, one moves, and one had their
   * last day yesterday.
   */
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
    const { random } = this;
    const id = this.nextId;
    this.nextId += 1;
    const firstName = random.pick(FIRST_NAMES);
    const lastName = random.pick(LAST_NAMES);
    const share = random.pickBetween(1, 9) * 10;
    const [one, two] = [random.pick(COST_CENTERS), random.pick(COST_CENTERS)];
    const isLeader = this.people.size < Math.max(1, Math.floor(this.options.employees / LEADERS_SHARE));
    const employee: DemoEmployee = {
      id,
      firstName,
      lastName,
      preferredName: random.isLucky(0.2) ? firstName.slice(0, 3) : '',
      email: `${toAscii(firstName)}.${toAscii(lastName)}.${id}@example.org`,
      gender: random.pick(['female', 'male', 'diverse', '']),
      position: isLeader ? 'Team Lead' : random.pick(POSITIONS),
      department: random.isLucky(0.97) ? random.pick(DEPARTMENTS) : null,
      team: random.isLucky(0.8) ? random.pick(TEAMS) : null,
      office: random.isLucky(0.95) ? random.pick(OFFICES) : null,
      subcompany: random.pick(SUBCOMPANIES),
      supervisorId: isLeader
        ? null
        : FIRST_ID + random.pickBetween(0, Math.max(0, Math.floor(this.options.employees / LEADERS_SHARE) - 1)),
      employmentType: random.isLucky(0.9) ? 'internal' : 'external',
      weeklyWorkingHours: random.pick(['40', '40', '40', '32', '20', '38.5']),
      ...this.createHistory(today),
      costCenters:
        one.id === two.id
          ? [{ ...one, percentage: 100 }]
          : [
              { ...one, percentage: share },
              { ...two, percentage: 100 - share },
            ],
      salary: random.pickBetween(30, 120) * 1_000,
      iban: `DE00${random.pickBetween(10_000_000, 99_999_999)}${random.pickBetween(1_000_000_000, 9_999_999_999)}`,
      skills: SKILLS.filter(() => random.isLucky(0.3)),
    };
    this.people.set(id, employee);
    return employee;
  }

  /** Creates a plausible employment: most employees are active, some join later, some have left or will soon. */
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
    const { random } = this;
    const pickDay = (low: number, high: number): string => addDays(today, random.pickBetween(low, high));
    const kind = random.next();
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
      const hiredOn = addDays(terminationDate, -random.pickBetween(30, 3_000));
      const lastWorkingDay = addDays(terminationDate, -random.pickBetween(0, 14));
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
      const lastWorkingDay = addDays(terminationDate, -random.pickBetween(0, 4));
      return { ...none, lastModifiedAt, hireDate, terminationDate, lastWorkingDay, terminationType: 'employee' };
    }
    if (kind < 0.22) return { ...none, lastModifiedAt, hireDate, isOnLeave: true };
    if (kind < 0.28) return { ...none, lastModifiedAt, hireDate, contractEndDate: pickDay(-20, 300) };
    return { ...none, lastModifiedAt, hireDate };
  }
}

/** Returns the status that Personio shows on a day. */
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
