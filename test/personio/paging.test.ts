import { afterEach, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { ReadPosition, Source } from '../../src/contracts/internal/activities.js';
import type { FailureType } from '../../src/contracts/internal/errors.js';
import type { Endpoint } from '../../src/contracts/internal/names.js';
import type { DayWindow } from '../../src/contracts/internal/sync.js';
import type { StagedRecords } from '../../src/domain/records.js';
import { startFakePersonio } from '../../src/fake-personio/server.js';
import type { FakePersonio, FakeResponse, SeenRequest } from '../../src/fake-personio/server.js';
import { toEmployeeShape } from '../../src/fake-personio/shapes.js';
import type { PersonioApi } from '../../src/personio/api.js';
import { PersonioError } from '../../src/personio/errors.js';
import { readSegment } from '../../src/personio/sources.js';
import { createStandaloneApi } from '../../src/personio/standalone-api.js';

const TODAY = '2026-11-20';
const EMPLOYEES_PATH = '/v1/company/employees';

const started: FakePersonio[] = [];
afterEach(async () => {
  await Promise.all(started.splice(0).map(async (fake) => fake.close()));
});

async function startCompany(employees: number): Promise<FakePersonio> {
  const fake = await startFakePersonio({ employees, seed: 11, foundedOn: TODAY, today: () => TODAY });
  started.push(fake);
  return fake;
}

function createApi(fake: FakePersonio): PersonioApi {
  return createStandaloneApi({ baseUrl: fake.url, clientId: 'id', clientSecret: 'secret' });
}

interface ReadOptions {
  readonly endpoint?: Endpoint;
  readonly source?: Source;
  readonly chunk?: DayWindow;
  readonly pageSize?: number;
  readonly pagesPerSegment?: number;
}

interface ReadResult {
  readonly ids: readonly string[];
  readonly restartReason: string | null;
  readonly total: number | null;
  /** Page size at the end of the last segment. */
  readonly pageSize: number;
  readonly segments: number;
}

/** Reads segment after segment, as a sync does. */
async function readWhole(api: PersonioApi, options: ReadOptions = {}): Promise<ReadResult> {
  const { endpoint = 'employees', source = 'v1', chunk = null, pageSize = 200, pagesPerSegment = 50 } = options;
  const ids: string[] = [];
  let at: ReadPosition = { offset: 0, cursor: null, total: null, pageSize };
  for (let segments = 1; ; segments++) {
    const segment = readSegment(api, {
      endpoint,
      source,
      chunk,
      position: at,
      pages: pagesPerSegment,
      attributesToStore: ['standard'],
    });
    for await (const page of segment) {
      ids.push(...toIds(page));
      at = page.position;
    }
    const { next, restartReason } = segment.outcome;
    if (next === null || restartReason !== null)
      return { ids, restartReason, total: at.total, pageSize: at.pageSize, segments };
    at = next;
  }
}

function toIds(page: StagedRecords): readonly string[] {
  switch (page.endpoint) {
    case 'employees':
      return page.records.map((record) => record.employeeId);
    case 'departments':
      return page.records.map((record) => record.recordId);
    case 'attendances':
      return page.records.map((record) => record.periodId);
    case 'time-off-types':
      return page.records.map((record) => record.timeOffTypeId);
  }
}

const listCompanyIds = (fake: FakePersonio): readonly string[] =>
  fake.company.employees.map((person) => String(person.id));

const getOffset = ({ query }: SeenRequest): number => Number(query.get('offset'));
const getLimit = ({ query }: SeenRequest): number => Number(query.get('limit'));

/** Creates a page of employees, by default with the company's total. */
function createEmployeesPage(
  fake: FakePersonio,
  { offset, count }: { readonly offset: number; readonly count: number },
  total = fake.company.size,
): FakeResponse {
  const data = fake.company.employees
    .slice(offset, offset + count)
    .map((person) => toEmployeeShape(fake.company, person, { readable: fake.behaviour.readable, today: TODAY }));
  return { status: 200, body: { success: true, metadata: { total_elements: total }, data } };
}

interface Condition {
  readonly name: string;
  readonly people: number;
  readonly arrange: (fake: FakePersonio) => void;
  readonly options?: ReadOptions;
  /** `all`: the records equal the company; otherwise the restart reason. */
  readonly want: 'all' | RegExp;
  readonly pageSize?: number;
  /** Number of requests for employees. */
  readonly requests?: number;
}

const CONDITIONS: readonly Condition[] = [
  { name: 'the company has no employees', people: 0, arrange: () => undefined, want: 'all', requests: 1 },
  { name: 'all employees fit into one page', people: 1, arrange: () => undefined, want: 'all', requests: 1 },
  {
    name: 'the server silently shortens pages of 200 to 100',
    people: 250,
    arrange: () => undefined,
    want: 'all',
    pageSize: 100,
  },
  {
    name: 'the server shortens pages to 100, and there are 100 employees',
    people: 100,
    arrange: () => undefined,
    want: 'all',
    requests: 1,
  },
  {
    name: 'the server grants the page size, and the last page is partial',
    people: 250,
    arrange: ({ behaviour }) => (behaviour.employeesPerPage = 200),
    want: 'all',
    pageSize: 200,
    requests: 2,
  },
  {
    name: 'the last page is full',
    people: 298,
    arrange: () => undefined,
    want: 'all',
    pageSize: 100,
    requests: 3,
  },
  {
    name: 'the server refuses 200 with 400 and accepts 100',
    people: 250,
    arrange: ({ behaviour }) => (behaviour.largerPages = 'refused'),
    want: 'all',
    pageSize: 100,
    requests: 4,
  },
  {
    name: 'the server refuses large pages with 422',
    people: 130,
    arrange: ({ behaviour }) => {
      behaviour.fault = (seen) =>
        seen.path === EMPLOYEES_PATH && getLimit(seen) > 50 ? { status: 422, body: {} } : undefined;
    },
    want: 'all',
    pageSize: 50,
  },
  {
    name: 'a page in the middle is short',
    people: 450,
    arrange: (fake) => {
      fake.behaviour.fault = (seen) =>
        getOffset(seen) === 198 ? createEmployeesPage(fake, { offset: 198, count: 37 }) : undefined;
    },
    want: 'all',
  },
  {
    name: 'the pages are read in segments of two',
    people: 450,
    arrange: () => undefined,
    options: { pagesPerSegment: 2 },
    want: 'all',
    pageSize: 100,
    requests: 5,
  },
  {
    name: 'an employee is deleted during the read',
    people: 250,
    arrange: (fake) => {
      fake.behaviour.fault = (seen) => {
        if (getOffset(seen) === 99) fake.company.remove(1_001);
        return undefined;
      };
    },
    want: /^the server's total changed from 250 to 249 /,
  },
  {
    name: 'an employee is deleted between two segments',
    people: 250,
    arrange: (fake) => {
      fake.behaviour.fault = (seen) => {
        if (getOffset(seen) === 198) fake.company.remove(1_001);
        return undefined;
      };
    },
    options: { pagesPerSegment: 2 },
    want: /^the server's total changed from 250 to 249 /,
  },
  {
    name: 'employees are added at the end during the read, on and on',
    people: 250,
    arrange: (fake) => {
      const [model] = fake.company.employees;
      if (model === undefined) throw new TypeError('No employees.');
      let hired = 90_000;
      fake.faults.add({
        path: EMPLOYEES_PATH,
        after: 1,
        times: 5,
        respond: (seen) => {
          fake.company.add({ ...model, id: (hired += 1) });
          return createEmployeesPage(fake, { offset: getOffset(seen), count: 20 });
        },
      });
    },
    options: { pageSize: 20 },
    want: 'all',
  },
  {
    name: 'a page that was in flight before the others has a smaller total',
    people: 250,
    arrange: (fake) => {
      const [model] = fake.company.employees;
      fake.faults.add({
        path: EMPLOYEES_PATH,
        query: { offset: '99' },
        times: 1,
        respond: (_seen, own) => {
          if (model !== undefined) fake.company.add({ ...model, id: 90_001 });
          const body = own.body as { readonly metadata: object };
          return { ...own, body: { ...body, metadata: { ...body.metadata, total_elements: 251 } } };
        },
      });
      fake.faults.add({
        path: EMPLOYEES_PATH,
        query: { offset: '198' },
        times: 1,
        respond: () => createEmployeesPage(fake, { offset: 198, count: 52 }, 250),
      });
    },
    options: { pageSize: 100 },
    want: 'all',
  },
  {
    name: 'the first page has 1 of 1,000 by a hiccup: the next ones are asked for in full',
    people: 1_000,
    arrange: (fake) => {
      fake.behaviour.employeesPerPage = 200;
      fake.faults.add({
        path: EMPLOYEES_PATH,
        times: 1,
        respond: () => createEmployeesPage(fake, { offset: 0, count: 1 }),
      });
    },
    want: 'all',
    pageSize: 200,
    requests: 7,
  },
  {
    name: 'the server names a limit of 4',
    people: 30,
    arrange: ({ behaviour }) => (behaviour.employeesPerPage = 4),
    want: 'all',
    pageSize: 4,
  },
  {
    name: 'an employee is replaced during the read, so that the total is unchanged',
    people: 250,
    arrange: (fake) => {
      fake.behaviour.fault = (seen) => {
        const [first] = fake.company.employees;
        if (getOffset(seen) === 99 && first !== undefined) {
          fake.company.remove(first.id);
          fake.company.add({ ...first, id: 9_999 });
        }
        return undefined;
      };
    },
    want: /^the records shifted after the first 100 /,
  },
  {
    name: 'the total is missing from a later page',
    people: 250,
    arrange: (fake) => {
      fake.behaviour.fault = (seen) => (getOffset(seen) === 198 ? { status: 200, body: { data: [] } } : undefined);
    },
    want: /^the server's total changed from 250 to none /,
  },
  {
    name: 'the first page is empty although the total is not zero',
    people: 250,
    arrange: (fake) => {
      fake.behaviour.fault = (seen) =>
        seen.path === EMPLOYEES_PATH ? createEmployeesPage(fake, { offset: 0, count: 0 }) : undefined;
    },
    want: /^the server sent an empty page after 0 of 250 records$/,
  },
  {
    name: 'a later page is empty before the total is reached',
    people: 250,
    arrange: (fake) => {
      fake.behaviour.fault = (seen) =>
        getOffset(seen) === 198 ? createEmployeesPage(fake, { offset: 198, count: 0 }) : undefined;
    },
    want: /^the server sent an empty page after 199 of 250 records$/,
  },
  {
    name: 'more records come than the total',
    people: 250,
    arrange: (fake) => {
      fake.behaviour.fault = (seen) =>
        seen.path === EMPLOYEES_PATH
          ? createEmployeesPage(fake, { offset: getOffset(seen), count: 100 }, 120)
          : undefined;
    },
    want: /^the server sent 199 records but reports a total of 120$/,
  },
  {
    name: 'records come although the total is zero',
    people: 3,
    arrange: (fake) => {
      fake.behaviour.fault = (seen) =>
        seen.path === EMPLOYEES_PATH ? createEmployeesPage(fake, { offset: 0, count: 3 }, 0) : undefined;
    },
    want: /^the server sent 3 records but reports a total of 0$/,
  },
];

describe('employees, read by the total', () => {
  test.each(CONDITIONS)('$name', async ({ people, arrange, options, want, pageSize, requests }) => {
    const fake = await startCompany(people);
    arrange(fake);
    const api = createApi(fake);
    const read = await readWhole(api, options);
    if (want === 'all') {
      expect(read.restartReason).toBeNull();
      expect(read.ids).toEqual(listCompanyIds(fake));
      expect(read.total).toBe(fake.company.size);
    } else {
      expect(read.restartReason).toMatch(want);
    }
    if (pageSize !== undefined) expect(read.pageSize).toBe(pageSize);
    // The token exchange is one more.
    if (requests !== undefined) expect(api.requests).toBe(requests + 1);
  });

  test('for any page size asked and granted, each employee comes once', async () => {
    const fake = await startCompany(160);
    const everybody = fake.company.employees;
    // Small records: only their ids matter here.
    fake.behaviour.readable = new Set(['status']);
    const setting = fc.record({
      people: fc.integer({ min: 0, max: 160 }),
      asked: fc.integer({ min: 1, max: 200 }),
      granted: fc.integer({ min: 10, max: 120 }),
      largerPages: fc.constantFrom('clamped' as const, 'refused' as const),
      pagesPerSegment: fc.integer({ min: 1, max: 6 }),
      shortPage: fc.record({ offset: fc.integer({ min: 0, max: 160 }), count: fc.integer({ min: 2, max: 9 }) }),
    });
    await fc.assert(
      fc.asyncProperty(setting, async ({ people, asked, granted, largerPages, pagesPerSegment, shortPage }) => {
        for (const { id } of everybody) fake.company.remove(id);
        for (const person of everybody.slice(0, people)) fake.company.add(person);
        Object.assign(fake.behaviour, { employeesPerPage: granted, largerPages });
        fake.behaviour.fault = (seen) =>
          getOffset(seen) === shortPage.offset &&
          shortPage.offset > 0 &&
          getLimit(seen) <= granted &&
          getLimit(seen) > 1
            ? createEmployeesPage(fake, { offset: shortPage.offset, count: Math.min(shortPage.count, getLimit(seen)) })
            : undefined;
        const read = await readWhole(createApi(fake), { pageSize: asked, pagesPerSegment });
        expect(read.restartReason).toBeNull();
        expect(read.ids).toEqual(listCompanyIds(fake));
      }),
      { numRuns: 40 },
    );
  }, 60_000);

  test('a sound read equals the company at one moment, despite changes during the read', async () => {
    const fake = await startCompany(60);
    const everybody = fake.company.employees;
    fake.behaviour.readable = new Set(['status']);
    const change = fc.record({
      atRequest: fc.integer({ min: 2, max: 6 }),
      victim: fc.integer({ min: 0, max: 59 }),
      // Another employee takes the place, and the total is unchanged.
      isReplaced: fc.boolean(),
    });
    const setting = fc.record({
      people: fc.integer({ min: 5, max: 60 }),
      asked: fc.integer({ min: 3, max: 40 }),
      granted: fc.integer({ min: 10, max: 20 }),
      largerPages: fc.constantFrom('clamped' as const, 'refused' as const),
      pagesPerSegment: fc.integer({ min: 1, max: 6 }),
      deletions: fc.array(change, { maxLength: 3 }),
      hires: fc.array(fc.integer({ min: 1, max: 8 }), { maxLength: 1 }),
    });
    let [sound, rejected] = [0, 0];
    await fc.assert(
      fc.asyncProperty(setting, async ({ people, asked, granted, largerPages, pagesPerSegment, deletions, hires }) => {
        for (const { id } of fake.company.employees) fake.company.remove(id);
        for (const person of everybody.slice(0, people)) fake.company.add(person);
        Object.assign(fake.behaviour, { employeesPerPage: granted, largerPages });
        const moments = [listCompanyIds(fake)];
        let requests = 0;
        let hired = 90_000;
        fake.behaviour.fault = ({ path }) => {
          if (path !== EMPLOYEES_PATH) return undefined;
          requests += 1;
          for (const { victim, isReplaced } of deletions.filter(({ atRequest }) => atRequest === requests)) {
            const here = fake.company.employees;
            const gone = here[victim % Math.max(here.length, 1)];
            fake.company.remove(gone?.id ?? 0);
            if (isReplaced && gone !== undefined) fake.company.add({ ...gone, id: (hired += 1) });
            moments.push(listCompanyIds(fake));
          }
          for (const at of hires) {
            const [model] = everybody;
            if (at !== requests || model === undefined) continue;
            fake.company.add({ ...model, id: (hired += 1) });
            moments.push(listCompanyIds(fake));
          }
          return undefined;
        };
        const read = await readWhole(createApi(fake), { pageSize: asked, pagesPerSegment });
        // The gate of the commit: as many distinct ids as the total.
        if (read.restartReason !== null || new Set(read.ids).size !== read.total) {
          rejected += 1;
          return;
        }
        sound += 1;
        expect(moments).toContainEqual(read.ids);
      }),
      { numRuns: 150 },
    );
    expect(Math.min(sound, rejected)).toBeGreaterThan(10);
  }, 60_000);
});

describe('a list without the total that Personio documents', () => {
  test.each<{ endpoint: 'employees' | 'attendances' }>([{ endpoint: 'employees' }, { endpoint: 'attendances' }])(
    '$endpoint are malformed',
    async ({ endpoint }) => {
      const fake = await startCompany(250);
      fake.behaviour.fault = ({ path }) =>
        path === '/v1/auth' ? undefined : { status: 200, body: { success: true, data: [] } };
      const error = await catchFailure(
        readWhole(createApi(fake), { endpoint, chunk: { from: '2026-11-09', to: '2026-11-13' } }),
      );
      expect(error.type).toBe('PersonioMalformedAnswer');
      expect(error.message).toContain('metadata.total_elements is missing');
    },
  );
});

describe('attendances, read by days', () => {
  test('all periods of the window are read when the server shortens pages', async () => {
    const fake = await startCompany(60);
    fake.behaviour.attendancesPerPage = 70;
    const chunk = { from: '2026-11-09', to: '2026-11-13' };
    const read = await readWhole(createApi(fake), { endpoint: 'attendances', chunk });
    const periods = fake.attendances.listBetween(chunk.from, chunk.to).map(({ id }) => String(id));
    expect(periods.length).toBeGreaterThan(200);
    expect(read).toMatchObject({ ids: periods, restartReason: null, total: periods.length, pageSize: 70 });
  });
});

describe('time-off types, read without a total', () => {
  const names = ['901', '902', '903', '904', '905'];
  const toType = (id: string): object => ({ type: 'TimeOffType', attributes: { id: Number(id), name: `Type ${id}` } });
  const createListResponse = (ids: readonly string[]): FakeResponse => ({
    status: 200,
    body: { success: true, data: ids.map(toType) },
  });
  const isBeyondEnd = (seen: SeenRequest): boolean => getOffset(seen) >= names.length;

  test.each<{ name: string; respond: (seen: SeenRequest) => FakeResponse | undefined }>([
    { name: 'the server respects the offset', respond: () => undefined },
    { name: 'the server ignores the offset', respond: () => createListResponse(names) },
    {
      name: 'the server sends two at a time',
      respond: (seen) => createListResponse(names.slice(getOffset(seen), getOffset(seen) + 2)),
    },
    {
      name: 'the last page repeats a record',
      respond: (seen) => createListResponse(getOffset(seen) === 0 ? names : ['905']),
    },
    {
      name: 'the server answers 400 beyond the end',
      respond: (seen) => (isBeyondEnd(seen) ? { status: 400, body: {} } : createListResponse(names)),
    },
    {
      name: 'the server answers 404 beyond the end',
      respond: (seen) => (isBeyondEnd(seen) ? { status: 404, body: {} } : createListResponse(names)),
    },
  ])('$name: every type comes once', async ({ respond }) => {
    const fake = await startCompany(1);
    fake.behaviour.fault = (seen) => (seen.path === '/v1/company/time-off-types' ? respond(seen) : undefined);
    const read = await readWhole(createApi(fake), { endpoint: 'time-off-types' });
    expect(read).toMatchObject({ ids: names, restartReason: null, total: null });
  });

  const many = Array.from({ length: 250 }, (_, index) => String(1_001 + index));
  const isSecondPage = (seen: SeenRequest): boolean => getOffset(seen) >= 199;
  const slicePage = (seen: SeenRequest): FakeResponse =>
    createListResponse(many.slice(getOffset(seen), getOffset(seen) + Math.min(getLimit(seen), 200)));
  const readMany = async (respond: (seen: SeenRequest) => FakeResponse): ReturnType<typeof readWhole> => {
    const fake = await startCompany(1);
    fake.behaviour.fault = (seen) => (seen.path === '/v1/company/time-off-types' ? respond(seen) : undefined);
    return readWhole(createApi(fake), { endpoint: 'time-off-types' });
  };

  test('250 types come on two pages', async () => {
    expect(await readMany(slicePage)).toMatchObject({ ids: many, restartReason: null });
  });

  test.each([
    { status: 400, type: 'PersonioMalformedAnswer' },
    { status: 404, type: 'PersonioEndpointRetired' },
    { status: 413, type: 'PersonioMalformedAnswer' },
    { status: 422, type: 'PersonioMalformedAnswer' },
  ])('$status in place of the second page is no end', async ({ status, type }) => {
    const read = readMany((seen) => (isSecondPage(seen) ? { status, body: {} } : slicePage(seen)));
    expect(await catchFailure(read)).toMatchObject({ type, status });
  });

  test('an empty second page is no end', async () => {
    const read = await readMany((seen) => (isSecondPage(seen) ? createListResponse([]) : slicePage(seen)));
    expect(read.restartReason).toBe('the server sent an empty page after 200 records');
  });

  test('a second page that is empty once is requested again', async () => {
    let spoilt = 0;
    const read = await readMany((seen) => {
      if (isSecondPage(seen)) spoilt += 1;
      return isSecondPage(seen) && spoilt === 1 ? createListResponse([]) : slicePage(seen);
    });
    expect(read).toMatchObject({ ids: many, restartReason: null });
  });

  test('a server that counts pages is read if it has one, and else refused', async () => {
    const listPage = (ids: readonly string[], seen: SeenRequest): FakeResponse => {
      const page = Math.max(getOffset(seen), 1) - 1;
      return createListResponse(ids.slice(page * 200, (page + 1) * 200));
    };
    expect(await readMany((seen) => listPage(names, seen))).toMatchObject({ ids: names, restartReason: null });
    const read = await readMany((seen) => listPage(many, seen));
    expect(read.restartReason).toBe('the server sent an empty page after 200 records');
  });

  test('a list without an end is given up', async () => {
    const fake = await startCompany(1);
    fake.behaviour.fault = (seen) =>
      seen.path === '/v1/company/time-off-types' ? createListResponse([String(getOffset(seen) + 1)]) : undefined;
    const { restartReason } = await readWhole(createApi(fake), { endpoint: 'time-off-types' });
    expect(restartReason).toBe('the server sent 1000 pages without an end');
  });
});

describe('departments', () => {
  test('are read from their endpoint when it exists', async () => {
    const fake = await startCompany(1);
    fake.behaviour.hasDepartments = true;
    const read = await readWhole(createApi(fake), { endpoint: 'departments' });
    expect(read.ids).toEqual(fake.company.departments.map(({ id }) => String(id)));
  });

  test('come from the employees when their endpoint is retired', async () => {
    const fake = await startCompany(130);
    const api = createApi(fake);
    expect(await catchFailure(readWhole(api, { endpoint: 'departments' }))).toMatchObject({
      type: 'PersonioEndpointRetired',
      status: 404,
    });
    const derived = await readWhole(api, { endpoint: 'departments', source: 'employees' });
    expect(derived).toMatchObject({ ids: listCompanyIds(fake), restartReason: null });
  });

  test('cannot come from employees without the department attribute', async () => {
    const fake = await startCompany(3);
    fake.behaviour.readable = new Set(['first_name']);
    const error = await catchFailure(readWhole(createApi(fake), { endpoint: 'departments', source: 'employees' }));
    expect(error).toMatchObject({ type: 'PersonioPermissionMissing' });
    expect(error.message).toContain('"Department"');
  });
});

async function catchFailure(promise: Promise<unknown>): Promise<PersonioError> {
  const error: unknown = await promise.then(
    () => null,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(PersonioError);
  return error as PersonioError;
}

describe('responses without success', () => {
  test.each<{ name: string; response: FakeResponse; type: FailureType; retryAfterMs?: number }>([
    { name: '404', response: { status: 404, body: {} }, type: 'PersonioEndpointRetired' },
    { name: '410', response: { status: 410, body: {} }, type: 'PersonioEndpointRetired' },
    { name: '400 to every size', response: { status: 400, body: {} }, type: 'PersonioMalformedAnswer' },
    { name: '408', response: { status: 408, body: {} }, type: 'PersonioUnavailable' },
    { name: '500', response: { status: 500, body: {} }, type: 'PersonioUnavailable' },
    { name: '504 in HTML', response: { status: 504, body: '<html>Gateway</html>' }, type: 'PersonioUnavailable' },
    { name: '429 without a wait', response: { status: 429, body: {} }, type: 'PersonioRateLimited' },
    {
      name: '429 with a wait',
      response: { status: 429, body: {}, headers: { 'retry-after': '7' } },
      type: 'PersonioRateLimited',
      retryAfterMs: 7_000,
    },
    {
      name: '429 with an endless wait, which is shortened',
      response: { status: 429, body: {}, headers: { 'retry-after': '86400' } },
      type: 'PersonioRateLimited',
      retryAfterMs: 120_000,
    },
    {
      name: 'a redirect, which is not followed',
      response: { status: 302, body: '', headers: { location: 'http://127.0.0.1:9/' } },
      type: 'PersonioMalformedAnswer',
    },
  ])('$name on a later page ends the read as $type', async ({ response, type, retryAfterMs }) => {
    const fake = await startCompany(250);
    fake.behaviour.fault = (seen) => (getOffset(seen) === 99 ? response : undefined);
    const error = await catchFailure(readWhole(createApi(fake)));
    expect(error.type).toBe(type);
    expect(error.retryAfterMs).toBe(retryAfterMs);
  });

  test('an unreachable server is unavailable, and the message has no URL', async () => {
    const fake = await startCompany(1);
    await fake.close();
    const error = await catchFailure(readWhole(createApi(fake)));
    expect(error.type).toBe('PersonioUnavailable');
    expect(error.message).toContain('ECONNREFUSED');
    expect(error.message).not.toMatch(/127\.0\.0\.1|https?:/);
  });
});
