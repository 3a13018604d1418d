import type { FailureType } from '../../src/contracts/internal/errors.js';
import type { Endpoint } from '../../src/contracts/internal/names.js';
import { addDays } from '../../src/domain/zones.js';
import type { FakePersonio, FakeResponse, SeenRequest, TransferMode } from '../../src/fake-personio/server.js';

/**
 * Fault at Personio, and how a sync must end with it. Each runs through Temporal, over a socket, against PostgreSQL.
 */
export interface FaultCase {
  readonly fault: string;
  /** Default: employees. */
  readonly endpoint?: Endpoint;
  readonly arrange: (fake: FakePersonio) => void;
  /** `whole`: the tables equal the company; otherwise they are unchanged, and the run ends with this type. */
  readonly outcome: 'whole' | FailureType;
  /** Pattern of the run's message. */
  readonly says?: RegExp;
  /** Expected source. Default: any. */
  readonly source?: 'v1' | 'v2' | 'employees';
  /** Largest number of requests allowed. Default: any. */
  readonly atMost?: number;
}

const PATH = {
  auth: '/v1/auth',
  employees: '/v1/company/employees',
  attendances: '/v1/company/attendances',
  departments: '/v1/company/departments',
  'time-off-types': '/v1/company/time-off-types',
  periods: '/v2/attendance-periods',
} as const;

const TODAY = new Date().toISOString().slice(0, 10);
/** Week that always has working days. */
export const WINDOW = { from: addDays(TODAY, -14), to: addDays(TODAY, -8) };

interface Body {
  readonly data: readonly unknown[];
  readonly metadata?: Readonly<Record<string, unknown>>;
}

type Change = (seen: SeenRequest, own: FakeResponse) => FakeResponse;
interface FaultMatch {
  readonly path?: string;
  readonly after?: number;
  readonly times?: number;
}

const addFault =
  (change: Change, { path = PATH.employees, ...when }: FaultMatch = {}): FaultCase['arrange'] =>
  ({ faults }) =>
    faults.add({ path, ...when, respond: change });
const respondWithStatus =
  (code: number, body: unknown = {}, headers: Readonly<Record<string, string>> = {}): Change =>
  () => ({ status: code, body, headers });
const respondWithDelivery =
  (delivery: TransferMode): Change =>
  (_seen, own) => ({ ...own, transfer: delivery });
const changeBody =
  (change: (body: Body, seen: SeenRequest) => unknown): Change =>
  (seen, own) => ({ ...own, body: change(own.body as Body, seen) });
const changeTotal = (total: (seen: SeenRequest) => number): Change =>
  changeBody((body, seen) => ({ ...body, metadata: { ...body.metadata, total_elements: total(seen) } }));
const changeFirstRecord = (change: (attributes: Record<string, unknown>) => void): Change =>
  changeBody((body) => {
    const data = structuredClone(body.data) as { attributes: Record<string, unknown> }[];
    if (data[0] !== undefined) change(data[0].attributes);
    return { ...body, data };
  });
/** Replaces the time-off types by 250, and the second page by `response`. */
const addTimeOffTypes = (response: FakeResponse): FaultCase['arrange'] =>
  addFault(
    ({ query }) => {
      if (Number(query.get('offset')) > 0) return response;
      const data = Array.from({ length: 200 }, (_, index) => ({ attributes: { id: 5_001 + index, name: 'Type' } }));
      return { status: 200, body: { success: true, data } };
    },
    { path: PATH['time-off-types'] },
  );
const later = { after: 1, times: 1 };
const once = { times: 1 };

const PAGING: readonly FaultCase[] = [
  {
    fault: 'pages of 200 are silently shortened to 50',
    arrange: ({ behaviour }) => (behaviour.employeesPerPage = 50),
    outcome: 'whole',
  },
  {
    fault: 'pages of more than 50 are refused with 400',
    arrange: ({ behaviour }) => Object.assign(behaviour, { employeesPerPage: 50, largerPages: 'refused' }),
    outcome: 'whole',
  },
  {
    fault: 'pages of more than 50 are refused with 422',
    arrange: ({ behaviour }) => {
      behaviour.fault = ({ path, query }) =>
        path === PATH.employees && Number(query.get('limit')) > 50 ? { status: 422, body: {} } : undefined;
    },
    outcome: 'whole',
  },
  {
    fault: 'a short page in the middle',
    arrange: addFault(
      changeBody((body) => ({ ...body, data: body.data.slice(0, 17) })),
      later,
    ),
    outcome: 'whole',
  },
  {
    fault: 'the total changes once',
    arrange: addFault(
      changeTotal(() => 1),
      later,
    ),
    outcome: 'whole',
  },
  {
    fault: 'the total grows on every page, and no record follows',
    arrange: addFault(changeTotal(({ number }) => 1_000 + number)),
    outcome: 'SnapshotIncomplete',
    says: /empty page after 320 of/,
  },
  {
    fault: 'the total falls on every page',
    arrange: addFault(changeTotal(({ number }) => 10_000 - number)),
    outcome: 'SnapshotIncomplete',
    says: /total changed/,
  },
  {
    fault: 'a page repeats records, once',
    arrange: addFault(
      changeBody((body) => ({ ...body, data: [body.data[0], ...body.data.slice(0, -1)] })),
      later,
    ),
    outcome: 'whole',
  },
  {
    fault: 'pages repeat records, always',
    arrange: addFault(
      changeBody((body) => ({
        ...body,
        data: body.data.map((record, index) => (index === 5 ? body.data[4] : record)),
      })),
    ),
    outcome: 'SnapshotIncomplete',
    says: /distinct records?, but Personio reported/,
  },
  {
    fault: 'an employee is deleted during the read',
    arrange: (fake) => {
      let isDone = false;
      addFault((_seen, own) => {
        if (!isDone) fake.company.remove(fake.company.employees[0]?.id ?? 0);
        isDone = true;
        return own;
      })(fake);
    },
    outcome: 'whole',
  },
  {
    fault: 'an employee is replaced during the read: the total is unchanged',
    arrange: (fake) => {
      let isDone = false;
      addFault((_seen, own) => {
        const [first] = fake.company.employees;
        if (!isDone && first !== undefined) {
          fake.company.remove(first.id);
          fake.company.add({ ...first, id: 900_001, email: 'replacement@example.org' });
        }
        isDone = true;
        return own;
      })(fake);
    },
    outcome: 'whole',
  },
  {
    fault: 'an empty page in the middle, once',
    arrange: addFault(
      changeBody((body) => ({ ...body, data: [] })),
      later,
    ),
    outcome: 'whole',
  },
  {
    fault: 'only empty pages, and a total of hundreds',
    arrange: addFault(changeBody((body) => ({ ...body, data: [] }))),
    outcome: 'SnapshotIncomplete',
    says: /empty page/,
  },
  {
    fault: 'employees without a total, and one 404 beyond the first page',
    arrange: (fake) => {
      addFault(changeBody(({ data }) => ({ data })))(fake);
      addFault(respondWithStatus(404), later)(fake);
    },
    outcome: 'PersonioMalformedAnswer',
    says: /total_elements is missing/,
  },
  {
    fault: 'time-off types, 250 of them, and 400 to page 2',
    endpoint: 'time-off-types',
    arrange: addTimeOffTypes({ status: 400, body: {} }),
    outcome: 'PersonioMalformedAnswer',
    says: /answered .* with 400/,
  },
  {
    fault: 'time-off types, 250 of them, and an empty page 2',
    endpoint: 'time-off-types',
    arrange: addTimeOffTypes({ status: 200, body: { success: true, data: [] } }),
    outcome: 'SnapshotIncomplete',
    says: /empty page after 200 records/,
  },
  {
    fault: 'no employees, and a total of 0',
    arrange: addFault(changeBody((body) => ({ ...body, data: [], metadata: { total_elements: 0 } }))),
    outcome: 'SnapshotIncomplete',
    says: /no employees at all/,
  },
  {
    fault: 'time-off types, whose list ignores the offset',
    endpoint: 'time-off-types',
    arrange: ({ behaviour, faults }) => {
      faults.add({ path: PATH['time-off-types'], respond: (_seen, own) => own });
      behaviour.fault = ({ path, query }) => {
        if (path === PATH['time-off-types']) query.set('offset', '0');
        return undefined;
      };
    },
    outcome: 'whole',
  },
  {
    fault: 'time-off types, two at a time',
    endpoint: 'time-off-types',
    arrange: addFault(
      changeBody((body) => ({ ...body, data: body.data.slice(0, 2) })),
      { path: PATH['time-off-types'] },
    ),
    outcome: 'whole',
  },
  {
    fault: 'attendances change during the read, once',
    endpoint: 'attendances',
    arrange: addFault(
      changeTotal(() => 3),
      { path: PATH.attendances, ...later },
    ),
    outcome: 'whole',
  },
  {
    fault: 'no attendances come: more than half would be deleted',
    endpoint: 'attendances',
    arrange: addFault(
      changeBody((body) => ({ ...body, data: [], metadata: { total_elements: 0 } })),
      { path: PATH.attendances },
    ),
    outcome: 'SnapshotIncomplete',
    says: /lost a permission/,
  },
];

const TRANSPORT: readonly FaultCase[] = [
  {
    fault: 'a reset before the answer',
    arrange: addFault(respondWithDelivery('reset-before'), later),
    outcome: 'whole',
  },
  { fault: 'a reset within the body', arrange: addFault(respondWithDelivery('reset-within'), later), outcome: 'whole' },
  { fault: 'no first byte', arrange: addFault(respondWithDelivery('stall-before'), later), outcome: 'whole' },
  {
    fault: 'half of the body, then nothing',
    arrange: addFault(respondWithDelivery('stall-within'), later),
    outcome: 'whole',
  },
  { fault: 'a compressed answer', arrange: addFault(respondWithDelivery('gzip')), outcome: 'whole' },
  {
    fault: 'a broken compression, once',
    arrange: addFault(respondWithDelivery('gzip-broken'), later),
    outcome: 'whole',
  },
  {
    fault: 'truncated JSON, once',
    arrange: addFault(respondWithDelivery('truncated'), later),
    outcome: 'whole',
  },
  {
    fault: 'an HTML page with 200, once',
    arrange: addFault(respondWithStatus(200, '<html>Maintenance</html>', { 'content-type': 'text/html' }), later),
    outcome: 'whole',
  },
  { fault: '204 without a body, once', arrange: addFault(respondWithStatus(204, ''), later), outcome: 'whole' },
  {
    fault: 'an HTML page with 200',
    arrange: addFault(respondWithStatus(200, '<html>Ada Abel</html>', { 'content-type': 'text/html' })),
    outcome: 'PersonioMalformedAnswer',
    says: /not JSON/,
  },
  {
    fault: 'JSON with the content type of HTML',
    arrange: addFault((_seen, own) => ({ ...own, headers: { 'content-type': 'text/html' } })),
    outcome: 'whole',
  },
  {
    fault: 'a body of more than 32 MiB',
    arrange: addFault(respondWithStatus(200, `{"data":["${'x'.repeat(33 * 1_024 * 1_024)}"]}`)),
    outcome: 'PersonioMalformedAnswer',
    says: /larger than 32 MiB/,
  },
  {
    fault: 'success: false with 200, once',
    arrange: addFault(
      respondWithStatus(200, { success: false, data: [], error: { code: 0, message: 'Something' } }),
      later,
    ),
    outcome: 'whole',
  },
  {
    fault: 'success: false with 200 and an empty list, without a total',
    endpoint: 'time-off-types',
    arrange: addFault(respondWithStatus(200, { success: false, data: [] }), { path: PATH['time-off-types'], ...once }),
    outcome: 'whole',
  },
  { fault: '500, twice', arrange: addFault(respondWithStatus(500), { times: 2 }), outcome: 'whole' },
  {
    fault: '504 in HTML, once',
    arrange: addFault(respondWithStatus(504, '<html>Gateway</html>'), later),
    outcome: 'whole',
  },
  {
    fault: '429 with Retry-After in seconds',
    arrange: addFault(respondWithStatus(429, {}, { 'retry-after': '1' }), later),
    outcome: 'whole',
  },
  {
    fault: '429 with Retry-After as a date',
    arrange: addFault(
      () => ({ status: 429, body: {}, headers: { 'retry-after': new Date(Date.now() + 2_000).toUTCString() } }),
      later,
    ),
    outcome: 'whole',
  },
  {
    fault: '429 with Retry-After as a date that has passed',
    arrange: addFault(respondWithStatus(429, {}, { 'retry-after': 'Fri, 20 Nov 2026 00:00:00 GMT' }), later),
    outcome: 'whole',
  },
  {
    fault: '429 with x-ratelimit-* and no Retry-After',
    arrange: addFault(
      respondWithStatus(
        429,
        {},
        { 'x-ratelimit-remaining': '0', 'x-ratelimit-replenish-rate': '2', 'x-ratelimit-requested-tokens': '1' },
      ),
      later,
    ),
    outcome: 'whole',
  },
  {
    fault: 'a redirect',
    arrange: addFault(respondWithStatus(302, '', { location: 'http://127.0.0.1:9/' })),
    outcome: 'PersonioMalformedAnswer',
    says: /redirect/,
  },
];

const ACCESS: readonly FaultCase[] = [
  {
    fault: 'the token expires during the read',
    arrange: (fake) => {
      let isDone = false;
      addFault((_seen, own) => {
        if (!isDone) fake.expireTokens();
        isDone = true;
        return own;
      })(fake);
    },
    outcome: 'whole',
  },
  {
    fault: 'employees are not permitted',
    arrange: ({ behaviour }) => (behaviour.forbidden = new Set([PATH.employees])),
    outcome: 'PersonioPermissionMissing',
    says: /Settings > Integrations > API credentials/,
    atMost: 5,
  },
  {
    fault: 'every endpoint refuses a new token',
    arrange: ({ behaviour }) => (behaviour.forbidden = new Set(Object.values(PATH))),
    outcome: 'PersonioCredentialsRejected',
    atMost: 5,
  },
  {
    fault: 'the credentials were withdrawn',
    arrange: (fake) => {
      fake.expireTokens();
      addFault(respondWithStatus(403, { success: false, error: { code: 0, message: 'Wrong credentials' } }), {
        path: PATH.auth,
      })(fake);
    },
    outcome: 'PersonioCredentialsRejected',
    atMost: 3,
  },
  {
    fault: 'attendances are not permitted',
    endpoint: 'attendances',
    arrange: ({ behaviour }) => (behaviour.forbidden = new Set([PATH.attendances])),
    outcome: 'PersonioPermissionMissing',
    atMost: 5,
  },
];

const SOURCES: readonly FaultCase[] = [
  {
    fault: 'v1 attendances answer 404: v2 serves, and the rows are the same',
    endpoint: 'attendances',
    arrange: ({ behaviour }) => (behaviour.hasAttendances = false),
    outcome: 'whole',
    source: 'v2',
  },
  {
    fault: 'v1 attendances answer 410: v2 serves',
    endpoint: 'attendances',
    arrange: addFault(respondWithStatus(410), { path: PATH.attendances }),
    outcome: 'whole',
    source: 'v2',
  },
  {
    fault: 'v1 attendances are gone, and the scope of v2 is missing',
    endpoint: 'attendances',
    arrange: ({ behaviour }) => Object.assign(behaviour, { hasAttendances: false, v2Scopes: new Set() }),
    outcome: 'PersonioPermissionMissing',
    says: /GET \/v2\/attendance-periods/,
  },
  {
    fault: 'both sources of attendances are gone',
    endpoint: 'attendances',
    arrange: (fake) => {
      fake.behaviour.hasAttendances = false;
      addFault(respondWithStatus(404), { path: PATH.periods })(fake);
    },
    outcome: 'PersonioEndpointRetired',
    says: /on every source of the attendances/,
  },
  {
    fault: 'a page of v2 leads back to itself, once',
    endpoint: 'attendances',
    arrange: (fake) => {
      fake.behaviour.hasAttendances = false;
      addFault(
        changeBody((body, { query }) => ({ ...body, _meta: { links: { next: { href: `?${query.toString()}` } } } })),
        { path: PATH.periods, ...once },
      )(fake);
    },
    outcome: 'whole',
    source: 'v2',
  },
  {
    fault: 'a link of v2 to another server',
    endpoint: 'attendances',
    arrange: (fake) => {
      fake.behaviour.hasAttendances = false;
      const links = { next: { href: 'https://elsewhere.example/v2/attendance-periods?cursor=1' } };
      addFault(
        changeBody((body) => ({ ...body, _meta: { links } })),
        { path: PATH.periods },
      )(fake);
    },
    outcome: 'PersonioMalformedAnswer',
    says: /another server/,
  },
  {
    fault: 'departments from v2',
    endpoint: 'departments',
    arrange: ({ behaviour }) => (behaviour.hasOrgUnits = true),
    outcome: 'whole',
    source: 'v2',
  },
  {
    fault: 'departments from neither: derived from the employees',
    endpoint: 'departments',
    arrange: () => undefined,
    outcome: 'whole',
    source: 'employees',
  },
  {
    fault: '404 on the employees: retired, not empty',
    arrange: addFault(respondWithStatus(404)),
    outcome: 'PersonioEndpointRetired',
  },
  {
    fault: '404 on a later page of the employees, once',
    arrange: addFault(respondWithStatus(404), later),
    outcome: 'whole',
  },
];

const VALUES: readonly FaultCase[] = [
  {
    fault: 'a date of 1835 with an odd offset',
    arrange: addFault(
      changeFirstRecord((attributes) => {
        attributes['hire_date'] = { label: 'Eintritt', value: '1835-02-01T00:00:00+00:53', type: 'date' };
      }),
    ),
    outcome: 'whole',
  },
  {
    fault: 'an unknown status, a localised label, a number where a text was',
    arrange: addFault(
      changeFirstRecord((attributes) => {
        attributes['status'] = { label: 'Estado', value: 'on-sabbatical', type: 'standard' };
        attributes['weekly_working_hours'] = { label: 'Std.', value: 38.5, type: 'decimal' };
        attributes['office'] = { label: 'Workplace', value: [], type: 'standard' };
        attributes['team'] = { label: 'Team', value: '', type: 'standard' };
      }),
    ),
    outcome: 'whole',
  },
  {
    fault: 'a value of 10 MB, with NUL and half a surrogate pair in it',
    arrange: addFault(
      changeFirstRecord((attributes) => {
        attributes['profile_note'] = {
          label: 'Note',
          value: `\u0000\ud800${'x'.repeat(10_000_000)}`,
          type: 'standard',
        };
      }),
    ),
    outcome: 'whole',
  },
  {
    fault: 'one date that nobody can read: the last value stands',
    arrange: addFault(
      changeFirstRecord((attributes) => {
        attributes['hire_date'] = { label: 'Hire date', value: 'Ada Abel, soon', type: 'date' };
      }),
    ),
    outcome: 'whole',
    says: /1 record has values that cannot be read/,
  },
  ...['-0001-11-30T00:00:00+00:53', '0000-00-00', '20226-11-30T00:00:00+01:00', '9999-12-31T00:00:00+01:00'].map(
    (value): FaultCase => ({
      fault: `a termination date of ${value}`,
      arrange: addFault(
        changeFirstRecord((attributes) => {
          attributes['termination_date'] = { label: 'Termination', value, type: 'date' };
        }),
      ),
      outcome: 'whole',
    }),
  ),
  {
    fault: 'a position that is an object, an attribute without its value',
    arrange: addFault(
      changeFirstRecord((attributes) => {
        attributes['last_name'] = { label: 'Last name', value: { name: 'Abel' }, type: 'standard' };
        attributes['department'] = { label: 'Department', type: 'standard' };
      }),
    ),
    outcome: 'whole',
    says: /1 record has values that cannot be read/,
  },
  {
    fault: 'the hire dates of everybody in another format',
    arrange: addFault(
      changeBody((body) => {
        const data = structuredClone(body.data) as { attributes: Record<string, unknown> }[];
        for (const { attributes } of data) attributes['hire_date'] = { label: 'Eintritt', value: '01.02.2020' };
        return { ...body, data };
      }),
    ),
    outcome: 'PersonioMalformedAnswer',
    says: /too many have an attribute that cannot be read: hire_date \(3\d\d\)/,
  },
  {
    fault: 'a record without its id',
    arrange: addFault(
      changeFirstRecord((attributes) => {
        delete attributes['id'];
      }),
      { after: 1 },
    ),
    outcome: 'SnapshotIncomplete',
    says: /record data\[0\] of page \d has no readable id/,
  },
  ...['25:61', '24:30'].map((value): FaultCase => ({
    fault: `a known attendance at ${value} keeps what is stored`,
    endpoint: 'attendances',
    // The first period of the company is deleted, so the first that comes is known.
    arrange: addFault(
      changeFirstRecord((attributes) => {
        attributes['start_time'] = value;
      }),
      { path: PATH.attendances },
    ),
    outcome: 'whole',
    says: /\d records? ha(s|ve) values that cannot be read/,
  })),
];

export const FAULTS: readonly FaultCase[] = [...PAGING, ...TRANSPORT, ...ACCESS, ...SOURCES, ...VALUES];
