import { Temporal } from 'temporal-polyfill';
import type { MadeUpAttendance } from './attendances.js';
import { statusOf } from './company.js';
import type { Company, MadeUpEmployee } from './company.js';
import type { Unit } from './vocabulary.js';

/** The exact forms that Personio's v1 API answers in. */

type Json = Readonly<Record<string, unknown>>;

/** Recorded ids of work schedules exceed 2^53; written into the text where this stands. */
const LARGE_ID = '"@1067807102794692000@"';
const TENANT_ZONE = 'Europe/Berlin';
const midnights = new Map<string, string>();

/** @returns JSON text with the large ids in it, which JSON.stringify could not write. */
export function jsonOf(value: unknown): string {
  return JSON.stringify(value).replaceAll(LARGE_ID, LARGE_ID.slice(2, -2));
}

/** A calendar date as v1 sends it: midnight in the company's zone, with its offset. */
function wireDate(date: string | null): string | null {
  if (date === null) return null;
  const known = midnights.get(date);
  if (known !== undefined) return known;
  const text = Temporal.PlainDate.from(date).toZonedDateTime(TENANT_ZONE).toString({ timeZoneName: 'never' });
  midnights.set(date, text);
  return text;
}

const attribute = (label: string, value: unknown, type: string, universalId: string | null): Json => ({
  ...{ label, value, type },
  universal_id: universalId,
});

function named(type: string, unit: Unit | null): Json | null {
  return unit === null ? null : { type, attributes: { id: unit.id, name: unit.name } };
}

function supervisorOf(supervisor: MadeUpEmployee | undefined): Json | null {
  if (supervisor === undefined) return null;
  return {
    type: 'Employee',
    attributes: {
      id: attribute('ID', supervisor.id, 'integer', 'id'),
      first_name: attribute('First name', supervisor.firstName, 'standard', 'first_name'),
      last_name: attribute('Last name', supervisor.lastName, 'standard', 'last_name'),
      email: attribute('Email', supervisor.email, 'standard', 'email'),
    },
  };
}

export interface EmployeeShape {
  /** Attributes that the credential may read; null: all. */
  readonly readable: ReadonlySet<string> | null;
  readonly today: string;
}

/** One record of `GET /v1/company/employees`. */
export function employeeShape(company: Company, person: MadeUpEmployee, { readable, today }: EmployeeShape): Json {
  const supervisor = person.supervisorId === null ? undefined : company.find(person.supervisorId);
  const all: Record<string, Json> = {
    id: attribute('ID', person.id, 'integer', 'id'),
    first_name: attribute('First name', person.firstName, 'standard', 'first_name'),
    last_name: attribute('Last name', person.lastName, 'standard', 'last_name'),
    preferred_name: attribute('Preferred name', person.preferredName, 'standard', 'preferred_name'),
    email: attribute('Email', person.email, 'standard', 'email'),
    gender: attribute('Gender', person.gender, 'standard', 'gender'),
    status: attribute('Status', statusOf(person, today), 'standard', 'status'),
    position: attribute('Position', person.position, 'standard', 'position'),
    supervisor: attribute('Supervisor', supervisorOf(supervisor), 'standard', 'supervisor'),
    employment_type: attribute('Employment type', person.employmentType, 'standard', 'employment_type'),
    weekly_working_hours: attribute('Weekly hours', person.weeklyWorkingHours, 'standard', 'weekly_working_hours'),
    ...datesOf(person),
    ...placesOf(person),
    ...payOf(person),
    profile_picture: attribute('Profile picture', null, 'standard', 'profile_picture'),
    dynamic_7123994: attribute('Employee ID', `P-${String(person.id).padStart(5, '0')}`, 'standard', null),
    dynamic_7123995: attribute('Skills', JSON.stringify(person.skills), 'tags', null),
    dynamic_7123996: attribute('IBAN', person.iban, 'standard', 'iban'),
  };
  const attributes =
    readable === null
      ? all
      : Object.fromEntries(Object.entries(all).filter(([key]) => key === 'id' || readable.has(key)));
  return { type: 'Employee', attributes };
}

function datesOf(person: MadeUpEmployee): Record<string, Json> {
  return {
    hire_date: attribute('Hire date', wireDate(person.hireDate), 'date', 'hire_date'),
    contract_end_date: attribute('Contract ends', wireDate(person.contractEndDate), 'date', 'contract_end_date'),
    termination_date: attribute('Termination date', wireDate(person.terminationDate), 'date', 'termination_date'),
    last_working_day: attribute('Last day of work', wireDate(person.lastWorkingDay), 'date', 'last_working_day'),
    termination_type: attribute('Termination type', person.terminationType, 'standard', 'termination_type'),
    termination_reason: attribute('Termination reason', '', 'standard', 'termination_reason'),
    probation_period_end: attribute('Probation period end', null, 'date', 'probation_period_end'),
    created_at: attribute('Created at', person.lastModifiedAt, 'date', 'created_at'),
    last_modified_at: attribute('Last modified', person.lastModifiedAt, 'date', 'last_modified_at'),
  };
}

function placesOf(person: MadeUpEmployee): Record<string, Json> {
  const costCenters = person.costCenters.map((attributes) => ({ type: 'CostCenter', attributes }));
  const holidays = { id: 1, name: 'DE (Berlin) Feiertage', country: 'DE', state: null };
  const hours = { monday: '08:00', tuesday: '08:00', wednesday: '08:00', thursday: '08:00', friday: '08:00' };
  const schedule = { id: LARGE_ID.slice(1, -1), name: 'Full time', valid_from: null, ...hours, saturday: '00:00' };
  return {
    subcompany: attribute('Subcompany', named('Subcompany', person.subcompany), 'standard', 'subcompany'),
    office: attribute('Workplace', named('Office', person.office), 'standard', 'office'),
    department: attribute('Department', named('Department', person.department), 'standard', 'department'),
    team: attribute('Team', named('Team', person.team), 'standard', 'team'),
    cost_centers: attribute('Cost centers', costCenters, 'standard', 'cost_centers'),
    holiday_calendar: attribute(
      'Public holidays',
      { type: 'HolidayCalendar', attributes: holidays },
      'standard',
      'holiday_calendar',
    ),
    work_schedule: attribute(
      'Work schedule',
      { type: 'WorkSchedule', attributes: schedule },
      'standard',
      'work_schedule',
    ),
    absence_entitlement: attribute('Absence entitlement', [], 'standard', 'absence_entitlement'),
  };
}

function payOf(person: MadeUpEmployee): Record<string, Json> {
  return {
    fix_salary: { ...attribute('Fixed salary', person.salary, 'decimal', 'fix_salary'), currency: 'EUR' },
    fix_salary_interval: attribute('Salary interval', 'yearly', 'standard', 'fix_salary_interval'),
    hourly_salary: { ...attribute('Hourly salary', 0, 'decimal', 'hourly_salary'), currency: 'EUR' },
  };
}

/** The id of an attendance period in v2. Breaks are periods of their own there. */
export function idV2Of(id: number, kind: 'work' | 'break' = 'work'): string {
  return `00000000-0000-4000-${kind === 'work' ? '8000' : '9000'}-${String(id).padStart(12, '0')}`;
}

/** One record of `GET /v1/company/attendances`. */
export function attendanceShape(period: MadeUpAttendance): Json {
  const idV2 = idV2Of(period.id);
  return {
    ...{ id: period.id, type: 'AttendancePeriod' },
    attributes: {
      ...{ id_v2: idV2, employee: period.employee, date: period.date },
      ...{ start_time: period.start, end_time: period.end, break: period.break, comment: 'A private remark' },
      ...{ updated_at: `${period.date}T18:00:00+00:00`, status: 'confirmed', is_holiday: 0, is_on_time_off: false },
      project: null,
    },
  };
}

const TIME_OFF_TYPES = [
  { id: 901, name: 'Paid vacation', category: 'paid_vacation', unit: 'day', approval_required: true },
  { id: 902, name: 'Sick leave', category: 'sick_leave', unit: 'day', approval_required: 0 },
  { id: 903, name: 'Parental leave', category: 'maternity_parental_leave', unit: 'day', approval_required: true },
  { id: 904, name: 'Remote work', category: 'offsite_work', unit: 'hour', approval_required: 1 },
  { id: 905, name: 'Volunteering', category: null, unit: 'hour', approval_required: true },
] as const;

export function timeOffTypeShapes(): readonly Json[] {
  return TIME_OFF_TYPES.map((attributes) => ({ type: 'TimeOffType', attributes }));
}

export function departmentShape(unit: Unit): Json {
  return { type: 'Department', attributes: { id: unit.id, name: unit.name } };
}
