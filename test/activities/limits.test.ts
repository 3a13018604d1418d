import { monitorEventLoopDelay } from 'node:perf_hooks';
import { afterEach, describe, expect, test } from '@jest/globals';
import { pino } from 'pino';
import { createPersonioAccess } from '../../activities/personio-access.js';
import type { PersonioAccess } from '../../activities/personio-access.js';
import { startFakePersonio } from '../../src/fake-personio/server.js';
import type { FakePersonio } from '../../src/fake-personio/server.js';
import { PERSONIO_LIMITS } from '../../src/fake-personio/rate-limits.js';
import { PersonioError } from '../../src/personio/errors.js';
import { readSegment } from '../../src/personio/sources.js';
import type { Database } from '../../src/store/database.js';
import { openDatabase } from '../../src/store/database.js';
import { createRateLimiter } from '../../src/store/rate-limiter.js';
import { createMigratedDatabase } from '../support/database.js';

const TODAY = '2026-11-20';
const LIMITS = { requestsPerMinute: 300, requestsPerSecond: 15 };
const SECONDS = 1_000;

const closing: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  await Promise.all(closing.splice(0).map(async (close) => close()));
});

async function startCompany(employees: number): Promise<{ readonly fake: FakePersonio; readonly database: Database }> {
  const fake = await startFakePersonio({ employees, seed: 9, foundedOn: TODAY, today: () => TODAY });
  const database = await createMigratedDatabase();
  fake.limitRequests(PERSONIO_LIMITS);
  closing.push(fake.close, database.close);
  return { fake, database };
}

/** Opens Personio as a worker on another machine does: own pool and memory, same database. */
function openWorkerAccess(fake: FakePersonio, database: Database, limits = LIMITS): PersonioAccess {
  const own = openDatabase({ url: database.url, applicationName: 'a worker', poolSize: 3 });
  closing.push(own.close);
  const connections = [{ connectionId: 'default', baseUrl: fake.url, clientId: 'id', clientSecret: 'secret' }];
  return createPersonioAccess({ database: own, limits, logger: pino({ level: 'silent' }), ring: [], connections });
}

async function readEmployees(access: PersonioAccess): Promise<number> {
  const ids = new Set<string>();
  const pages = readSegment(await access('default'), {
    endpoint: 'employees',
    source: 'v1',
    chunk: null,
    pages: 100,
    attributesToStore: ['standard'],
    position: { offset: 0, cursor: null, total: null, pageSize: 200 },
  });
  for await (const { records } of pages) for (const { employeeId } of records) ids.add(employeeId);
  return ids.size;
}

interface Measurement {
  readonly fake: FakePersonio;
  readonly found: readonly PromiseSettledResult<number>[];
  readonly seconds: number;
  /** Longest time for which this process, with the workers and Personio in it, was blocked. */
  readonly blockedMs: number;
}

async function readWithThreeWorkers(): Promise<Measurement> {
  const { fake, database } = await startCompany(1_200);
  fake.behaviour.employeesPerPage = 50;
  const workers = [1, 2, 3].map(() => openWorkerAccess(fake, database));
  const loop = monitorEventLoopDelay({ resolution: 5 });
  loop.enable();
  const begin = Date.now();
  const found = await Promise.allSettled(workers.map(readEmployees));
  loop.disable();
  return { fake, found, seconds: (Date.now() - begin) / SECONDS, blockedMs: loop.max / 1e6 };
}

const countRefused = ({ fake }: Measurement): number => fake.log.filter(({ status }) => status === 429).length;

/**
 * Half of the margin of our window of one second over Personio's. A process that was blocked for longer sends its
 * requests in a burst, which says nothing about the limits.
 */
const BLOCKED_MS = 50;
const MEASUREMENTS = 3;

describe('three workers of one connection under Personio’s published limits', () => {
  test('get no 429, exchange one token and use the whole limit', async () => {
    let measured = await readWithThreeWorkers();
    for (let more = 1; more < MEASUREMENTS && countRefused(measured) > 0 && measured.blockedMs > BLOCKED_MS; more++)
      measured = await readWithThreeWorkers();
    const { fake, found, seconds } = measured;
    expect(countRefused(measured)).toBe(0);
    expect(found).toEqual(Array.from({ length: 3 }, () => ({ status: 'fulfilled', value: 1_200 })));
    expect(fake.log.filter(({ path }) => path === '/v1/auth')).toHaveLength(1);
    const requests = fake.log.filter(({ path }) => path === '/v1/company/employees').length;
    // 15 a second, and a tenth more for inexact clocks; the rest is for a busy machine.
    expect(seconds).toBeLessThan((requests / 15) * 1.1 + 5);
  });
});

describe('the rate limiter', () => {
  test('grants requests in order, and never more than the limit in a second', async () => {
    const { database } = await startCompany(1);
    const rateLimiters = [1, 2, 3].map(() =>
      createRateLimiter(database, 'default', { requestsPerMinute: 1_000, requestsPerSecond: 5 }),
    );
    await Promise.all(Array.from({ length: 18 }, async (_, index) => rateLimiters[index % 3]?.acquire('employees')));
    const rows = await database.query<{ ms: number }>(
      `select extract(epoch from sent_at - min(sent_at) over ())::float8 * 1000 as ms
       from personio.request_log
       where bucket = 'employees'
       order by number`,
    );
    const moments = rows.map(({ ms }) => ms);
    expect([...moments].sort((one, two) => one - two)).toEqual(moments);
    for (let index = 5; index < moments.length; index++)
      expect((moments[index] ?? 0) - (moments[index - 5] ?? 0)).toBeGreaterThanOrEqual(1_099);
  });

  test('throws when a wait outlasts a heartbeat, and reserves nothing for it', async () => {
    const { database } = await startCompany(1);
    const rateLimiter = createRateLimiter(database, 'default', { requestsPerMinute: 3, requestsPerSecond: 3 });
    for (let sent = 0; sent < 3; sent++) await rateLimiter.acquire('employees');
    const error: unknown = await rateLimiter.acquire('employees').catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(PersonioError);
    expect(error).toMatchObject({ type: 'PersonioRateLimited' });
    expect((error as PersonioError).retryAfterMs).toBeGreaterThan(50 * SECONDS);
    await expect(rateLimiter.acquire('attendances')).resolves.toBeUndefined();
    expect(await database.query(`select 1 from personio.request_log where bucket = 'employees'`)).toHaveLength(3);
  });

  test('applies a pause of Personio to every worker, and to this endpoint only', async () => {
    const { database } = await startCompany(1);
    const [one, other] = [1, 2].map(() => createRateLimiter(database, 'default', LIMITS));
    await one?.backOff('employees', 60 * SECONDS);
    await expect(other?.acquire('employees')).rejects.toMatchObject({ type: 'PersonioRateLimited' });
    await expect(other?.acquire('attendances')).resolves.toBeUndefined();
  });

  test('counts the limit of all of v1 across endpoints and connections', async () => {
    const { database } = await startCompany(1);
    await createRateLimiter(database, 'one', LIMITS).acquire('employees');
    await createRateLimiter(database, 'another', LIMITS).acquire('attendances');
    await createRateLimiter(database, 'another', LIMITS).acquire('v2-attendances');
    const rows = await database.query(
      `select connection_id, sent from personio.request_windows where bucket = 'all-v1'`,
    );
    expect(rows).toEqual([{ connection_id: '', sent: 2 }]);
  });
});

describe('the token', () => {
  test('is exchanged once after a refusal, with more activities than pool connections', async () => {
    const { fake, database } = await startCompany(3);
    fake.limitRequests([]);
    const workers = [openWorkerAccess(fake, database), openWorkerAccess(fake, database)];
    await Promise.all(workers.map(readEmployees));
    fake.expireTokens();
    await Promise.all(
      Array.from({ length: 24 }, async (_, index) =>
        readEmployees(workers[index % 2] ?? openWorkerAccess(fake, database)),
      ),
    );
    expect(fake.log.filter(({ path }) => path === '/v1/auth')).toHaveLength(2);
  });

  test('is stored sealed, separately for v1 and v2', async () => {
    const { fake, database } = await startCompany(3);
    const api = await openWorkerAccess(fake, database)('default');
    await api.authorise();
    await api.get({ route: { method: 'GET', template: '/v2/x' }, path: '/v2/x', bucket: 'v2-attendances' });
    const [row] = await database.query<{ sealed_token: string; sealed_token_v2: string }>(
      'select sealed_token, sealed_token_v2 from personio.connection_state',
    );
    expect(row?.sealed_token).not.toBe(row?.sealed_token_v2);
    expect(JSON.stringify(row)).not.toContain('papi-');
  });
});
