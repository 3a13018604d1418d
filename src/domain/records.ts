/**
 * Records of each endpoint, independent of the API version. Ids are text: v1 numbers and v2 strings are the same id.
 * Dates are calendar dates, `YYYY-MM-DD`.
 */

/** Values of a record that cannot be read. They count as absent: the last value stands, and no event arises. */
export interface UnreadableValues {
  /** Page that the record came with, from 1; null for a record that was read by its id. */
  readonly page: number | null;
  /** Personio's keys. */
  readonly attributes: readonly string[];
}

/** Any record. */
export interface WithUnreadable {
  /** Left out where everything can be read. */
  readonly unreadable?: UnreadableValues;
}

export interface CostCenter {
  readonly id: string;
  readonly name: string | null;
  /** Share in percent. */
  readonly percentage: number | null;
}

/** Typed columns of `employees`. An attribute that may not be read is null here and named in `absentAttributes`. */
export interface EmployeeFields {
  readonly email: string | null;
  readonly firstName: string | null;
  readonly lastName: string | null;
  readonly preferredName: string | null;
  /** One of `EMPLOYEE_STATUSES`. A value that Personio adds later, or none, is no fact: the last one stands. */
  readonly status: string | null;
  readonly position: string | null;
  readonly departmentId: string | null;
  readonly department: string | null;
  readonly teamId: string | null;
  readonly team: string | null;
  readonly officeId: string | null;
  readonly office: string | null;
  readonly subcompanyId: string | null;
  /** Personio's `subcompany`: the legal entity. */
  readonly subcompany: string | null;
  readonly supervisorId: string | null;
  readonly employmentType: string | null;
  readonly hireDate: string | null;
  readonly contractEndDate: string | null;
  readonly terminationDate: string | null;
  readonly lastWorkingDay: string | null;
  readonly terminationType: string | null;
  /** A decimal number as text, as Personio sends it. */
  readonly weeklyWorkingHours: string | null;
  readonly costCenters: readonly CostCenter[] | null;
}

export interface EmployeeRecord extends EmployeeFields, WithUnreadable {
  readonly employeeId: string;
  /** All other attributes that the policy allows, by Personio's stable key, in Personio's raw form. */
  readonly attributes: Readonly<Record<string, unknown>>;
  /** Sorted keys of the typed columns that did not come or cannot be read (`hire_date`, …). Absent is not null. */
  readonly absentAttributes: readonly string[];
}

/** Values of `status` that are facts. */
export const EMPLOYEE_STATUSES = ['onboarding', 'active', 'leave', 'inactive'] as const;

/** Typed columns that each of Personio's attributes fills. */
export const EMPLOYEE_ATTRIBUTES = {
  email: ['email'],
  first_name: ['firstName'],
  last_name: ['lastName'],
  preferred_name: ['preferredName'],
  status: ['status'],
  position: ['position'],
  department: ['departmentId', 'department'],
  team: ['teamId', 'team'],
  office: ['officeId', 'office'],
  subcompany: ['subcompanyId', 'subcompany'],
  supervisor: ['supervisorId'],
  employment_type: ['employmentType'],
  hire_date: ['hireDate'],
  contract_end_date: ['contractEndDate'],
  termination_date: ['terminationDate'],
  last_working_day: ['lastWorkingDay'],
  termination_type: ['terminationType'],
  weekly_working_hours: ['weeklyWorkingHours'],
  cost_centers: ['costCenters'],
} as const satisfies Record<string, readonly (keyof EmployeeFields)[]>;

export type EmployeeAttribute = keyof typeof EMPLOYEE_ATTRIBUTES;

/** Creates the record of a person about whose employment nothing is known: every typed column is null. */
export function createEmptyRecord(employeeId: string): EmployeeRecord {
  const fields = Object.values(EMPLOYEE_ATTRIBUTES).flat();
  // eslint-disable-next-line @typescript-eslint/no-unsafe-type-assertion -- the table names every field
  const empty = Object.fromEntries(fields.map((field) => [field, null])) as unknown as EmployeeFields;
  return { ...empty, employeeId, attributes: {}, absentAttributes: [] };
}

export interface DepartmentRecord extends WithUnreadable {
  /** Id that the completeness gate counts: the department's, or the employee's if departments come from employees. */
  readonly recordId: string;
  /** Null for an employee without a department. */
  readonly departmentId: string | null;
  readonly name: string | null;
  readonly parentId: string | null;
}

export interface AttendanceRecord extends WithUnreadable {
  readonly periodId: string;
  /** Id of the same period in v2, if v1 names it: the row stays one when the source changes. */
  readonly periodIdV2: string | null;
  /** Null where it cannot be read. */
  readonly employeeId: string | null;
  /** Null where it cannot be read. */
  readonly date: string | null;
  /** Local time of day, `HH:MM`, without a zone. */
  readonly startTime: string | null;
  readonly endTime: string | null;
  readonly breakMinutes: number | null;
  readonly status: string | null;
  readonly project: string | null;
  readonly isHoliday: boolean | null;
  readonly isOnTimeOff: boolean | null;
  /** ISO 8601 moment. */
  readonly updatedAt: string | null;
  /** Set by v2 only, where breaks are periods of their own and are added to the work period around them. */
  readonly span: AttendanceSpan | null;
}

/** Begin and end in local time without a zone (`2026-06-01T08:00:00`). Overnight periods end on the next day. */
export interface AttendanceSpan {
  readonly kind: 'work' | 'break';
  readonly startsAt: string | null;
  readonly endsAt: string | null;
}

export interface TimeOffTypeRecord extends WithUnreadable {
  readonly timeOffTypeId: string;
  readonly name: string | null;
  readonly category: string | null;
  readonly unit: string | null;
  readonly approvalRequired: boolean | null;
}

/** Type of the records of each endpoint. */
export interface EndpointRecords {
  employees: EmployeeRecord;
  departments: DepartmentRecord;
  attendances: AttendanceRecord;
  'time-off-types': TimeOffTypeRecord;
}

/** Records of one endpoint, as they are read and staged. */
export type StagedRecords<E extends keyof EndpointRecords = keyof EndpointRecords> = {
  readonly [K in E]: { readonly endpoint: K; readonly records: readonly EndpointRecords[K][] };
}[E];
