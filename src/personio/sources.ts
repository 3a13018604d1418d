import type { Source } from '../contracts/internal/activities.js';
import type { Endpoint } from '../contracts/internal/names.js';
import type { DayWindow } from '../contracts/internal/sync.js';
import type { EmployeeRecord, EndpointRecords } from '../domain/records.js';
import type { PersonioApi } from './api.js';
import { PersonioError, toStatusError } from './errors.js';
import type { Route } from './errors.js';
import type { HttpResponse } from './http.js';
import { SegmentPages } from './pages.js';
import type { CollectionReader, ReadRequest } from './pages.js';
import { attendanceSchema, departmentSchema, lenientAttendanceSchema, timeOffTypeSchema } from './v1/collections.js';
import { createEmployeeRecordSchema, derivedDepartmentSchema } from './v1/employees.js';
import type { DerivedDepartment } from './v1/employees.js';
import { parseOne } from './v1/envelope.js';
import { createOffsetReader } from './v1/paging.js';
import { attendancePeriodSchema, lenientAttendancePeriodSchema, orgUnitSchema } from './v2/collections.js';
import { createCursorReader } from './v2/paging.js';

interface EndpointSource<T> {
  readonly source: Source;
  readonly read: CollectionReader<T>;
}

/** Sources of each endpoint, in the order of trying. */
const SOURCES: { readonly [E in Endpoint]: readonly EndpointSource<EndpointRecords[E]>[] } = {
  employees: [
    {
      source: 'v1',
      read: createOffsetReader({
        path: '/v1/company/employees',
        bucket: 'employees',
        schema: createEmployeeRecordSchema,
        getId: ({ employeeId }) => employeeId,
      }),
    },
  ],
  departments: [
    {
      source: 'v1',
      read: createOffsetReader({
        path: '/v1/company/departments',
        bucket: 'departments',
        isTotalOptional: true,
        schema: () => departmentSchema,
        getId: ({ recordId }) => recordId,
      }),
    },
    {
      source: 'v2',
      read: createCursorReader({
        path: '/v2/org-units',
        bucket: 'v2-departments',
        isBeta: true,
        query: () => ({ type: 'department', sort: 'id' }),
        schema: () => orgUnitSchema,
        getId: ({ recordId }) => recordId,
      }),
    },
    {
      // One record per employee, since the completeness gate counts what the server counts.
      source: 'employees',
      read: createOffsetReader({
        path: '/v1/company/employees',
        bucket: 'employees',
        schema: () => derivedDepartmentSchema,
        getId: ({ recordId }) => recordId,
        check: requireReadableDepartments,
      }),
    },
  ],
  attendances: [
    {
      source: 'v1',
      read: createOffsetReader({
        path: '/v1/company/attendances',
        bucket: 'attendances',
        query: ({ chunk, employeeIds = [] }) => {
          const { from, to } = requireDays(chunk);
          return { start_date: from, end_date: to, includePending: 'true', 'employees[]': employeeIds };
        },
        schema: () => attendanceSchema,
        lenientSchema: lenientAttendanceSchema,
        getId: ({ periodId }) => periodId,
      }),
    },
    {
      // Periods of every status, as from v1 with the pending ones.
      source: 'v2',
      read: createCursorReader({
        path: '/v2/attendance-periods',
        bucket: 'v2-attendances',
        query: ({ chunk, employeeIds = [] }) => {
          const { from, to } = requireDays(chunk);
          const people = employeeIds.length === 0 ? {} : { 'person.id': employeeIds.join(',') };
          return { 'attribution_date.gte': from, 'attribution_date.lte': to, ...people };
        },
        schema: () => attendancePeriodSchema,
        lenientSchema: lenientAttendancePeriodSchema,
        getId: ({ periodId }) => periodId,
      }),
    },
  ],
  'time-off-types': [
    {
      source: 'v1',
      read: createOffsetReader({
        path: '/v1/company/time-off-types',
        bucket: 'time-off-types',
        isTotalOptional: true,
        schema: () => timeOffTypeSchema,
        getId: ({ timeOffTypeId }) => timeOffTypeId,
      }),
    },
  ],
};

function requireReadableDepartments(records: readonly DerivedDepartment[]): void {
  if (records.length === 0 || records.some(({ isReadable }) => isReadable)) return;
  throw new PersonioError(
    'PersonioPermissionMissing',
    'Personio has no departments endpoint, and the employees come without their department. ' +
      'In Personio, under Settings > Integrations > API credentials, allow the credential to read ' +
      'the employee attribute "Department", or remove departments from the schedule.',
  );
}

function requireDays(chunk: DayWindow | null): DayWindow {
  if (chunk === null) throw new RangeError('Attendances need a window of days.');
  return chunk;
}

/** Returns the sources of an endpoint, in the order of trying. */
export function listSources(endpoint: Endpoint): readonly Source[] {
  return SOURCES[endpoint].map(({ source }) => source);
}

/**
 * Returns whether the next source takes over after a failure: the path is gone (404 or 410), or it is the list of org
 * units. That list is beta, v1 credentials need not open it, and departments can come from the employees.
 */
export function shouldFallBack(
  error: unknown,
  { endpoint, source }: Pick<ReadRequest, 'endpoint' | 'source'>,
): boolean {
  if (!(error instanceof PersonioError)) return false;
  switch (error.type) {
    case 'PersonioEndpointRetired':
      return true;
    case 'PersonioPermissionMissing':
    case 'PersonioCredentialsRejected':
      return endpoint === 'departments' && source === 'v2';
    case 'PersonioMalformedAnswer':
    case 'PersonioRateLimited':
    case 'PersonioUnavailable':
      return false;
  }
}

/**
 * Reads pages of an endpoint as domain records.
 *
 * @throws PersonioError while iterating.
 */
export function readSegment<E extends Endpoint>(api: PersonioApi, request: ReadRequest<E>): SegmentPages<E> {
  const { endpoint, source } = request;
  const sources: readonly EndpointSource<EndpointRecords[E]>[] = SOURCES[endpoint];
  const found = sources.find((known) => known.source === source);
  if (found === undefined) throw new RangeError(`The ${endpoint} cannot be read from ${source}.`);
  return new SegmentPages(endpoint, found.read(api, request));
}

const EMPLOYEE: Route = { method: 'GET', template: '/v1/company/employees/{id}' };

/** Reads one employee; null when Personio answers 404. */
export async function readEmployee(
  api: PersonioApi,
  employeeId: string,
  attributesToStore: readonly string[],
): Promise<EmployeeRecord | null> {
  const path = `/v1/company/employees/${encodeURIComponent(employeeId)}`;
  const response = await api.get({ route: EMPLOYEE, path, bucket: 'employees' });
  if (isNotFound(response)) return null;
  return parseOne(EMPLOYEE, response, { schema: createEmployeeRecordSchema(attributesToStore) });
}

/** @throws PersonioError when the response is neither a success nor 404. */
function isNotFound({ status, retryAfterMs }: HttpResponse): boolean {
  if (status === 404) return true;
  if (status >= 200 && status <= 299) return false;
  throw toStatusError(EMPLOYEE, status, retryAfterMs);
}
