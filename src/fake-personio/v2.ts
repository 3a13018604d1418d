import type { FakeResponse, SeenRequest } from './responses.js';
import type { DemoAttendance } from './attendances.js';
import { toIdV2 } from './shapes.js';
import { selectPeople } from './v1.js';
import type { Unit } from './vocabulary.js';

/** Behaviour of the v2 API. */
export interface V2Behaviour {
  /** False: the list of org units, which Personio calls beta, does not exist. */
  hasOrgUnits: boolean;
  /** Scopes of the credential; null: all. */
  v2Scopes: ReadonlySet<string> | null;
  /** True: links are relative, as Personio's were until September 2025. */
  hasRelativeLinks: boolean;
  attendancePeriodsPerPage: number;
}

const DEFAULT_LIMIT = 10;
const MAX_LIMIT = 100;

export interface V2Content {
  readonly departments: readonly Unit[];
  /** Returns the attendances between two days, inclusive. */
  readonly listAttendances: (from: string, to: string) => readonly DemoAttendance[];
}

/** Responds to an authorised GET below `/v2`. */
export function createV2Response(seen: SeenRequest, behaviour: V2Behaviour, content: V2Content): FakeResponse {
  switch (seen.path) {
    case '/v2/org-units':
      return createOrgUnitsResponse(seen, behaviour, content);
    case '/v2/attendance-periods':
      return (
        checkScope('personio:attendances:read', behaviour) ?? createAttendancePeriodsResponse(seen, behaviour, content)
      );
    default:
      return createNotFound(seen.path);
  }
}

function createOrgUnitsResponse(seen: SeenRequest, behaviour: V2Behaviour, { departments }: V2Content): FakeResponse {
  const isAsked = seen.query.has('type') || seen.query.has('cursor');
  if (!behaviour.hasOrgUnits || seen.headers['beta'] !== 'true' || !isAsked) return createNotFound(seen.path);
  const items = departments.map(({ id, name }) => ({ id: String(id), name, type: 'department', parent_id: null }));
  return (
    checkScope('personio:org-units:read', behaviour) ?? createPageResponse(seen, behaviour, { items, max: MAX_LIMIT })
  );
}

function createAttendancePeriodsResponse(
  seen: SeenRequest,
  behaviour: V2Behaviour,
  { listAttendances }: V2Content,
): FakeResponse {
  const asked = new URLSearchParams(parseCursor(seen.query)?.filters ?? seen.query.toString());
  const [from, to] = [asked.get('attribution_date.gte'), asked.get('attribution_date.lte')];
  if (from === null || to === null) return createProblem(400, 'Bad Request', 'attribution_date is required here');
  const people = asked.get('person.id')?.split(',') ?? [];
  const items = selectPeople(listAttendances(from, to), people).flatMap(toAttendancePeriodShapes);
  return createPageResponse(seen, behaviour, { items, max: behaviour.attendancePeriodsPerPage });
}

/** Returns the failure of a credential without the scope; null when it has the scope. */
function checkScope(scope: string, { v2Scopes }: V2Behaviour): FakeResponse | null {
  return v2Scopes === null || v2Scopes.has(scope) ? null : createProblem(403, 'Forbidden', 'Insufficient scope');
}

interface Items {
  readonly items: readonly unknown[];
  readonly max: number;
}

function createPageResponse(
  { path, query, headers }: SeenRequest,
  behaviour: V2Behaviour,
  { items, max }: Items,
): FakeResponse {
  const cursor = parseCursor(query) ?? createCursor(query);
  const { limit, offset } = cursor;
  if (!(limit >= 1 && limit <= MAX_LIMIT)) return createProblem(400, 'Bad Request', 'Invalid request content');
  const data = items.slice(offset, offset + Math.min(limit, max));
  const next = offset + data.length;
  const url = `${behaviour.hasRelativeLinks ? '' : `http://${headers.host ?? ''}`}${path}`;
  const more =
    next < items.length ? { next: { href: `${url}?cursor=${formatCursor({ ...cursor, offset: next })}` } } : {};
  return { status: 200, body: { _data: data, _meta: { links: { self: { href: url }, ...more } } } };
}

function createCursor(query: URLSearchParams): Cursor {
  return { offset: 0, limit: Number(query.get('limit') ?? DEFAULT_LIMIT), filters: query.toString() };
}

interface Cursor {
  readonly offset: number;
  readonly limit: number;
  readonly filters: string;
}

/** Includes a `+`, which must not become a space on the way. */
function formatCursor({ offset, limit, filters }: Cursor): string {
  return `cur_+${offset}.${limit}.${Buffer.from(filters).toString('base64url')}`;
}

function parseCursor(query: URLSearchParams): Cursor | null {
  // URLSearchParams decodes `+` as a space, as in forms; here it is the `+` of formatCursor.
  const [, offset, limit, filters = ''] = /^cur_ (\d+)\.(\d+)\.([\w-]*)$/.exec(query.get('cursor') ?? '') ?? [];
  if (offset === undefined) return null;
  return { offset: Number(offset), limit: Number(limit), filters: Buffer.from(filters, 'base64url').toString() };
}

/** Returns a period of work, and its break as a period of its own. */
function toAttendancePeriodShapes(period: DemoAttendance): readonly object[] {
  const toMoment = (time: string): object => ({ date_time: `${period.date}T${time}:00` });
  const common = {
    person: { id: String(period.employee) },
    attribution_date: period.date,
    comment: 'A private remark',
    project: null,
    approval: { status: 'CONFIRMED' },
    is_auto_generated: false,
    created_at: `${period.date}T18:00:00Z`,
    updated_at: `${period.date}T18:00:00Z`,
  };
  const work = {
    id: toIdV2(period.id),
    type: 'WORK',
    start: toMoment(period.start),
    end: toMoment(period.end),
    ...common,
  };
  if (period.break === 0) return [work];
  const end = `${period.start.slice(0, 3)}${String(Number(period.start.slice(3)) + period.break).padStart(2, '0')}`;
  const pause = {
    id: toIdV2(period.id, 'break'),
    type: 'BREAK',
    start: toMoment(period.start),
    end: toMoment(end),
    ...common,
  };
  return [work, pause];
}

/** Exchanges credentials for a token, as `POST /v2/auth/token` does. Accepts a form only. */
export function exchangeV2(
  seen: SeenRequest,
  isValid: (id: string, secret: string) => boolean,
  token: string,
): FakeResponse {
  const form = new URLSearchParams(seen.body);
  const isForm = seen.headers['content-type']?.startsWith('application/x-www-form-urlencoded') === true;
  if (!isForm || form.get('grant_type') !== 'client_credentials') return createOauthError('invalid_request');
  if (!isValid(form.get('client_id') ?? '', form.get('client_secret') ?? ''))
    return createOauthError('unauthorized_client');
  return {
    status: 200,
    body: { access_token: token, token_type: 'Bearer', expires_in: 86_400, scope: 'personio:attendances:read' },
  };
}

function createOauthError(error: string): FakeResponse {
  const body = {
    timestamp: '2026-01-12T12:14:53Z',
    trace_id: 'demo',
    error,
    error_description: '',
    error_uri: null,
    meta: {},
  };
  return { status: 400, body, headers: { 'content-type': 'application/problem+json' } };
}

function createProblem(status: number, title: string, detail: string): FakeResponse {
  const errors = [{ title, detail, type: 'https://developer.personio.de/v2.0/page/public-api-error-codes', _meta: {} }];
  return {
    status,
    headers: { 'content-type': 'application/problem+json' },
    body: { personio_trace_id: 'demo', timestamp: '2026-01-12T12:14:53Z', errors },
  };
}

function createNotFound(path: string): FakeResponse {
  return createProblem(404, 'Not Found', `The endpoint with ${path} was not found.`);
}
