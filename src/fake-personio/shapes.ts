import { Temporal } from 'temporal-polyfill';
import type { DemoAttendance } from './attendances.js';
import { getStatus } from './company.js';
import type { Company, DemoEmployee } from './company.js';
import type { Unit } from './vocabulary.js';

type Json = Readonly<Record<string, unknown>>;

/** Placeholder for a recorded id of a work schedule, which exceeds 2^53. */
const LARGE_ID = '"@1067807102794692000@"';
const TENANT_ZONE = 'Europe/Berlin';
const midnights = new Map<string, string>();

/** Returns JSON text with the large ids, which JSON.stringify cannot write. */
export function toJson(value: unknown): string {
  return JSON.stringify(value).replaceAll(LARGE_ID, LARGE_ID.slice(2, -2));
}

/** Returns a calendar date as v1 sends it: midnight in the company's zone, with its offset. */
function toWireDate(date: string | null): string | null {
  if (date === null) return null;
  const known = midnights.get(date);
  if (known !== undefined) return known;
  const text = Temporal.PlainDate.from(date).toZonedDateTime(TENANT_ZONE).toString({ timeZoneName: 'never' });
  midnights.set(date, text);
  return text;
}

const toAttribute = (label: string, value: unknown, type: string, universalId: string | null): Json => ({
  label,
  value,
  type,
  universal_id: universalId,
});

function toUnitShape(type: string, unit: Unit | null): Json | null {
  return unit === null ? null : { type, attributes: { id: unit.id, name: unit.name } };
}

function toSupervisorShape(supervisor: DemoEmployee | undefined): Json | null {
  if (supervisor === undefined) return null;
  return {
    type: 'Employee',
    attributes: {
      id: toAttribute('ID', supervisor.id, 'integer', 'id'),
      first_name: toAttribute('First name', supervisor.firstName, 'standard', 'first_name'),
      last_name: toAttribute('Last name', supervisor.lastName, 'standard', 'last_name'),
      email: toAttribute('Email', supervisor.email, 'standard', 'email'),
    },
  };
}

export interface EmployeeShapeOptions {
  /** Attributes that the credential may read; null: all. */
  readonly readable: ReadonlySet<string> | null;
  readonly today: string;
}

/** Returns one record of `GET /v1/company/employees`. */
export function toEmployeeShape(
  company: Company,
  person: DemoEmployee,
  { readable, today }: EmployeeShapeOptions,
): Json {
  const supervisor = person.supervisorId === null ? undefined : company.find(person.supervisorId);
  const all: Record<string, Json> = {
    id: toAttribute('ID', person.id, 'integer', 'id'),
    first_name: toAttribute('First name', person.firstName, 'standard', 'first_name'),
    last_name: toAttribute('Last name', person.lastName, 'standard', 'last_name'),
    preferred_name: toAttribute('Preferred name', person.preferredName, 'standard', 'preferred_name'),
    email: toAttribute('Email', person.email, 'standard', 'email'),
    gender: toAttribute('Gender', person.gender, 'standard', 'gender'),
    status: toAttribute('Status', getStatus(person, today), 'standard', 'status'),
    position: toAttribute('Position', person.position, 'standard', 'position'),
    supervisor: toAttribute('Supervisor', toSupervisorShape(supervisor), 'standard', 'supervisor'),
    employment_type: toAttribute('Employment type', person.employmentType, 'standard', 'employment_type'),
    weekly_working_hours: toAttribute('Weekly hours', person.weeklyWorkingHours, 'standard', 'weekly_working_hours'),
    ...toDateAttributes(person),
    ...toPlaceAttributes(person),
    ...toPayAttributes(person),
    profile_picture: toAttribute('Profile picture', null, 'standard', 'profile_picture'),
    dynamic_7123994: toAttribute('Employee ID', `P-${String(person.id).padStart(5, '0')}`, 'standard', null),
    dynamic_7123995: toAttribute('Skills', JSON.stringify(person.skills), 'tags', null),
    dynamic_7123996: toAttribute('IBAN', person.iban, 'standard', 'iban'),
  };
  const attributes =
    readable === null
      ? all
      : Object.fromEntries(Object.entries(all).filter(([key]) => key === 'id' || readable.has(key)));
  return { type: 'Employee', attributes };
}

function toDateAttributes(person: DemoEmployee): Record<string, Json> {
  return {
    hire_date: toAttribute('Hire date', toWireDate(person.hireDate), 'date', 'hire_date'),
    contract_end_date: toAttribute('Contract ends', toWireDate(person.contractEndDate), 'date', 'contract_end_date'),
    termination_date: toAttribute('Termination date', toWireDate(person.terminationDate), 'date', 'termination_date'),
    last_working_day: toAttribute('Last day of work', toWireDate(person.lastWorkingDay), 'date', 'last_working_day'),
    termination_type: toAttribute('Termination type', person.terminationType, 'standard', 'termination_type'),
    termination_reason: toAttribute('Termination reason', '', 'standard', 'termination_reason'),
    probation_period_end: toAttribute('Probation period end', null, 'date', 'probation_period_end'),
    created_at: toAttribute('Created at', person.lastModifiedAt, 'date', 'created_at'),
    last_modified_at: toAttribute('Last modified', person.lastModifiedAt, 'date', 'last_modified_at'),
  };
}

function toPlaceAttributes(person: DemoEmployee): Record<string, Json> {
  const costCenters = person.costCenters.map((attributes) => ({ type: 'CostCenter', attributes }));
  const holidays = { id: 1, name: 'DE (Berlin) Feiertage', country: 'DE', state: null };
  const hours = { monday: '08:00', tuesday: '08:00', wednesday: '08:00', thursday: '08:00', friday: '08:00' };
  const schedule = { id: LARGE_ID.slice(1, -1), name: 'Full time', valid_from: null, ...hours, saturday: '00:00' };
  return {
    subcompany: toAttribute('Subcompany', toUnitShape('Subcompany', person.subcompany), 'standard', 'subcompany'),
    office: toAttribute('Workplace', toUnitShape('Office', person.office), 'standard', 'office'),
    department: toAttribute('Department', toUnitShape('Department', person.department), 'standard', 'department'),
    team: toAttribute('Team', toUnitShape('Team', person.team), 'standard', 'team'),
    cost_centers: toAttribute('Cost centers', costCenters, 'standard', 'cost_centers'),
    holiday_calendar: toAttribute(
      'Public holidays',
      { type: 'HolidayCalendar', attributes: holidays },
      'standard',
      'holiday_calendar',
    ),
    work_schedule: toAttribute(
      'Work schedule',
      { type: 'WorkSchedule', attributes: schedule },
      'standard',
      'work_schedule',
    ),
    absence_entitlement: toAttribute('Absence entitlement', [], 'standard', 'absence_entitlement'),
  };
}

function toPayAttributes(person: DemoEmployee): Record<string, Json> {
  return {
    fix_salary: { ...toAttribute('Fixed salary', person.salary, 'decimal', 'fix_salary'), currency: 'EUR' },
    fix_salary_interval: toAttribute('Salary interval', 'yearly', 'standard', 'fix_salary_interval'),
    hourly_salary: { ...toAttribute('Hourly salary', 0, 'decimal', 'hourly_salary'), currency: 'EUR' },
  };
}

/** Returns the v2 id of an attendance period. Breaks are periods of their own in v2. */
export function toIdV2(id: number, kind: 'work' | 'break' = 'work'): string {
  return `00000000-0000-4000-${kind === 'work' ? '8000' : '9000'}-${String(id).padStart(12, '0')}`;
}

/** Returns one record of `GET /v1/company/attendances`. */
export function toAttendanceShape(period: DemoAttendance): Json {
  const idV2 = toIdV2(period.id);
  return {
    id: period.id,
    type: 'AttendancePeriod',
    attributes: {
      id_v2: idV2,
      employee: period.employee,
      date: period.date,
      start_time: period.start,
      end_time: period.end,
      break: period.break,
      comment: 'A private remark',
      updated_at: `${period.date}T18:00:00+00:00`,
      status: 'confirmed',
      is_holiday: 0,
      is_on_time_off: false,
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

export function listTimeOffTypeShapes(): readonly Json[] {
  return TIME_OFF_TYPES.map((attributes) => ({ type: 'TimeOffType', attributes }));
}

export function toDepartmentShape(unit: Unit): Json {
  return { type: 'Department', attributes: { id: unit.id, name: unit.name } };
}
