import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { addDays } from '../../../src/domain/zones.js';
import { Attendances } from '../../../src/fake-personio/attendances.js';
import { Company, getStatus } from '../../../src/fake-personio/company.js';
import type { DemoEmployee } from '../../../src/fake-personio/company.js';
import { startFakePersonio } from '../../../src/fake-personio/server.js';

const TODAY = '2026-11-20';
const TOMORROW = '2026-11-21';

function createCompany(employees = 250, seed = 1): Company {
  return new Company({ employees, seed, foundedOn: TODAY });
}

/** Copies the employees, since advancing a day changes the objects. */
function copyEmployees(company: Company): ReadonlyMap<number, DemoEmployee> {
  return new Map(company.employees.map((person) => [person.id, { ...person }]));
}

describe('a demo company', () => {
  test('is the same for the same seed', () => {
    expect(createCompany(250, 7).employees).toEqual(createCompany(250, 7).employees);
    const [one, two] = [createCompany(), createCompany()];
    one.advanceDay(TOMORROW);
    two.advanceDay(TOMORROW);
    expect(one.employees).toEqual(two.employees);
  });

  test('differs for another seed', () => {
    expect(createCompany(50, 1).employees).not.toEqual(createCompany(50, 2).employees);
  });

  test('has the requested size and ascending ids', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 120 }), fc.integer(), (employees, seed) => {
        const company = createCompany(employees, seed);
        const ids = company.employees.map(({ id }) => id);
        expect(company.size).toBe(employees);
        expect([...new Set(ids)].sort((a, b) => a - b)).toEqual(ids);
      }),
      { numRuns: 50 },
    );
  });

  test('of 250 employees has all four statuses', () => {
    const statuses = new Set(createCompany().employees.map((person) => getStatus(person, TODAY)));
    expect([...statuses].sort()).toEqual(['active', 'inactive', 'leave', 'onboarding']);
  });

  test('has dates in a plausible order, and supervisors who exist', () => {
    const company = createCompany();
    for (const { hireDate, terminationDate, lastWorkingDay, supervisorId } of company.employees) {
      if (terminationDate !== null) {
        expect((hireDate ?? '') < terminationDate).toBe(true);
        expect((lastWorkingDay ?? '') <= terminationDate).toBe(true);
      }
      if (supervisorId !== null) expect(company.find(supervisorId)).toBeDefined();
    }
  });
});

describe('a day in the company', () => {
  test.each([1, 2, 3, 4, 5])('has one joiner, one mover and one leaver (seed %i)', (seed) => {
    const company = createCompany(250, seed);
    const before = copyEmployees(company);
    company.advanceDay(TOMORROW);
    const joiners = company.employees.filter(({ id }) => !before.has(id));
    expect(joiners).toHaveLength(1);
    expect(joiners[0]).toMatchObject({ hireDate: TOMORROW, terminationDate: null, lastWorkingDay: null });
    expect(joiners.map((person) => getStatus(person, TOMORROW))).toEqual(['active']);

    const changed = company.employees.filter(
      (person) => before.has(person.id) && JSON.stringify(person) !== JSON.stringify(before.get(person.id)),
    );
    const leavers = changed.filter(({ id, lastWorkingDay }) => lastWorkingDay !== before.get(id)?.lastWorkingDay);
    expect(leavers).toHaveLength(1);
    expect(leavers[0]).toMatchObject({ lastWorkingDay: TODAY, terminationDate: TODAY });
    expect(leavers.map((person) => getStatus(person, TOMORROW))).toEqual(['inactive']);

    const movers = changed.filter((person) => !leavers.includes(person));
    expect(movers).toHaveLength(1);
    const [mover] = movers;
    expect(mover?.department?.id).not.toBe(before.get(mover?.id ?? 0)?.department?.id);
    expect(mover?.position).not.toBe(before.get(mover?.id ?? 0)?.position);
    expect(company.size).toBe(before.size + 1);
  });

  test('that is repeated lets nobody leave before their first day', () => {
    const company = createCompany(2, 1);
    for (let times = 0; times < 20; times++) company.advanceDay(TOMORROW);
    for (const { hireDate, lastWorkingDay } of company.employees) {
      if (lastWorkingDay !== null) expect((hireDate ?? '') <= lastWorkingDay).toBe(true);
    }
  });

  test('only adds a joiner to a company without employees', () => {
    const company = createCompany(0);
    company.advanceDay(TOMORROW);
    expect(company.employees).toMatchObject([{ hireDate: TOMORROW, terminationDate: null }]);
  });
});

describe('attendances', () => {
  const attendances = new Attendances(createCompany(40), () => TODAY);

  test('are the same for each request', () => {
    const week = attendances.listBetween('2026-11-09', '2026-11-13');
    const days = [0, 1, 2, 3, 4].map((day) => addDays('2026-11-09', day));
    expect(days.flatMap((day) => attendances.listBetween(day, day))).toEqual(week);
    expect(new Set(week.map(({ id }) => id)).size).toBe(week.length);
  });

  test('exclude weekends and end yesterday', () => {
    const dates = new Set(attendances.listBetween('2026-11-13', '2026-12-31').map(({ date }) => date));
    expect([...dates]).toEqual(['2026-11-13', '2026-11-16', '2026-11-17', '2026-11-18', '2026-11-19']);
  });

  test('exclude deleted periods', () => {
    const [first] = attendances.listBetween('2026-11-16', '2026-11-16');
    attendances.deleted.add(first?.id ?? 0);
    expect(attendances.listBetween('2026-11-16', '2026-11-16')).not.toContainEqual(first);
  });
});

describe('the server', () => {
  test('answers 401 without a token, 403 with a wrong one, 429 beyond the limit', async () => {
    const fake = await startFakePersonio({ employees: 1, seed: 1, foundedOn: TODAY });
    try {
      const fetchStatus = async (headers: Readonly<Record<string, string>>): Promise<number> =>
        (await fetch(`${fake.url}/v1/company/employees`, { headers })).status;
      expect(await fetchStatus({})).toBe(401);
      expect(await fetchStatus({ authorization: 'Bearer papi-wrong' })).toBe(403);
      const answer = await fetch(`${fake.url}/v1/auth`, {
        method: 'POST',
        body: new URLSearchParams({ client_id: 'id', client_secret: 'secret' }),
      });
      const { data } = (await answer.json()) as { readonly data: { readonly token: string } };
      const authorization = `Bearer ${data.token}`;
      expect(await fetchStatus({ authorization })).toBe(200);
      fake.behaviour.employeesPerSecond = 0;
      expect(await fetchStatus({ authorization })).toBe(429);
      fake.expireTokens();
      expect(await fetchStatus({ authorization })).toBe(403);
    } finally {
      await fake.close();
    }
  });

  test('accepts no credentials from the query string', async () => {
    const fake = await startFakePersonio({ employees: 1, seed: 1, foundedOn: TODAY });
    try {
      const { status } = await fetch(`${fake.url}/v1/auth?client_id=id&client_secret=secret`, { method: 'POST' });
      expect(status).toBe(403);
    } finally {
      await fake.close();
    }
  });
});
