import type { Source } from '../contracts/activities.js';
import type { Endpoint } from '../contracts/names.js';
import type { EmployeeRecord } from '../domain/records.js';
import type { ApiRequest, PersonioApi } from './api.js';
import { PersonioError } from './errors.js';
import type { Route } from './errors.js';
import { isNotFound, isRetired, readPages } from './paging.js';
import type { PagedSource, PagesOutcome } from './paging.js';
import type { SegmentReading } from './segment.js';
import { attendanceSchema, departmentSchema, timeOffTypeSchema } from './v1/collections.js';
import { derivedDepartmentSchema, employeeRecordSchema } from './v1/employees.js';
import { readList, readOne } from './v1/wire.js';
import { readAttendancePeriods, readOrgUnits } from './v2/sources.js';

/** Where each endpoint can be read from, in the order of trying. A 404 or 410 on one moves on to the next. */
export const SOURCES = {
  employees: ['v1'],
  departments: ['v1', 'v2', 'employees'],
  attendances: ['v1', 'v2'],
  'time-off-types': ['v1'],
} as const satisfies Record<Endpoint, readonly Source[]>;

const ROUTE = {
  employees: { method: 'GET', template: '/v1/company/employees' },
  employee: { method: 'GET', template: '/v1/company/employees/{id}' },
  departments: { method: 'GET', template: '/v1/company/departments' },
  attendances: { method: 'GET', template: '/v1/company/attendances' },
  'time-off-types': { method: 'GET', template: '/v1/company/time-off-types' },
} as const satisfies Record<string, Route>;

/**
 * @returns whether the next source takes over: the path is gone, or it is the list of org units, which is beta and which credentials of v1 need
 * not open, while the departments can be had from the employees.
 */
export function isPassedOver(
  error: unknown,
  { endpoint, source }: Pick<SegmentReading, 'endpoint' | 'source'>,
): boolean {
  if (isRetired(error)) return true;
  const isClosed =
    error instanceof PersonioError &&
    (error.type === 'PersonioPermissionMissing' || error.type === 'PersonioCredentialsRejected');
  return endpoint === 'departments' && source === 'v2' && isClosed;
}

/** Reads some pages of an endpoint as records of the domain. @throws PersonioError */
export async function readSegment(api: PersonioApi, reading: SegmentReading): Promise<PagesOutcome> {
  const { position, pages, onPage } = reading;
  switch (reading.endpoint) {
    case 'employees': {
      const schema = employeeRecordSchema(reading.attributesToStore);
      const source = listOf(api, ROUTE.employees, 'employees', {
        read: (answer) => readList(ROUTE.employees, answer, schema),
        idOf: (record: EmployeeRecord) => record.employeeId,
      });
      return readPages({
        ...{ source, position, pages },
        onPage: async (records, after) => onPage({ endpoint: 'employees', records }, after),
      });
    }
    case 'departments':
      if (reading.source === 'v2') return readOrgUnits(api, reading);
      return reading.source === 'employees' ? readDerivedDepartments(api, reading) : readDepartments(api, reading);
    case 'attendances':
      return reading.source === 'v2' ? readAttendancePeriods(api, reading) : readAttendances(api, reading);
    case 'time-off-types': {
      const source = listOf(api, ROUTE['time-off-types'], 'time-off-types', {
        read: (answer) => readList(ROUTE['time-off-types'], answer, timeOffTypeSchema),
        idOf: (record) => record.timeOffTypeId,
      });
      return readPages({
        ...{ source, position, pages },
        onPage: async (records, after) => onPage({ endpoint: 'time-off-types', records }, after),
      });
    }
  }
}

async function readDepartments(api: PersonioApi, { position, pages, onPage }: SegmentReading): Promise<PagesOutcome> {
  const source = listOf(api, ROUTE.departments, 'departments', {
    read: (answer) => readList(ROUTE.departments, answer, departmentSchema),
    idOf: (record) => record.recordId,
  });
  return readPages({
    ...{ source, position, pages },
    onPage: async (records, after) => onPage({ endpoint: 'departments', records }, after),
  });
}

/** From the employees, whose number is what the completeness gate counts. */
async function readDerivedDepartments(
  api: PersonioApi,
  { position, pages, onPage }: SegmentReading,
): Promise<PagesOutcome> {
  const source = listOf(api, ROUTE.employees, 'employees', {
    read: (answer) => readList(ROUTE.employees, answer, derivedDepartmentSchema),
    idOf: (record) => record.recordId,
  });
  return readPages({
    ...{ source, position, pages },
    onPage: async (records, after) => {
      if (records.length > 0 && records.every((record) => !record.isReadable)) throw departmentUnreadable();
      await onPage({ endpoint: 'departments', records }, after);
    },
  });
}

function departmentUnreadable(): PersonioError {
  return new PersonioError(
    'PersonioPermissionMissing',
    'Personio has no endpoint of departments, and the employees come without their department. In Personio, under Settings > Integrations > API credentials, ' +
      'allow the credential to read the employee attribute "Department", or leave departments out of the schedule.',
  );
}

async function readAttendances(api: PersonioApi, reading: SegmentReading): Promise<PagesOutcome> {
  const { chunk, position, pages, onPage } = reading;
  if (chunk === null) throw new RangeError('Attendances are read by days.');
  const source = listOf(api, ROUTE.attendances, 'attendances', {
    query: { start_date: chunk.from, end_date: chunk.to, includePending: 'true' },
    read: (answer) => readList(ROUTE.attendances, answer, attendanceSchema),
    idOf: (record) => record.periodId,
  });
  return readPages({
    ...{ source, position, pages },
    onPage: async (records, after) => onPage({ endpoint: 'attendances', records }, after),
  });
}

/** One person, or null where Personio answers 404. */
export async function readEmployee(
  api: PersonioApi,
  employeeId: string,
  attributesToStore: readonly string[],
): Promise<EmployeeRecord | null> {
  const path = `/v1/company/employees/${encodeURIComponent(employeeId)}`;
  const answer = await api.get({ route: ROUTE.employee, path, bucket: 'employees' });
  if (isNotFound(ROUTE.employee, answer)) return null;
  return readOne(ROUTE.employee, answer, employeeRecordSchema(attributesToStore));
}

/** Whether Personio knows a person whom its list left out. */
export async function employeeExists(api: PersonioApi, employeeId: string): Promise<boolean> {
  const path = `/v1/company/employees/${encodeURIComponent(employeeId)}`;
  return !isNotFound(ROUTE.employee, await api.get({ route: ROUTE.employee, path, bucket: 'employees' }));
}

function listOf<T>(
  api: PersonioApi,
  route: Route,
  bucket: ApiRequest['bucket'],
  more: Pick<PagedSource<T>, 'read' | 'idOf'> & { readonly query?: ApiRequest['query'] },
): PagedSource<T> {
  return {
    ...{ route, read: more.read, idOf: more.idOf },
    fetch: async (offset, limit) =>
      api.get({ route, path: route.template, bucket, query: { ...more.query, limit, offset } }),
  };
}
