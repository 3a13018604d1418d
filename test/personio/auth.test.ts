import { afterEach, describe, expect, test } from '@jest/globals';
import { startFakePersonio } from '../../src/fake-personio/server.js';
import type { FakePersonio, FakeResponse, SeenRequest } from '../../src/fake-personio/server.js';
import { PersonioApi } from '../../src/personio/api.js';
import type { RateLimiter, TokenCache } from '../../src/personio/api.js';
import { exchangeToken } from '../../src/personio/v1/auth.js';
import { testConnection } from '../../src/personio/test-connection.js';
import { PersonioError } from '../../src/personio/errors.js';
import { createHttp } from '../../src/personio/http.js';
import { readEmployee, readSegment } from '../../src/personio/sources.js';
import { createStandaloneApi } from '../../src/personio/standalone-api.js';

const TODAY = '2026-11-20';
const CREDENTIALS = { clientId: 'papi-id-1111', clientSecret: 'papi-secret-2222' };
const EMPLOYEES_PATH = '/v1/company/employees';

const started: FakePersonio[] = [];
afterEach(async () => {
  await Promise.all(started.splice(0).map(async (fake) => fake.close()));
});

async function startCompany(employees = 3): Promise<{ readonly fake: FakePersonio; readonly seen: SeenRequest[] }> {
  const options = { employees, seed: 5, foundedOn: TODAY, today: () => TODAY };
  const fake = await startFakePersonio({ ...options, credentials: CREDENTIALS });
  started.push(fake);
  const seen: SeenRequest[] = [];
  recordRequests(fake, seen, () => undefined);
  return { fake, seen };
}

/** Records every request before the response. */
function recordRequests(
  fake: FakePersonio,
  seen: SeenRequest[],
  respond: (request: SeenRequest) => FakeResponse | undefined,
): void {
  fake.behaviour.fault = (request) => {
    seen.push(request);
    return respond(request);
  };
}

function createApi(fake: FakePersonio, credentials = CREDENTIALS): PersonioApi {
  return createStandaloneApi({ baseUrl: fake.url, ...credentials });
}

describe('a token exchange that is answered with a web page', () => {
  test.each([200, 302, 403, 404])('may pass, and the message names the base URL (%i)', async (status) => {
    const { fake } = await startCompany();
    fake.behaviour.fault = ({ path }) =>
      path === '/v1/auth' ? { status, body: '<!doctype html><title>Hello</title>' } : undefined;
    const error: unknown = await readAll(createApi(fake)).catch((reason: unknown) => reason);
    expect(error).toMatchObject({ type: 'PersonioMalformedAnswer', isTransient: true });
    expect(error).toHaveProperty('message', expect.stringContaining('PERSONIO_BASE_URL'));
  });
});

async function readAll(api: PersonioApi): Promise<number> {
  let records = 0;
  const pages = readSegment(api, {
    endpoint: 'employees',
    source: 'v1',
    chunk: null,
    pages: 50,
    attributesToStore: ['standard'],
    position: { offset: 0, cursor: null, total: null, pageSize: 200 },
  });
  for await (const page of pages) records += page.records.length;
  return records;
}

async function catchFailure(promise: Promise<unknown>): Promise<PersonioError> {
  const error: unknown = await promise.then(
    () => null,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(PersonioError);
  return error as PersonioError;
}

const toPaths = (seen: readonly SeenRequest[]): readonly string[] => seen.map(({ path }) => path);
const toTokens = (seen: readonly SeenRequest[]): readonly (string | undefined)[] =>
  seen.filter(({ path }) => path !== '/v1/auth').map(({ headers }) => headers.authorization);

describe('exchanging credentials', () => {
  test('sends them in the JSON body only', async () => {
    const { fake, seen } = await startCompany();
    await createApi(fake).authorise();
    expect(seen).toHaveLength(1);
    const [request] = seen;
    expect(request).toMatchObject({ method: 'POST', path: '/v1/auth' });
    expect(request?.headers['content-type']).toBe('application/json');
    expect(JSON.parse(request?.body ?? '')).toEqual({
      client_id: CREDENTIALS.clientId,
      client_secret: CREDENTIALS.clientSecret,
    });
    expect([...(request?.query.keys() ?? [])]).toEqual([]);
    expect(JSON.stringify(request?.headers)).not.toContain(CREDENTIALS.clientSecret);
  });

  test('sends no credentials with later requests', async () => {
    const { fake, seen } = await startCompany();
    expect(await readAll(createApi(fake))).toBe(3);
    expect(toPaths(seen)).toEqual(['/v1/auth', EMPLOYEES_PATH]);
    const [, read] = seen;
    expect(read?.headers.authorization).toMatch(/^Bearer papi-/);
    expect(read?.body).toBe('');
    expect([...(read?.query.keys() ?? [])].sort()).toEqual(['limit', 'offset']);
  });

  test('rejects wrong credentials with a remedy after one request', async () => {
    const { fake, seen } = await startCompany();
    const error = await catchFailure(readAll(createApi(fake, { ...CREDENTIALS, clientSecret: 'mistyped' })));
    expect(error).toMatchObject({ type: 'PersonioCredentialsRejected', status: 403 });
    expect(error.message).toContain('Settings > Integrations > API credentials');
    expect(error.message).toContain('PERSONIO_CLIENT_SECRET');
    expect(error.message).not.toContain('mistyped');
    expect(toPaths(seen)).toEqual(['/v1/auth']);
  });

  test.each([400, 401, 403, 422])('treats %i as a rejection, since Personio documents none', async (status) => {
    const { fake, seen } = await startCompany();
    recordRequests(fake, seen, () => ({ status: status, body: { success: false } }));
    expect(await catchFailure(createApi(fake).authorise())).toMatchObject({
      type: 'PersonioCredentialsRejected',
      status,
    });
    expect(seen).toHaveLength(1);
  });

  test.each([
    { status: 429, type: 'PersonioRateLimited', retryAfterMs: 60_000 },
    { status: 500, type: 'PersonioUnavailable', retryAfterMs: undefined },
  ])('reports $status as $type, not as a rejection', async ({ status, type, retryAfterMs }) => {
    const { fake, seen } = await startCompany();
    recordRequests(fake, seen, () => ({ status: status, body: {} }));
    const error = await catchFailure(createApi(fake).authorise());
    expect(error.type).toBe(type);
    expect(error.retryAfterMs).toBe(retryAfterMs);
  });

  test('reports a response without a token as malformed', async () => {
    const { fake, seen } = await startCompany();
    recordRequests(fake, seen, () => ({ status: 200, body: { success: true, data: { token: '' } } }));
    expect(await catchFailure(createApi(fake).authorise())).toMatchObject({ type: 'PersonioMalformedAnswer' });
  });

  test.each([
    { expiresIn: 300, want: 300 },
    { expiresIn: '299', want: 299 },
    { expiresIn: undefined, want: 86_400 },
    { expiresIn: null, want: 86_400 },
  ])('reads expires_in $expiresIn as $want seconds', async ({ expiresIn, want }) => {
    const { fake, seen } = await startCompany();
    recordRequests(fake, seen, () => ({ status: 200, body: { data: { token: 'papi-1', expires_in: expiresIn } } }));
    expect(await exchangeToken(createHttp(fake.url, 'test'), CREDENTIALS)).toEqual({
      token: 'papi-1',
      expiresInSeconds: want,
    });
  });
});

describe('an expired token', () => {
  test.each([401, 403])('is exchanged once after %i, and the read continues', async (status) => {
    const { fake, seen } = await startCompany();
    const api = createApi(fake);
    await api.authorise();
    fake.expireTokens();
    // The demo company answers 403; Personio is known to answer 401 as well.
    let refusals = 0;
    recordRequests(fake, seen, ({ path }) => {
      if (path !== EMPLOYEES_PATH || refusals > 0) return undefined;
      refusals += 1;
      return {
        status: status,
        body: { success: false, error: { code: status, message: 'Provided authorization is not valid' } },
      };
    });
    expect(await readAll(api)).toBe(3);
    expect(toPaths(seen)).toEqual(['/v1/auth', EMPLOYEES_PATH, '/v1/auth', EMPLOYEES_PATH]);
    const [first, second] = toTokens(seen);
    expect(second).not.toBe(first);
    expect(api.requests).toBe(4);
  });

  test('is exchanged once when several pages in flight are refused', async () => {
    const { fake, seen } = await startCompany(600);
    const api = createApi(fake);
    fake.behaviour.readable = new Set(['status']);
    let isExpired = false;
    recordRequests(fake, seen, ({ query }) => {
      if (query.get('offset') === '99' && !isExpired) {
        isExpired = true;
        fake.expireTokens();
      }
      return undefined;
    });
    expect(await readAll(api)).toBe(600);
    expect(toPaths(seen).filter((path) => path === '/v1/auth')).toHaveLength(2);
  });

  test.each([401, 403])('refused again with %i is a missing permission, without more requests', async (status) => {
    const { fake, seen } = await startCompany();
    recordRequests(fake, seen, ({ path }) =>
      path === EMPLOYEES_PATH
        ? { status: status, body: { success: false, error: { code: 0, message: 'forbidden' } } }
        : undefined,
    );
    const error = await catchFailure(readAll(createApi(fake)));
    expect(error).toMatchObject({ type: 'PersonioPermissionMissing', status });
    expect(error.message).toContain('GET /v1/company/employees');
    expect(error.message).toContain('Settings > Integrations > API credentials');
    const tried = ['/v1/auth', EMPLOYEES_PATH, '/v1/auth', EMPLOYEES_PATH];
    // One request to another endpoint tells this from credentials without any permission.
    expect(toPaths(seen)).toEqual([...tried, '/v1/company/time-off-types']);
  });

  test('refused by every endpoint means rejected credentials, without more requests', async () => {
    const { fake, seen } = await startCompany();
    recordRequests(fake, seen, ({ path }) => (path === '/v1/auth' ? undefined : { status: 403, body: {} }));
    const error = await catchFailure(readAll(createApi(fake)));
    expect(error.type).toBe('PersonioCredentialsRejected');
    expect(error.message).toContain('Settings > Integrations > API credentials');
    expect(seen).toHaveLength(5);
  });

  test('with withdrawn credentials ends as rejected credentials', async () => {
    const { fake, seen } = await startCompany();
    const api = createApi(fake);
    await api.authorise();
    fake.expireTokens();
    recordRequests(fake, seen, ({ path }) => (path === '/v1/auth' ? { status: 403, body: {} } : undefined));
    expect(await catchFailure(readAll(api))).toMatchObject({ type: 'PersonioCredentialsRejected' });
    expect(toPaths(seen)).toEqual(['/v1/auth', EMPLOYEES_PATH, '/v1/auth']);
  });
});

describe('error messages', () => {
  const STATUSES = [200, 302, 400, 401, 403, 404, 408, 410, 418, 422, 429, 500, 502, 503, 504];

  test.each(STATUSES)('for %i contain no secret, token, URL or body', async (status) => {
    const { fake, seen } = await startCompany();
    const body = '<html>Anna Musterfrau, IBAN DE02</html>';
    const headers = { location: 'https://elsewhere.example/?token=abc' };
    recordRequests(fake, seen, ({ path }) => (path === '/v1/auth' ? undefined : { status: status, body, headers }));
    const api = createApi(fake);
    const errors = [await catchFailure(readAll(api))];
    if (status !== 404) errors.push(await catchFailure(readEmployee(api, '1001', ['standard'])));
    recordRequests(fake, seen, () => ({ status: status, body, headers }));
    errors.push(await catchFailure(createApi(fake).authorise()));
    const token = toTokens(seen)[0]?.replace('Bearer ', '') ?? '';
    expect(token).toMatch(/^papi-/);
    for (const error of errors) {
      const shown = [error.message, error.stack, JSON.stringify(error), String(error.cause)].join('\n');
      for (const secret of [
        CREDENTIALS.clientId,
        CREDENTIALS.clientSecret,
        token,
        'Anna',
        'IBAN',
        '<html',
        'elsewhere',
      ]) {
        expect(shown).not.toContain(secret);
      }
      // The stack names our own files; the message must not have an address at all.
      expect(error.message).not.toMatch(/https?:|127\.0\.0\.1|1001|offset|limit=/);
    }
  });

  test('for a broken connection contain no URL', async () => {
    const { fake } = await startCompany();
    const api = createApi(fake);
    await api.authorise();
    await fake.close();
    const error = await catchFailure(readEmployee(api, '1001', ['standard']));
    expect(error).toMatchObject({ type: 'PersonioUnavailable', status: null });
    expect(error.message).toContain('GET /v1/company/employees/{id}');
    expect(error.message).not.toMatch(/https?:|127\.0\.0\.1|1001/);
    expect(error.cause).toBeUndefined();
  });
});

describe('rate limits', () => {
  test('each request acquires its bucket, and 429 backs off that bucket only', async () => {
    const { fake, seen } = await startCompany();
    const calls: string[] = [];
    const tokens: TokenCache = {
      getToken: async (exchange) => (await exchange()).token,
      refresh: async (_refused, exchange) => (await exchange()).token,
    };
    const rateLimiter: RateLimiter = {
      acquire: async (bucket) => Promise.resolve(void calls.push(`acquire ${bucket}`)),
      backOff: async (bucket, waitMs) => Promise.resolve(void calls.push(`back off ${bucket} ${waitMs}`)),
    };
    const notices: string[] = [];
    const http = createHttp(fake.url, 'test');
    const auth = { tokens, exchange: async () => exchangeToken(http, CREDENTIALS) };
    const api = new PersonioApi({
      origin: fake.url,
      http,
      rateLimiter,
      auth: { v1: auth, v2: auth },
      onNotice: (template, headers) => notices.push(`${template} ${headers.join(' ')}`),
    });
    const headers = { 'retry-after': '3', sunset: 'Sun, 30 Aug 2026 00:00:00 GMT', deprecation: 'true' };
    recordRequests(fake, seen, ({ path }) =>
      path === EMPLOYEES_PATH ? { status: 429, body: {}, headers } : undefined,
    );
    expect(await catchFailure(readAll(api))).toMatchObject({ type: 'PersonioRateLimited', retryAfterMs: 3_000 });
    expect(calls).toEqual(['acquire auth', 'acquire employees', 'back off employees 3000']);
    expect(notices).toEqual(['/v1/company/employees deprecation sunset']);
    recordRequests(fake, seen, () => ({ status: 429, body: {} }));
    await catchFailure(api.authorise());
    expect(calls.slice(3)).toEqual(['acquire auth', 'back off auth 60000']);
  });
});

describe('testing a connection', () => {
  const options = { pageSize: 200, attributesToStore: ['standard'] };

  test('passes for the token and each endpoint', async () => {
    const { fake } = await startCompany(30);
    const checks = await testConnection({ baseUrl: fake.url, ...CREDENTIALS }, options);
    expect(checks.map(({ check, ok, source }) => ({ check, ok, source }))).toEqual([
      { check: 'token', ok: true, source: null },
      { check: 'employees', ok: true, source: 'v1' },
      { check: 'departments', ok: true, source: 'employees' },
      { check: 'attendances', ok: true, source: 'v1' },
      { check: 'time-off-types', ok: true, source: 'v1' },
    ]);
  });

  test('fails with what happened and what to do', async () => {
    const { fake, seen } = await startCompany();
    recordRequests(fake, seen, ({ path }) => (path.endsWith('/attendances') ? { status: 403, body: {} } : undefined));
    const checks = await testConnection({ baseUrl: fake.url, ...CREDENTIALS }, options);
    const failed = checks.filter(({ ok }) => !ok);
    expect(failed).toHaveLength(1);
    expect(failed[0]).toMatchObject({ check: 'attendances', source: null, records: null });
    expect(failed[0]?.sentence).toContain('GET /v1/company/attendances');
    expect(failed[0]?.action).toContain('API credential');
  });

  test('ends at rejected credentials', async () => {
    const { fake, seen } = await startCompany();
    const checks = await testConnection({ baseUrl: fake.url, clientId: 'x', clientSecret: 'y' }, options);
    expect(checks.map(({ check, ok }) => ({ check, ok }))).toEqual([{ check: 'token', ok: false }]);
    expect(seen).toHaveLength(1);
  });
});
