import type { LifecyclePolicy } from './policy.js';
import type { EmployeeAttribute, EmployeeFields, EmployeeRecord } from './records.js';
import { EMPLOYEE_ATTRIBUTES, EMPLOYEE_STATUSES } from './records.js';

/** Phase of an employment on a day. `none`: onboarding without a date, so neither announced nor employed. */
export type Phase = 'none' | 'announced' | 'employed' | 'out';

/** A person's employment on a given day, according to one record. */
export interface EmploymentStatus {
  readonly phase: Phase;
  /** Personio's `hire_date`. */
  readonly start: string | null;
  /** Past or future end of this employment. */
  readonly end: string | null;
  /** True if the person is out by status and not by the dates. */
  readonly isOutByStatus: boolean;
  readonly isOnLeave: boolean;
  readonly isOnboarding: boolean;
}

/** Returns the end by the dates, of this employment or a former one: "The end that counts" in docs/lifecycle.md. */
function findEnd(record: EmployeeFields, endsOn: LifecyclePolicy['leaverEndsOn']): string | null {
  const { terminationDate, lastWorkingDay, status } = record;
  if (endsOn === 'termination_date') return terminationDate;
  return pickEarlier(terminationDate, terminationDate !== null || status === 'inactive' ? lastWorkingDay : null);
}

function pickEarlier(a: string | null, b: string | null): string | null {
  if (a === null || b === null) return a ?? b;
  return a < b ? a : b;
}

/**
 * Returns the employment status on a day.
 *
 * @param today the calendar day in the person's zone.
 * @param isEmployed whether the person was employed up to now: a hire date after an end that is still to come is then
 * that of the next contract, and the end counts.
 */
export function employmentOn(
  record: EmployeeFields,
  today: string,
  endsOn: LifecyclePolicy['leaverEndsOn'],
  isEmployed: boolean,
): EmploymentStatus {
  const lastEnd = findEnd(record, endsOn);
  const start = record.hireDate;
  const isEndBeforeStart = lastEnd !== null && start !== null && lastEnd < start;
  const isStartOfNextContract = isEndBeforeStart && isEmployed && lastEnd >= today;
  const end = isEndBeforeStart && !isStartOfNextContract ? null : lastEnd;
  const isInactive = record.status === 'inactive';
  const isOutByDate = end !== null && end < today;
  const isOnboarding = record.status === 'onboarding';
  return {
    start,
    end,
    isOnboarding,
    isOnLeave: record.status === 'leave',
    isOutByStatus: isInactive && !isOutByDate,
    phase: isInactive || isOutByDate ? 'out' : toPhase(isStartOfNextContract ? today : start, isOnboarding, today),
  };
}

function toPhase(start: string | null, isOnboarding: boolean, today: string): Phase {
  if (start === null) return isOnboarding ? 'none' : 'employed';
  return start > today ? 'announced' : 'employed';
}

/** Fills attributes that the credential may no longer read, and a status that is no fact, with the last values. */
export function fillAbsentAttributes(current: EmployeeRecord, previous: EmployeeRecord | null): EmployeeRecord {
  const filled = isKnownStatus(current.status) ? current : { ...current, status: previous?.status ?? null };
  if (previous === null || current.absentAttributes.length === 0) return filled;
  const absent = current.absentAttributes.flatMap(listFields);
  const kept: Partial<EmployeeFields> = Object.fromEntries(absent.map((field) => [field, previous[field]]));
  return { ...filled, ...kept };
}

/** Checks whether a record has a status that says nothing; one that may not be read is none. */
export function isStatusUnknown({ status, absentAttributes }: EmployeeRecord): boolean {
  return !isKnownStatus(status) && !absentAttributes.includes('status');
}

function isKnownStatus(status: string | null): boolean {
  return EMPLOYEE_STATUSES.some((known) => known === status);
}

function listFields(attribute: string): readonly (keyof EmployeeFields)[] {
  return isEmployeeAttribute(attribute) ? EMPLOYEE_ATTRIBUTES[attribute] : [];
}

function isEmployeeAttribute(attribute: string): attribute is EmployeeAttribute {
  return Object.hasOwn(EMPLOYEE_ATTRIBUTES, attribute);
}

/** Finds contradictions in a record, described without personal data for `sync_runs.detail`. */
export function findAnomalies(record: EmployeeRecord): readonly string[] {
  const { hireDate, terminationDate, lastWorkingDay, supervisorId, employeeId } = record;
  const found: string[] = [];
  const end = terminationDate ?? lastWorkingDay;
  if (hireDate !== null && end !== null && end < hireDate) found.push('end before start');
  if (supervisorId === employeeId) found.push('supervises themselves');
  return found;
}
