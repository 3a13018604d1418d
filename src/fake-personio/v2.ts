import type { Answer, SeenRequest } from './answers.js';
import type { MadeUpAttendance } from './attendances.js';
import { idV2Of } from './shapes.js';
import type { Unit } from './vocabulary.js';

/** How the v2 API of the made-up company is. */
export interface V2Behaviour {
  /** Whether it lists org units, which Personio calls beta. */
  hasOrgUnits: boolean;
  /** What the credential may do; null: everything. */
  v2Scopes: ReadonlySet<string> | null;
  /** Personio's links were relative until September 2025. */
  hasRelativeLinks: boolean;
  attendancePeriodsPerPage: number;
}

const DEFAULT_LIMIT = 10;
const MAX_LIMIT = 100;

export interface V2Content {
  readonly departments: readonly Unit[];
  /** Both days included. */
  readonly attendances: (from: string, to: string) => readonly MadeUpAttendance[];
}

/** Answers below `/v2`, for a request whose token is right. */
export function answerV2(seen: SeenRequest, behaviour: V2Behaviour, content: V2Content): Answer {
  switch (seen.path) {
    case '/v2/org-units':
      return orgUnits(seen, behaviour, content);
    case '/v2/attendance-periods':
      return scoped('personio:attendances:read', behaviour) ?? attendancePeriods(seen, behaviour, content);
    default:
      return gatewayNotFound(seen.path);
  }
}

function orgUnits(seen: SeenRequest, behaviour: V2Behaviour, { departments }: V2Content): Answer {
  const isAsked = seen.query.has('type') || seen.query.has('cursor');
  if (!behaviour.hasOrgUnits || seen.headers['beta'] !== 'true' || !isAsked) return gatewayNotFound(seen.path);
  const items = departments.map(({ id, name }) => ({ id: String(id), name, type: 'department', parent_id: null }));
  return scoped('personio:org-units:read', behaviour) ?? paged(seen, behaviour, { items, max: MAX_LIMIT });
}

function attendancePeriods(seen: SeenRequest, behaviour: V2Behaviour, { attendances }: V2Content): Answer {
  const asked = new URLSearchParams(cursorOf(seen.query)?.filters ?? seen.query.toString());
  const [from, to] = [asked.get('attribution_date.gte'), asked.get('attribution_date.lte')];
  if (from === null || to === null) return problem(400, 'Bad Request', 'attribution_date is required here');
  const items = attendances(from, to).flatMap(attendancePeriodShapes);
  return paged(seen, behaviour, { items, max: behaviour.attendancePeriodsPerPage });
}

/** Without the scope: 403, and on some paths 401. */
function scoped(scope: string, { v2Scopes }: V2Behaviour): Answer | null {
  return v2Scopes === null || v2Scopes.has(scope) ? null : problem(403, 'Forbidden', 'Insufficient scope');
}

interface Items {
  readonly items: readonly unknown[];
  readonly max: number;
}

function paged({ path, query, headers }: SeenRequest, behaviour: V2Behaviour, { items, max }: Items): Answer {
  const cursor = cursorOf(query) ?? firstCursor(query);
  const { limit, offset } = cursor;
  if (!(limit >= 1 && limit <= MAX_LIMIT)) return problem(400, 'Bad Request', 'Invalid request content');
  const data = items.slice(offset, offset + Math.min(limit, max));
  const next = offset + data.length;
  const place = `${behaviour.hasRelativeLinks ? '' : `http://${headers.host ?? ''}`}${path}`;
  const more = next < items.length ? { next: { href: `${place}?cursor=${textOf({ ...cursor, offset: next })}` } } : {};
  return { status: 200, body: { _data: data, _meta: { links: { self: { href: place }, ...more } } } };
}

function firstCursor(query: URLSearchParams): Cursor {
  return { offset: 0, limit: Number(query.get('limit') ?? DEFAULT_LIMIT), filters: query.toString() };
}

interface Cursor {
  readonly offset: number;
  readonly limit: number;
  readonly filters: string;
}

/** With a `+` in it, which must not become a space on the way. */
function textOf({ offset, limit, filters }: Cursor): string {
  return `cur_+${offset}.${limit}.${Buffer.from(filters).toString('base64url')}`;
}

function cursorOf(query: URLSearchParams): Cursor | null {
  // URLSearchParams reads a `+` as a space, as a form does; here it is the one that we wrote.
  const [, offset, limit, filters = ''] = /^cur_ (\d+)\.(\d+)\.([\w-]*)$/.exec(query.get('cursor') ?? '') ?? [];
  if (offset === undefined) return null;
  return { offset: Number(offset), limit: Number(limit), filters: Buffer.from(filters, 'base64url').toString() };
}

/** A period of work, and its break as one of its own in the middle. */
function attendancePeriodShapes(period: MadeUpAttendance): readonly object[] {
  const moment = (time: string): object => ({ date_time: `${period.date}T${time}:00` });
  const common = {
    ...{
      person: { id: String(period.employee) },
      attribution_date: period.date,
      comment: 'A private remark',
      project: null,
    },
    ...{ approval: { status: 'CONFIRMED' }, is_auto_generated: false },
    ...{ created_at: `${period.date}T18:00:00Z`, updated_at: `${period.date}T18:00:00Z` },
  };
  const work = { id: idV2Of(period.id), type: 'WORK', start: moment(period.start), end: moment(period.end), ...common };
  if (period.break === 0) return [work];
  const end = `${period.start.slice(0, 3)}${String(Number(period.start.slice(3)) + period.break).padStart(2, '0')}`;
  const pause = {
    id: idV2Of(period.id, 'break'),
    type: 'BREAK',
    start: moment(period.start),
    end: moment(end),
    ...common,
  };
  return [work, pause];
}

/** Form-encoded credentials for a token; every other form is refused. */
export function exchangeV2(seen: SeenRequest, isRight: (id: string, secret: string) => boolean, token: string): Answer {
  const form = new URLSearchParams(seen.body);
  const isForm = seen.headers['content-type']?.startsWith('application/x-www-form-urlencoded') === true;
  if (!isForm || form.get('grant_type') !== 'client_credentials') return oauthError('invalid_request');
  if (!isRight(form.get('client_id') ?? '', form.get('client_secret') ?? '')) return oauthError('unauthorized_client');
  return {
    status: 200,
    body: { access_token: token, token_type: 'Bearer', expires_in: 86_400, scope: 'personio:attendances:read' },
  };
}

function oauthError(error: string): Answer {
  const body = {
    timestamp: '2026-01-12T12:14:53Z',
    trace_id: 'made-up',
    error,
    error_description: '',
    error_uri: null,
    meta: {},
  };
  return { status: 400, body, headers: { 'content-type': 'application/problem+json' } };
}

function problem(status: number, title: string, detail: string): Answer {
  const errors = [{ title, detail, type: 'https://developer.personio.de/v2.0/page/public-api-error-codes', _meta: {} }];
  return {
    ...{ status, headers: { 'content-type': 'application/problem+json' } },
    body: { personio_trace_id: 'made-up', timestamp: '2026-01-12T12:14:53Z', errors },
  };
}

function gatewayNotFound(path: string): Answer {
  return problem(404, 'Not Found', `The endpoint with ${path} was not found.`);
}
