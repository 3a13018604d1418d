import type { Attendances, DemoAttendance } from './attendances.js';
import { getStatus } from './company.js';
import type { Company } from './company.js';
import type { FakeResponse, SeenRequest } from './responses.js';
import { listTimeOffTypeShapes, toAttendanceShape, toDepartmentShape, toEmployeeShape } from './shapes.js';

/** Behaviour of the v1 API. */
export interface V1Behaviour {
  /** Largest page of employees; 100 since 2025. */
  employeesPerPage: number;
  attendancesPerPage: number;
  /** Larger pages are shortened silently, or refused with 400. */
  largerPages: 'clamped' | 'refused';
  /** False: `/v1/company/departments`, which is in customers' guides but not in the published API, does not exist. */
  hasDepartments: boolean;
  /** False: attendances answer 404. The announced end of v1 was in August 2026. */
  hasAttendances: boolean;
  /** Attributes that the credential may read; null: all. */
  readable: ReadonlySet<string> | null;
  /** True: the credential cannot see employees who have left. */
  hidesInactive: boolean;
}

export interface V1Content {
  readonly company: Company;
  readonly attendances: Attendances;
  /** Calendar day on which employees have their status. */
  readonly today: string;
}

export const NOT_FOUND: FakeResponse = {
  status: 404,
  body: { success: false, error: { code: 0, message: 'personio.core.api.exceptions.api.not.found.http.exception' } },
};
const DEFAULT_LIMIT = 50;

/** Responds to an authorised GET below `/v1`. */
export function createV1Response(
  { path, query }: SeenRequest,
  behaviour: V1Behaviour,
  content: V1Content,
): FakeResponse {
  switch (path) {
    case '/v1/company/employees':
      return listEmployees(query, behaviour, content);
    case '/v1/company/attendances':
      return behaviour.hasAttendances ? listAttendances(query, behaviour, content) : NOT_FOUND;
    case '/v1/company/time-off-types': {
      const offset = parseNumber(query, 'offset', 0);
      const data = listTimeOffTypeShapes().slice(offset, offset + parseNumber(query, 'limit', 200));
      return { status: 200, body: { success: true, data } };
    }
    case '/v1/company/departments': {
      const items = content.company.departments;
      return behaviour.hasDepartments
        ? createListResponse(query, behaviour, { items, max: 200, toShape: toDepartmentShape })
        : NOT_FOUND;
    }
    default: {
      const [, id] = /^\/v1\/company\/employees\/(\d+)$/.exec(path) ?? [];
      return id === undefined ? NOT_FOUND : getEmployee(Number(id), behaviour, content);
    }
  }
}

function listEmployees(query: URLSearchParams, behaviour: V1Behaviour, { company, today }: V1Content): FakeResponse {
  const { readable, hidesInactive, employeesPerPage } = behaviour;
  const items = hidesInactive
    ? company.employees.filter((person) => getStatus(person, today) !== 'inactive')
    : company.employees;
  return createListResponse(query, behaviour, {
    items,
    max: employeesPerPage,
    toShape: (person) => toEmployeeShape(company, person, { readable, today }),
  });
}

function getEmployee(id: number, { readable }: V1Behaviour, { company, today }: V1Content): FakeResponse {
  const person = company.find(id);
  if (person === undefined) return createFailure(404, 404, 'Es ist ein Problem aufgetreten ');
  return { status: 200, body: { success: true, data: toEmployeeShape(company, person, { readable, today }) } };
}

function listAttendances(query: URLSearchParams, behaviour: V1Behaviour, { attendances }: V1Content): FakeResponse {
  const [from, to] = [query.get('start_date'), query.get('end_date')];
  if (from === null || to === null) return createFailure(400, 400, 'start_date and end_date are required');
  return createListResponse(query, behaviour, {
    items: selectPeople(attendances.listBetween(from, to), query.getAll('employees[]')),
    max: behaviour.attendancesPerPage,
    toShape: toAttendanceShape,
    // This endpoint returns offset and limit as text.
    formatNumber: String,
  });
}

/** Returns the attendances of some people; everybody's where none are named. */
export function selectPeople(
  periods: readonly DemoAttendance[],
  employeeIds: readonly string[],
): readonly DemoAttendance[] {
  return employeeIds.length === 0 ? periods : periods.filter(({ employee }) => employeeIds.includes(String(employee)));
}

interface ListContent<T> {
  readonly items: readonly T[];
  readonly max: number;
  readonly toShape: (item: T) => unknown;
  readonly formatNumber?: (value: number) => unknown;
}

function createListResponse<T>(
  query: URLSearchParams,
  { largerPages }: V1Behaviour,
  { items, max, toShape, formatNumber = (value) => value }: ListContent<T>,
): FakeResponse {
  const asked = parseNumber(query, 'limit', DEFAULT_LIMIT);
  if (asked > max && largerPages === 'refused') return createFailure(400, 400, 'The limit is too large');
  const offset = parseNumber(query, 'offset', 0);
  const limit = Math.min(asked, max);
  const metadata = {
    total_elements: items.length,
    current_page: Math.floor(offset / limit),
    total_pages: Math.ceil(items.length / limit),
  };
  const data = items.slice(offset, offset + limit).map((item) => toShape(item));
  return {
    status: 200,
    body: { success: true, metadata, offset: formatNumber(offset), limit: formatNumber(limit), data },
  };
}

/** Creates a response without success, in v1's form. */
export function createFailure(status: number, code: number, message: string): FakeResponse {
  return { status, body: { success: false, error: { code, message } } };
}

function parseNumber(query: URLSearchParams, name: string, otherwise: number): number {
  const value = Number(query.get(name) ?? otherwise);
  return Number.isInteger(value) && value >= 0 ? value : otherwise;
}

/** Exchanges credentials for a token, as `POST /v1/auth` does. */
export function exchangeV1(
  { method, body }: SeenRequest,
  isValid: (id: string, secret: string) => boolean,
  token: string,
): FakeResponse {
  if (method !== 'POST') return NOT_FOUND;
  const { client_id: id, client_secret: secret } = parseCredentials(body);
  if (!isValid(id, secret)) return createFailure(403, 0, 'Wrong credentials');
  const data = { token, expires_in: 86_400, scope: 'employees:read attendances:read absences:read' };
  return { status: 200, body: { success: true, data } };
}

/** Reads JSON or a form, as Personio accepts both; never the query string. */
function parseCredentials(body: string): { readonly client_id: string; readonly client_secret: string } {
  const form = new URLSearchParams(body);
  try {
    const json: unknown = JSON.parse(body);
    if (typeof json === 'object' && json !== null) {
      const fields: Readonly<Record<string, unknown>> = { ...json };
      const { client_id: id, client_secret: secret } = fields;
      return { client_id: typeof id === 'string' ? id : '', client_secret: typeof secret === 'string' ? secret : '' };
    }
  } catch {
    // Not JSON, so it is read as a form.
  }
  return { client_id: form.get('client_id') ?? '', client_secret: form.get('client_secret') ?? '' };
}
