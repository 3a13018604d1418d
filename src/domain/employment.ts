import type { LifecyclePolicy } from './policy.js';
import type { EmployeeAttribute, EmployeeFields, EmployeeRecord } from './records.js';
import { EMPLOYEE_ATTRIBUTES } from './records.js';

/** Where a record puts a person on a day. `none`: onboarding without a date, so neither to come nor here. */
export type Phase = 'none' | 'announced' | 'employed' | 'out';

/** What a record says about a person's employment on a given day. */
export interface EmploymentStatus {
  readonly phase: Phase;
  /** Personio's `hire_date`. */
  readonly start: string | null;
  /** The end of this employment, past or coming. */
  readonly end: string | null;
  /** Out by the status, where the dates alone would not say so. */
  readonly isOutByStatus: boolean;
  readonly isOnLeave: boolean;
  readonly isOnboarding: boolean;
}

/** @returns the end that counts: see "The end that counts" in docs/lifecycle.md. */
function findEnd(record: EmployeeFields, endsOn: LifecyclePolicy['leaverEndsOn']): string | null {
  const { terminationDate, lastWorkingDay, hireDate, status } = record;
  const end =
    endsOn === 'termination_date'
      ? terminationDate
      : pickEarlier(terminationDate, terminationDate !== null || status === 'inactive' ? lastWorkingDay : null);
  return end !== null && hireDate !== null && end < hireDate ? null : end;
}

function pickEarlier(a: string | null, b: string | null): string | null {
  if (a === null || b === null) return a ?? b;
  return a < b ? a : b;
}

/** @param today the calendar day in the person's zone. */
export function employmentOn(
  record: EmployeeFields,
  today: string,
  endsOn: LifecyclePolicy['leaverEndsOn'],
): EmploymentStatus {
  const end = findEnd(record, endsOn);
  const start = record.hireDate;
  const isInactive = record.status === 'inactive';
  const isOutByDate = end !== null && end < today;
  const isOnboarding = record.status === 'onboarding';
  return {
    start,
    end,
    isOnboarding,
    isOnLeave: record.status === 'leave',
    isOutByStatus: isInactive && !isOutByDate,
    phase: isInactive || isOutByDate ? 'out' : toPhase(start, isOnboarding, today),
  };
}

function toPhase(start: string | null, isOnboarding: boolean, today: string): Phase {
  if (start === null) return isOnboarding ? 'none' : 'employed';
  return start > today ? 'announced' : 'employed';
}

/** @returns the record with the last known values in place of those that the credential may no longer read. */
export function fillAbsentAttributes(current: EmployeeRecord, previous: EmployeeRecord | null): EmployeeRecord {
  if (previous === null || current.absentAttributes.length === 0) return current;
  const absent = current.absentAttributes.flatMap(listFields);
  const kept: Partial<EmployeeFields> = Object.fromEntries(absent.map((field) => [field, previous[field]]));
  return { ...current, ...kept };
}

function listFields(attribute: string): readonly (keyof EmployeeFields)[] {
  return isEmployeeAttribute(attribute) ? EMPLOYEE_ATTRIBUTES[attribute] : [];
}

function isEmployeeAttribute(attribute: string): attribute is EmployeeAttribute {
  return Object.hasOwn(EMPLOYEE_ATTRIBUTES, attribute);
}

/** @returns contradictions of a record, in words without a person, for `sync_runs.detail`. */
export function findAnomalies(record: EmployeeRecord): readonly string[] {
  const { hireDate, terminationDate, lastWorkingDay, supervisorId, employeeId } = record;
  const found: string[] = [];
  const end = terminationDate ?? lastWorkingDay;
  if (hireDate !== null && end !== null && end < hireDate) found.push('end before start');
  if (supervisorId === employeeId) found.push('supervises themselves');
  return found;
}
