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
  /** Calendar day on which each simulated day passed. */
  days: z.array(z.string()),
});
type Days = z.infer<typeof daysSchema>;

const EMPLOYEES = 250;
const SEED = 1;
/** Limit that Personio documents for employees. */
const REQUESTS_PER_SECOND = 15;

/** Demo company of `dev`, which keeps its days between starts. */
export interface DemoCompany {
  readonly fake: FakePersonio;
  readonly size: number;
  /** Lets a day pass: HR enters a joiner, a mover, and a leaver whose last day was yesterday. */
  readonly advanceDay: () => void;
  /** Marks a third of the company as having left yesterday. Returns the function that undoes it. */
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
  const affected = company.employees.filter(
    ({ terminationDate }, index) => index % 3 === 0 && terminationDate === null,
  );
  const before = affected.map(({ terminationDate, lastWorkingDay }) => ({ terminationDate, lastWorkingDay }));
  for (const person of affected) Object.assign(person, { terminationDate: yesterday, lastWorkingDay: yesterday });
  return () => affected.forEach((person, index) => Object.assign(person, before[index]));
}

function readDays(file: string): Days | null {
  try {
    return daysSchema.parse(JSON.parse(readFileSync(file, 'utf8')));
  } catch {
    // No company yet, or a torn file: start a new one.
    return null;
  }
}
