import { readFileSync } from 'node:fs';
import type { EmployeeRecord } from '../../src/domain/records.js';

/** Lives of one or two people, read by read, with the events that are right: `test/fixtures/lifecycle-cases.json`. */

export interface CasePerson {
  readonly id: string;
  readonly status: string | null;
  readonly hire_date: string | null;
  readonly termination_date: string | null;
  readonly last_working_day: string | null;
  readonly office: string;
  readonly email: string;
}

export interface CaseEvent {
  readonly run: number;
  readonly kind: string;
  readonly effectiveDate: string;
  readonly effectiveAt?: string;
  readonly state?: string;
  readonly late?: boolean;
  readonly episode?: number;
  /** Default: 1. */
  readonly employeeId?: string;
  readonly relatedEmployeeId?: string;
}

export interface Life {
  readonly name: string;
  /** The first run is the baseline. A person who is not in `people` is missing, and gone when asked for by id. */
  readonly runs: readonly { readonly at: string; readonly people: readonly CasePerson[] }[];
  readonly events: readonly CaseEvent[];
  /** State of employee 1 after each run. */
  readonly lifecycleStates?: readonly (string | null)[];
  /** Zones by office, and `default`. */
  readonly offices?: Readonly<Record<string, string>>;
}

export function readLives(): readonly Life[] {
  const text = readFileSync('test/fixtures/lifecycle-cases.json', 'utf8');
  return (JSON.parse(text) as { readonly lives: readonly Life[] }).lives;
}

/** Returns the fields of a record that a life is about. */
export function toFields(person: CasePerson): Partial<EmployeeRecord> {
  return {
    employeeId: person.id,
    status: person.status,
    hireDate: person.hire_date,
    terminationDate: person.termination_date,
    lastWorkingDay: person.last_working_day,
    office: person.office,
    email: person.email,
  };
}

/** Returns the events that are right, sorted by run and kind, with `effectiveAt` as the code formats it. */
export function listWantedEvents({ events }: Life): readonly CaseEvent[] {
  return events.toSorted(compareByRun).map(({ effectiveAt, ...event }) => ({
    employeeId: '1',
    ...event,
    ...(effectiveAt === undefined ? {} : { effectiveAt: new Date(effectiveAt).toISOString() }),
  }));
}

export function compareByRun(one: CaseEvent, other: CaseEvent): number {
  return one.run - other.run || one.kind.localeCompare(other.kind);
}
