import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { addDays } from '../../domain/zones.js';
import { startFakePersonio } from '../../fake-personio/server.js';
import type { FakePersonio } from '../../fake-personio/server.js';

const daysSchema = z.object({
  employees: z.int(),
  seed: z.int(),
  foundedOn: z.string(),
  /** The calendar day on which each simulated day was lived. */
  days: z.array(z.string()),
});
type Days = z.infer<typeof daysSchema>;

const EMPLOYEES = 250;
const SEED = 1;
/** The limit that Personio documents for its employees. */
const REQUESTS_PER_SECOND = 15;

/** The made-up company of `dev`, which remembers its days between starts. */
export interface DemoCompany {
  readonly fake: FakePersonio;
  readonly size: number;
  /** Lets a day pass: HR enters somebody who joins, somebody who moves, somebody whose last day was yesterday. */
  readonly advanceDay: () => void;
  /** Lets HR's data say that every third person left yesterday. @returns what takes it back. */
  readonly simulateDataError: () => () => void;
}

export async function openDemoCompany(home: string, port: number): Promise<DemoCompany> {
  const getToday = (): string => new Date().toISOString().slice(0, 10);
  const file = join(home, 'company.json');
  let state = readDays(file) ?? { employees: EMPLOYEES, seed: SEED, foundedOn: getToday(), days: [] };
  const { employees, seed, foundedOn } = state;
  const fake = await startFakePersonio({ employees, seed, foundedOn, port });
  fake.behaviour.employeesPerSecond = REQUESTS_PER_SECOND;
  for (const day of state.days) fake.company.advanceDay(day);
  writeFileSync(file, JSON.stringify(state));
  return {
    fake,
    size: fake.company.size,
    advanceDay: () => {
      fake.company.advanceDay(getToday());
      state = { ...state, days: [...state.days, getToday()] };
      writeFileSync(file, JSON.stringify(state));
    },
    simulateDataError: () => simulateDataError(fake, addDays(getToday(), -1)),
  };
}

function simulateDataError({ company }: FakePersonio, yesterday: string): () => void {
  const hit = company.employees.filter(({ terminationDate }, index) => index % 3 === 0 && terminationDate === null);
  const before = hit.map(({ terminationDate, lastWorkingDay }) => ({ terminationDate, lastWorkingDay }));
  for (const person of hit) Object.assign(person, { terminationDate: yesterday, lastWorkingDay: yesterday });
  return () => hit.forEach((person, index) => Object.assign(person, before[index]));
}

function readDays(file: string): Days | null {
  try {
    return daysSchema.parse(JSON.parse(readFileSync(file, 'utf8')));
  } catch {
    // No company yet, or a torn file: a new one begins.
    return null;
  }
}
