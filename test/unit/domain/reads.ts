import { expect } from '@jest/globals';
import type { LifecyclePolicy } from '../../../src/domain/policy.js';
import type { EmployeeRecord } from '../../../src/domain/records.js';
import { createContext, formatEvents, createRecord, playReads } from './people.js';
import type { Read } from './people.js';

/** Day of the first complete read. */
export const BASELINE = '2026-06-01';
export const NEXT = '2026-06-02';

export const known = (more: Partial<EmployeeRecord> = {}): Read => ({
  on: BASELINE,
  record: createRecord(more),
  isBaseline: true,
});
export const seen = (on: string, more: Partial<EmployeeRecord> = {}): Read => ({ on, record: createRecord(more) });
export const missing = (on: string, confirmedGone = false): Read => ({
  on,
  record: null,
  isConfirmedGone: confirmedGone,
});

export interface Row {
  readonly name: string;
  readonly reads: readonly Read[];
  readonly policy?: Partial<LifecyclePolicy>;
  /** Events of the last read, as `formatEvents` prints them. */
  readonly want: readonly string[];
  readonly rules?: readonly string[];
  readonly state?: string | null;
  readonly brake?: string | null;
}

export const joining = { status: 'onboarding', hireDate: '2026-07-01' };
export const leaving = { terminationDate: '2026-06-30' };
export const inactive = { status: 'inactive' };

export function check({ reads, policy, want, rules, state, brake }: Row): void {
  const { decision } = playReads(reads, createContext(policy));
  expect(formatEvents(decision)).toEqual(want);
  if (rules !== undefined) expect(decision.events.map((event) => event.rule)).toEqual(rules);
  if (state !== undefined) expect(decision.lifecycleState).toBe(state);
  if (brake !== undefined) expect(decision.brakeClass).toBe(brake);
}
