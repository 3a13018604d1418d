import type { Source } from '../contracts/internal/activities.js';
import type { Endpoint } from '../contracts/internal/names.js';
import type { EmployeeRecord } from '../domain/records.js';
import type { ApiRequest, PersonioApi } from './api.js';
import { PersonioError } from './errors.js';
import type { Route } from './errors.js';
import { isNotFound, isSourceGone, readPages } from './paging.js';
import type { PagedSource, PagesOutcome } from './paging.js';
import type { ReadSegmentOptions } from './segment.js';
import { attendanceSchema, departmentSchema, timeOffTypeSchema } from './v1/collections.js';
import { derivedDepartmentSchema, createEmployeeRecordSchema } from './v1/employees.js';
import { parseList, parseOne } from './v1/wire.js';
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
export function shouldFallBack(
  error: unknown,
  { endpoint, source }: Pick<ReadSegmentOptions, 'endpoint' | 'source'>,
): boolean {
  if (isSourceGone(error)) return true;
  const isClosed =
    error instanceof PersonioError &&
    (error.type === 'PersonioPermissionMissing' || error.type === 'PersonioCredentialsRejected');
  return endpoint === 'departments' && source === 'v2' && isClosed;
}

/** Reads some pages of an endpoint as records of the domain. @throws PersonioError */
export async function readSegment(api: PersonioApi, options: ReadSegmentOptions): Promise<PagesOutcome> {
  const { position, pages, onPage } = options;
  switch (options.endpoint) {
    case 'employees': {
      const schema = createEmployeeRecordSchema(options.attributesToStore);
      const source = createPagedSource(api, ROUTE.employees, 'employees', {
        parse: (response) => parseList(ROUTE.employees, response, schema),
        getId: (record: EmployeeRecord) => record.employeeId,
      });
      return readPages({
        source,
        position,
        pages,
        onPage: async (records, after) => onPage({ endpoint: 'employees', records }, after),
      });
    }
    case 'departments':
      if (options.source === 'v2') return readOrgUnits(api, options);
      return options.source === 'employees' ? readDerivedDepartments(api, options) : readDepartments(api, options);
    case 'attendances':
      return options.source === 'v2' ? readAttendancePeriods(api, options) : readAttendances(api, options);
    case 'time-off-types': {
      const source = createPagedSource(api, ROUTE['time-off-types'], 'time-off-types', {
        parse: (response) => parseList(ROUTE['time-off-types'], response, timeOffTypeSchema),
        getId: (record) => record.timeOffTypeId,
      });
      return readPages({
        source,
        position,
        pages,
        onPage: async (records, after) => onPage({ endpoint: 'time-off-types', records }, after),
      });
    }
  }
}

async function readDepartments(
  api: PersonioApi,
  { position, pages, onPage }: ReadSegmentOptions,
): Promise<PagesOutcome> {
  const source = createPagedSource(api, ROUTE.departments, 'departments', {
    parse: (response) => parseList(ROUTE.departments, response, departmentSchema),
    getId: (record) => record.recordId,
  });
  return readPages({
    source,
    position,
    pages,
    onPage: async (records, after) => onPage({ endpoint: 'departments', records }, after),
  });
}

/** From the employees, whose number is what the completeness gate counts. */
async function readDerivedDepartments(
  api: PersonioApi,
  { position, pages, onPage }: ReadSegmentOptions,
): Promise<PagesOutcome> {
  const source = createPagedSource(api, ROUTE.employees, 'employees', {
    parse: (response) => parseList(ROUTE.employees, response, derivedDepartmentSchema),
    getId: (record) => record.recordId,
  });
  return readPages({
    source,
    position,
    pages,
    onPage: async (records, after) => {
      if (records.length > 0 && records.every((record) => !record.isReadable)) throw createDepartmentUnreadableError();
      await onPage({ endpoint: 'departments', records }, after);
    },
  });
}

function createDepartmentUnreadableError(): PersonioError {
  return new PersonioError(
    'PersonioPermissionMissing',
    'Personio has no endpoint of departments, and the employees come without their department. In Personio, under Settings > Integrations > API credentials, ' +
      'allow the credential to read the employee attribute "Department", or leave departments out of the schedule.',
  );
}

async function readAttendances(api: PersonioApi, options: ReadSegmentOptions): Promise<PagesOutcome> {
  const { chunk, position, pages, onPage } = options;
  if (chunk === null) throw new RangeError('Attendances are read by days.');
  const source = createPagedSource(api, ROUTE.attendances, 'attendances', {
    query: { start_date: chunk.from, end_date: chunk.to, includePending: 'true' },
    parse: (response) => parseList(ROUTE.attendances, response, attendanceSchema),
    getId: (record) => record.periodId,
  });
  return readPages({
    source,
    position,
    pages,
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
  const response = await api.get({ route: ROUTE.employee, path, bucket: 'employees' });
  if (isNotFound(ROUTE.employee, response)) return null;
  return parseOne(ROUTE.employee, response, createEmployeeRecordSchema(attributesToStore));
}

/** Whether Personio knows a person whom its list left out. */
export async function hasEmployee(api: PersonioApi, employeeId: string): Promise<boolean> {
  const path = `/v1/company/employees/${encodeURIComponent(employeeId)}`;
  return !isNotFound(ROUTE.employee, await api.get({ route: ROUTE.employee, path, bucket: 'employees' }));
}

function createPagedSource<T>(
  api: PersonioApi,
  route: Route,
  bucket: ApiRequest['bucket'],
  more: Pick<PagedSource<T>, 'parse' | 'getId'> & { readonly query?: ApiRequest['query'] },
): PagedSource<T> {
  return {
    route,
    parse: more.parse,
    getId: more.getId,
    fetch: async (offset, limit) =>
      api.get({ route, path: route.template, bucket, query: { ...more.query, limit, offset } }),
  };
}
