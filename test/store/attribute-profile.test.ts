import { afterEach, describe, expect, test } from '@jest/globals';
import type { EmployeeRecord } from '../../src/domain/records.js';
import { listCurrentAlarms } from '../../src/store/employees/attribute-profile.js';
import type { Database } from '../../src/store/database.js';
import { createMigratedDatabase } from '../support/database.js';
import { createPolicy } from '../support/policy.js';
import { commitCompany, employee } from '../support/staging.js';

const policy = createPolicy();
const opened: Database[] = [];
afterEach(async () => {
  await Promise.all(opened.splice(0).map(async (database) => database.close()));
});

async function createDatabase(): Promise<Database> {
  const database = await createMigratedDatabase();
  opened.push(database);
  return database;
}

const company = (count: number, more: (id: number) => Partial<EmployeeRecord> = () => ({})): EmployeeRecord[] =>
  Array.from({ length: count }, (_, index) => employee(index + 1, more(index + 1)));

const inactive = { status: 'inactive', terminationDate: '2024-01-31' };

describe('the attribute profile', () => {
  test('counts the records that have each attribute', async () => {
    const database = await createDatabase();
    const half = company(10, (id) => ({
      ...(id > 4 ? { absentAttributes: ['team'], team: null } : {}),
      attributes: id === 1 ? { custom_one: 'x' } : {},
    }));
    await commitCompany(database, policy, half);
    const rows = await database.query(
      `select attribute, records, of_records, withdrawn_since
       from personio.attribute_profile
       where attribute in ('team', 'email', 'custom_one')
       order by attribute`,
    );
    expect(rows).toEqual([
      { attribute: 'custom_one', records: 1, of_records: 10, withdrawn_since: null },
      { attribute: 'email', records: 10, of_records: 10, withdrawn_since: null },
      { attribute: 'team', records: 4, of_records: 10, withdrawn_since: null },
    ]);
    expect(await listCurrentAlarms(database, 'default')).toEqual([]);
  });

  test('a withdrawn attribute raises an alarm until it returns, and emits no event', async () => {
    const database = await createDatabase();
    await commitCompany(database, policy, company(10));
    const without = company(10, () => ({ absentAttributes: ['department'], department: null, departmentId: null }));
    const { result } = await commitCompany(database, policy, without);
    expect(result?.message).toMatch(/Personio no longer returns department for any of the 10 employees/);
    const [alarm] = await listCurrentAlarms(database, 'default');
    expect(alarm).toMatchObject({ code: 'attributes-withdrawn', attributes: ['department'] });
    expect(alarm?.action).toMatch(/Settings > Integrations > API credentials, .*"Department"/);
    expect(await database.query('select distinct department from personio.employees')).toEqual([
      { department: 'Engineering' },
    ]);
    expect(await database.query('select 1 from personio.lifecycle_events')).toEqual([]);
    const withdrawn = `select attribute from personio.attribute_profile where withdrawn_since is not null`;
    expect(await database.query(withdrawn)).toEqual([{ attribute: 'department' }]);
    await commitCompany(database, policy, company(10));
    expect(await listCurrentAlarms(database, 'default')).toEqual([]);
    expect(await database.query(withdrawn)).toEqual([]);
  });

  test('a missing attribute raises an alarm only if it is needed', async () => {
    const database = await createDatabase();
    await commitCompany(
      database,
      policy,
      company(10, () => ({ absentAttributes: ['cost_centers', 'hire_date'], hireDate: null, costCenters: null })),
    );
    expect(await listCurrentAlarms(database, 'default')).toMatchObject([
      { code: 'attributes-missing', attributes: ['hire_date'] },
    ]);
  });

  test('an attribute that the policy no longer stores raises no alarm', async () => {
    const database = await createDatabase();
    const custom = company(10, () => ({ attributes: { dynamic_1: 'x' } }));
    await commitCompany(database, createPolicy('attributes: { store: [standard, dynamic_1] }'), custom);
    await commitCompany(database, policy, company(10));
    expect(await listCurrentAlarms(database, 'default')).toEqual([]);
  });

  test.each([
    { name: 'a small company without any raises no alarm', people: 99, before: false, alarm: false },
    { name: 'a large company without any raises an alarm', people: 100, before: false, alarm: true },
    { name: 'a company that had some before raises an alarm', people: 20, before: true, alarm: true },
  ])('inactive people: $name', async ({ people, before, alarm }) => {
    const database = await createDatabase();
    if (before) await commitCompany(database, policy, [...company(people), employee(999, inactive)]);
    await commitCompany(database, policy, company(people));
    const codes = (await listCurrentAlarms(database, 'default')).map(({ code }) => code);
    expect(codes).toEqual(alarm ? ['inactive-hidden'] : []);
  });

  test('the read of one person raises no alarm', async () => {
    const database = await createDatabase();
    await commitCompany(database, policy, company(10));
    const one = [employee(1, { absentAttributes: ['email'], email: null })];
    await commitCompany(database, policy, one, { onlyEmployeeId: '1', total: 1 });
    expect(await listCurrentAlarms(database, 'default')).toEqual([]);
  });
});

describe('a status that is empty or unknown', () => {
  test.each([
    { what: 'empty', status: '', people: 11, alarms: 1 },
    { what: 'null', status: null, people: 11, alarms: 1 },
    { what: 'new', status: 'paused', people: 11, alarms: 1 },
    { what: 'empty, for few,', status: '', people: 10, alarms: 0 },
    { what: 'null, and may not be read,', status: null, people: 100, alarms: 0, absentAttributes: ['status'] },
  ])('that is $what raises $alarms alarms, and the run succeeds', async ({ status, people, alarms, ...more }) => {
    const database = await createDatabase();
    await commitCompany(
      database,
      policy,
      company(100, (id) => (id === 100 ? inactive : {})),
    );
    const { result } = await commitCompany(
      database,
      policy,
      company(100, (id) => ({ ...(id === 100 ? inactive : {}), ...(id <= people ? { status, ...more } : {}) })),
    );
    const found = (await listCurrentAlarms(database, 'default')).filter(({ code }) => code === 'status-unknown');
    expect([result?.outcome, found.length]).toEqual(['succeeded', alarms]);
    expect(result?.message.includes(`Of 100 employees, ${people} have an empty or unknown status`)).toBe(alarms > 0);
  });
});
