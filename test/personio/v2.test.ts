import { afterEach, describe, expect, test } from '@jest/globals';
import type { ReadPosition } from '../../src/contracts/internal/activities.js';
import type { AttendanceRecord, StagedRecords } from '../../src/domain/records.js';
import { startFakePersonio } from '../../src/fake-personio/server.js';
import type { FakePersonio, FakeResponse } from '../../src/fake-personio/server.js';
import type { PersonioApi } from '../../src/personio/api.js';
import { PersonioError } from '../../src/personio/errors.js';
import { shouldFallBack, readSegment } from '../../src/personio/sources.js';
import { createStandaloneApi } from '../../src/personio/standalone-api.js';

const TODAY = '2026-11-20';
const CHUNK = { from: '2026-11-09', to: '2026-11-13' };
const PERIODS = '/v2/attendance-periods';

const started: FakePersonio[] = [];
afterEach(async () => {
  await Promise.all(started.splice(0).map(async (fake) => fake.close()));
});

async function startCompany(employees = 40): Promise<{ readonly fake: FakePersonio; readonly api: PersonioApi }> {
  const fake = await startFakePersonio({ employees, seed: 3, foundedOn: TODAY, today: () => TODAY });
  started.push(fake);
  fake.behaviour.hasOrgUnits = true;
  return { fake, api: createStandaloneApi({ baseUrl: fake.url, clientId: 'id', clientSecret: 'secret' }) };
}

type Staged = StagedRecords['records'][number];

interface ReadResult {
  readonly records: readonly Staged[];
  readonly restartReason: string | null;
  readonly segments: number;
}

async function readWhole(
  api: PersonioApi,
  endpoint: 'departments' | 'attendances',
  pages = 3,
  pageSize = 200,
): Promise<ReadResult> {
  const records: Staged[] = [];
  const chunk = endpoint === 'attendances' ? CHUNK : null;
  let position: ReadPosition = { offset: 0, cursor: null, total: null, pageSize };
  for (let segments = 1; ; segments++) {
    const segment = readSegment(api, {
      endpoint,
      source: 'v2',
      chunk,
      position,
      pages,
      attributesToStore: ['standard'],
    });
    for await (const page of segment) records.push(...page.records);
    const { next, restartReason } = segment.outcome;
    if (next === null) return { records, restartReason, segments };
    position = next;
  }
}

const toIds = (records: readonly Staged[]): readonly string[] =>
  (records as readonly AttendanceRecord[]).map(({ periodId }) => periodId);

async function catchFailure(promise: Promise<unknown>): Promise<PersonioError> {
  const error: unknown = await promise.catch((reason: unknown) => reason);
  expect(error).toBeInstanceOf(PersonioError);
  return error as PersonioError;
}

/** Counts the company's periods in the chunk, including breaks. */
function countPeriods(fake: FakePersonio): number {
  return fake.attendances
    .listBetween(CHUNK.from, CHUNK.to)
    .reduce((sum, period) => sum + (period.break > 0 ? 2 : 1), 0);
}

interface V2Body {
  readonly _data: readonly { readonly id: string }[];
  readonly _meta: { readonly links: { readonly next?: { readonly href: string } } };
}

/** Changes the response of one page, by its place in the order of requests. */
function spoil(fake: FakePersonio, after: number, change: (body: V2Body) => unknown): void {
  fake.faults.add({
    path: PERIODS,
    after,
    times: 1,
    respond: (_seen, own) => ({ ...own, body: change(own.body as V2Body) }),
  });
}

describe('attendance periods of v2', () => {
  test.each([
    { name: 'absolute links', relative: false, perPage: 100, pageSize: 200 },
    { name: 'relative links', relative: true, perPage: 100, pageSize: 200 },
    { name: 'a server that grants 37 of 100', relative: false, perPage: 37, pageSize: 200 },
    { name: 'pages of 20', relative: false, perPage: 100, pageSize: 20 },
  ])('are read completely across segments, with $name', async ({ relative, perPage, pageSize }) => {
    const { fake, api } = await startCompany();
    Object.assign(fake.behaviour, { hasRelativeLinks: relative, attendancePeriodsPerPage: perPage });
    const { records, restartReason, segments } = await readWhole(api, 'attendances', 3, pageSize);
    expect(restartReason).toBeNull();
    expect(new Set(toIds(records)).size).toBe(countPeriods(fake));
    expect(records).toHaveLength(countPeriods(fake));
    expect(segments).toBeGreaterThan(1);
  });

  test('are read in pages of 50 when the server refuses 100', async () => {
    const { fake, api } = await startCompany();
    fake.behaviour.fault = ({ path, query }) =>
      path === PERIODS && query.get('limit') === '100' ? { status: 400, body: {} } : undefined;
    expect((await readWhole(api, 'attendances')).records).toHaveLength(countPeriods(fake));
  });

  test('have their own token, exchanged once with a form', async () => {
    const { fake, api } = await startCompany();
    await readWhole(api, 'attendances');
    const exchanges = fake.log.filter(({ method }) => method === 'POST');
    expect(exchanges.map(({ path, query, status }) => ({ path, query, status }))).toEqual([
      { path: '/v2/auth/token', query: '', status: 200 },
    ]);
  });

  test('exchange an expired token once and continue the read', async () => {
    const { fake, api } = await startCompany();
    await readWhole(api, 'departments');
    fake.expireTokens();
    expect((await readWhole(api, 'attendances')).restartReason).toBeNull();
    expect(fake.log.filter(({ path }) => path === '/v2/auth/token')).toHaveLength(2);
  });

  const brokenChains: readonly { readonly name: string; readonly change: (body: V2Body) => unknown; want: RegExp }[] = [
    {
      name: 'a page that repeats a record',
      change: (body) => ({ ...body, _data: [...body._data, ...body._data] }),
      want: /^a record came twice/,
    },
    {
      name: 'a full page with a link that was followed before',
      change: (body) => body,
      want: /next link leads back after/,
    },
  ];
  test.each(brokenChains)('must be read again after $name', async ({ change, want }) => {
    const { fake, api } = await startCompany();
    let second = '';
    spoil(fake, 0, (body) => {
      second = body._meta.links.next?.href ?? '';
      return body;
    });
    spoil(fake, 1, (body) => ({ ...(change(body) as V2Body), _meta: { links: { next: { href: second } } } }));
    const { restartReason } = await readWhole(api, 'attendances', 50);
    expect(restartReason).toMatch(want);
  });

  test('end at an empty page that leads back to itself', async () => {
    const { fake, api } = await startCompany();
    let here = '';
    spoil(fake, 0, (body) => {
      here = body._meta.links.next?.href ?? '';
      return body;
    });
    spoil(fake, 1, (body) => ({ ...body, _data: [], _meta: { links: { next: { href: here } } } }));
    expect(await readWhole(api, 'attendances', 50)).toMatchObject({ restartReason: null });
  });

  test.each([
    { name: 'another server', href: 'https://elsewhere.example/v2/attendance-periods?cursor=1' },
    { name: 'another path', href: '/v2/persons?cursor=1' },
  ])('do not follow a link to $name', async ({ href }) => {
    const { fake, api } = await startCompany();
    spoil(fake, 0, (body) => ({ ...body, _meta: { links: { next: { href } } } }));
    const error = await catchFailure(readWhole(api, 'attendances'));
    expect(error.type).toBe('PersonioMalformedAnswer');
    expect(error.message).not.toContain('elsewhere');
    expect(fake.log.filter(({ path }) => path === PERIODS)).toHaveLength(1);
  });

  test('without their scope are a missing permission after one more exchange', async () => {
    const { fake, api } = await startCompany();
    fake.behaviour.v2Scopes = new Set();
    const error = await catchFailure(readWhole(api, 'attendances'));
    expect(error).toMatchObject({ type: 'PersonioPermissionMissing', status: 403 });
    expect(fake.countRequests()).toBe(4);
    expect(shouldFallBack(error, { endpoint: 'attendances', source: 'v2' })).toBe(false);
  });

  test('are mapped as those of v1, without the comment', async () => {
    const { fake, api } = await startCompany();
    const period = {
      id: 'b1',
      type: 'WORK',
      person: { id: 4711 },
      comment: 'A private remark',
      project: { id: 'p1' },
      start: { date_time: '2026-11-09T22:00:00' },
      end: { date_time: '2026-11-10T06:00:00' },
      attribution_date: '2026-11-09',
      approval: { status: 'PENDING' },
      updated_at: '2026-11-10T05:00:00',
    };
    const body = { _data: [period, { ...period, id: 'b2', end: null, attribution_date: null }], _meta: {} };
    fake.behaviour.fault = ({ path }): FakeResponse | undefined =>
      path === PERIODS ? { status: 200, body } : undefined;
    const { records } = await readWhole(api, 'attendances');
    expect(records[0]).toEqual({
      periodId: 'b1',
      periodIdV2: 'b1',
      employeeId: '4711',
      date: '2026-11-09',
      startTime: '22:00',
      endTime: '06:00',
      breakMinutes: null,
      status: 'pending',
      project: 'p1',
      isHoliday: null,
      isOnTimeOff: null,
      updatedAt: '2026-11-10T05:00:00.000Z',
      span: { kind: 'work', startsAt: '2026-11-09T22:00', endsAt: '2026-11-10T06:00' },
    });
    expect(records[1]).toMatchObject({ periodId: 'b2', date: '2026-11-09', endTime: null });
  });
});

describe('org units of v2', () => {
  test('become departments', async () => {
    const { fake, api } = await startCompany();
    const { records } = await readWhole(api, 'departments');
    expect(records).toEqual(
      fake.company.departments.map(({ id, name }) => ({
        recordId: String(id),
        departmentId: String(id),
        name,
        parentId: null,
      })),
    );
  });

  test.each([
    { name: 'missing', arrange: { hasOrgUnits: false } },
    { name: 'not permitted', arrange: { v2Scopes: new Set<string>() } },
  ])('$name: the employees serve instead', async ({ arrange }) => {
    const { fake, api } = await startCompany();
    Object.assign(fake.behaviour, arrange);
    const error = await catchFailure(readWhole(api, 'departments'));
    expect(shouldFallBack(error, { endpoint: 'departments', source: 'v2' })).toBe(true);
  });
});
