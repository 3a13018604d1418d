import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
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
}

export async function openDemoCompany(home: string, port: number): Promise<DemoCompany> {
  const today = (): string => new Date().toISOString().slice(0, 10);
  const file = join(home, 'company.json');
  let state = readDays(file) ?? { employees: EMPLOYEES, seed: SEED, foundedOn: today(), days: [] };
  const { employees, seed, foundedOn } = state;
  const fake = await startFakePersonio({ employees, seed, foundedOn, port });
  fake.behaviour.employeesPerSecond = REQUESTS_PER_SECOND;
  for (const day of state.days) fake.company.advanceDay(day);
  writeFileSync(file, JSON.stringify(state));
  return {
    fake,
    size: fake.company.size,
    advanceDay: () => {
      fake.company.advanceDay(today());
      state = { ...state, days: [...state.days, today()] };
      writeFileSync(file, JSON.stringify(state));
    },
  };
}

function readDays(file: string): Days | null {
  try {
    return daysSchema.parse(JSON.parse(readFileSync(file, 'utf8')));
  } catch {
    // No company yet, or a torn file: a new one begins.
    return null;
  }
}
