import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import type { Endpoint } from '../../src/contracts/internal/names.js';
import type { EmployeeRecord, EndpointRecords } from '../../src/domain/records.js';
import { startFakePersonio } from '../../src/fake-personio/server.js';
import type { FakePersonio } from '../../src/fake-personio/server.js';
import type { PersonioApi } from '../../src/personio/api.js';
import { PersonioError } from '../../src/personio/errors.js';
import { readEmployee, readSegment } from '../../src/personio/sources.js';
import { createStandaloneApi } from '../../src/personio/standalone-api.js';

const TODAY = '2026-11-20';
const STANDARD = ['standard'];

let fake: FakePersonio;
let api: PersonioApi;
beforeAll(async () => {
  fake = await startFakePersonio({ employees: 40, seed: 3, foundedOn: TODAY, today: () => TODAY });
  api = createStandaloneApi({ baseUrl: fake.url, clientId: 'id', clientSecret: 'secret' });
});
afterAll(async () => fake.close());
afterEach(() => {
  Object.assign(fake.behaviour, { readable: null, fault: null });
});

/** Reads one page of an endpoint. */
async function read<E extends Endpoint>(
  endpoint: E,
  attributesToStore = STANDARD,
): Promise<readonly EndpointRecords[E][]> {
  const pages = readSegment(api, {
    endpoint,
    source: 'v1',
    pages: 1,
    attributesToStore,
    chunk: endpoint === 'attendances' ? { from: '2026-11-09', to: '2026-11-13' } : null,
    position: { offset: 0, cursor: null, total: null, pageSize: 200 },
  });
  for await (const { records } of pages) return records;
  throw new Error('No page came.');
}

/** Returns why a read of the employees must begin again. */
async function readRestartReason(): Promise<string | null> {
  const position = { offset: 0, cursor: null, total: null, pageSize: 200 };
  const options = { source: 'v1' as const, pages: 1, attributesToStore: STANDARD, chunk: null, position };
  const pages = readSegment(api, { endpoint: 'employees', ...options });
  for await (const page of pages) expect(page.records).toEqual([]);
  return pages.outcome.restartReason;
}

/** Lets the server respond to every list with a raw text. */
function respondWith(text: string): void {
  fake.behaviour.fault = ({ path }) => (path === '/v1/auth' ? undefined : { status: 200, body: text });
}

function respondWithRecords(...records: readonly string[]): void {
  const metadata = `{"total_elements":${records.length},"current_page":0,"total_pages":1}`;
  respondWith(`{"success":true,"metadata":${metadata},"offset":0,"limit":50,"data":[${records.join(',')}]}`);
}

const wrapValue = (value: string, universalId = 'null'): string =>
  `{"label":"Whatever","value":${value},"type":"standard","universal_id":${universalId}}`;

/** @param attributes JSON texts of values, by key. */
function employee(attributes: Readonly<Record<string, string>>): string {
  const all = Object.entries({ id: '7', ...attributes }).map(([key, value]) => `"${key}":${wrapValue(value)}`);
  return `{"type":"Employee","attributes":{${all.join(',')}}}`;
}

async function readOneEmployee(
  attributes: Readonly<Record<string, string>>,
  attributesToStore = STANDARD,
): Promise<EmployeeRecord> {
  respondWithRecords(employee(attributes));
  const [record] = await read('employees', attributesToStore);
  if (record === undefined) throw new Error('No record came.');
  return record;
}

async function catchFailure(promise: Promise<unknown>): Promise<PersonioError> {
  const error: unknown = await promise.then(
    () => null,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(PersonioError);
  return error as PersonioError;
}

describe('absent, null and empty', () => {
  test('an attribute that the credential may not read is absent, not null', async () => {
    const record = await readOneEmployee({ status: '"active"', department: 'null', termination_type: '""' });
    expect(record).toMatchObject({ status: 'active', department: null, departmentId: null, terminationType: null });
    expect(record.hireDate).toBeNull();
    expect(record.absentAttributes).toContain('hire_date');
    expect(record.absentAttributes).toContain('supervisor');
    for (const key of ['status', 'department', 'termination_type']) expect(record.absentAttributes).not.toContain(key);
    expect([...record.absentAttributes].sort()).toEqual(record.absentAttributes);
  });

  test('all typed attributes are absent from a record with an id only', async () => {
    const record = await readOneEmployee({});
    expect(record.employeeId).toBe('7');
    expect(record.absentAttributes).toHaveLength(19);
    expect(record.attributes).toEqual({});
  });

  test('the server leaves out attributes that the credential may not read', async () => {
    fake.behaviour.readable = new Set(['first_name', 'status', 'hire_date']);
    const records = await read('employees');
    expect(records).toHaveLength(40);
    for (const { absentAttributes } of records) {
      expect(absentAttributes).toContain('email');
      for (const key of ['first_name', 'status', 'hire_date']) expect(absentAttributes).not.toContain(key);
    }
  });

  test('nothing is absent when the credential may read everything', async () => {
    for (const { absentAttributes } of await read('employees')) expect(absentAttributes).toEqual([]);
  });

  test('other attributes keep their raw value, so null and empty differ', async () => {
    const { attributes } = await readOneEmployee({ probation_period_end: 'null', language: '""', tags: '[]' });
    expect(attributes).toEqual({ probation_period_end: null, language: '', tags: [] });
  });

  test.each(['null', '""', '[]'])('%s is null as a department, office, supervisor, date or text', async (nothing) => {
    const keys = ['department', 'team', 'office', 'subcompany', 'supervisor', 'hire_date', 'position', 'email'];
    const record = await readOneEmployee(Object.fromEntries(keys.map((key) => [key, nothing])));
    expect(record).toMatchObject({
      department: null,
      departmentId: null,
      team: null,
      office: null,
      subcompany: null,
      supervisorId: null,
      hireDate: null,
      position: null,
      email: null,
    });
    for (const key of keys) expect(record.absentAttributes).not.toContain(key);
  });
});

describe('dates', () => {
  test.each([
    ['2020-10-01T00:00:00+02:00', '2020-10-01'],
    ['2020-10-01T00:00:00+0200', '2020-10-01'],
    ['1835-02-01T00:00:00+00:53', '1835-02-01'],
    ['2021-01-01T00:00:00-08:00', '2021-01-01'],
    ['2024-02-29T00:00:00Z', '2024-02-29'],
    ['2024-02-29', '2024-02-29'],
  ])('%s is the calendar day %s in any time zone', async (wire, want) => {
    const keys = ['hire_date', 'contract_end_date', 'termination_date', 'last_working_day'];
    const record = await readOneEmployee(Object.fromEntries(keys.map((key) => [key, `"${wire}"`])));
    expect(record).toMatchObject({
      hireDate: want,
      contractEndDate: want,
      terminationDate: want,
      lastWorkingDay: want,
    });
  });

  test.each(['"9999-12-31T00:00:00+01:00"', '"9000-01-01"'])('%s is no end', async (wire) => {
    const record = await readOneEmployee({ termination_date: wire });
    expect(record.terminationDate).toBeNull();
    expect(record.absentAttributes).not.toContain('termination_date');
    expect(record.unreadable).toBeUndefined();
  });

  test.each([
    '"2024-02-30T00:00:00+01:00"',
    '"2023-02-29"',
    '"soon"',
    '"01.10.2020"',
    '"-0001-11-30T00:00:00+00:53"',
    '"0000-00-00"',
    '"20226-11-30T00:00:00+01:00"',
    '"1799-12-31"',
    '"3000-01-01"',
    '20260101',
    '{"date":"2026-01-01"}',
  ])('%s is unreadable: absent from that record', async (wire) => {
    const record = await readOneEmployee({ hire_date: wire, status: '"active"' });
    expect(record).toMatchObject({ employeeId: '7', status: 'active', hireDate: null });
    expect(record.absentAttributes).toContain('hire_date');
    expect(record.unreadable).toEqual({ page: 1, attributes: ['hire_date'] });
  });
});

describe('ids', () => {
  test.each(['7', '"7"'])('%s is the text 7', async (id) => {
    expect(await readOneEmployee({ id })).toMatchObject({ employeeId: '7' });
  });

  test.each(['9007199254740993', '1067807102794692001', '1067807102794692000'])('%s keeps every digit', async (id) => {
    const record = await readOneEmployee({
      id,
      department: `{"type":"Department","attributes":{"id":${id},"name":"IT"}}`,
      supervisor: `{"type":"Employee","attributes":{"id":${wrapValue(id)}}}`,
      cost_centers: `[{"type":"CostCenter","attributes":{"id":${id},"name":"One","percentage":100}}]`,
    });
    expect(record).toMatchObject({ employeeId: id, departmentId: id, supervisorId: id });
    expect(record.costCenters).toEqual([{ id, name: 'One', percentage: 100 }]);
  });

  test('a large id inside a raw attribute keeps every digit; fractions remain numbers', async () => {
    const { attributes } = await readOneEmployee({
      work_schedule: '{"type":"WorkSchedule","attributes":{"id":1067807102794692001,"name":"Full time"}}',
      factor: '0.12345678901234567891',
    });
    expect(attributes).toEqual({
      work_schedule: { type: 'WorkSchedule', attributes: { id: '1067807102794692001', name: 'Full time' } },
      factor: Number('0.12345678901234567891'),
    });
  });

  test('a text that contains JSON with a large id is unchanged', async () => {
    const text = 'see {"id": 1067807102794692001, "other":[1067807102794692001]}';
    const { position, attributes } = await readOneEmployee({
      position: JSON.stringify(text),
      work_schedule: '{"type":"WorkSchedule","attributes":{"id": 1067807102794692001}}',
    });
    expect(position).toBe(text);
    expect(attributes).toMatchObject({ work_schedule: { attributes: { id: '1067807102794692001' } } });
  });

  test.each([
    '{"type":"Employee","attributes":{}}',
    '{"attributes":{"id":{"value":[]}}}',
    '{"id":7}',
    '"text"',
    'null',
  ])('the record %s has no readable id, so the read is incomplete', async (wire) => {
    respondWithRecords(employee({ id: '8' }), wire);
    expect(await readRestartReason()).toBe('record data[1] of page 1 has no readable id');
  });
});

describe('an attribute without its value', () => {
  test.each(['termination_date', 'position', 'department', 'supervisor', 'cost_centers', 'weekly_working_hours'])(
    '%s is unreadable, not empty',
    async (key) => {
      respondWithRecords(
        `{"type":"Employee","attributes":{"id":${wrapValue('7')},"${key}":{"label":"Some label","type":"standard"}}}`,
      );
      const [record] = await read('employees');
      expect(record?.unreadable).toEqual({ page: 1, attributes: [key] });
      expect(record?.absentAttributes).toContain(key);
    },
  );

  test.each([
    ['an object instead of a text', 'position', '{"label":"Position","value":{"name":"Engineer"}}'],
    ['no wrapper', 'first_name', '"Anna"'],
    ['a null wrapper', 'department', 'null'],
  ])('%s is unreadable', async (_name, key, wire) => {
    respondWithRecords(`{"type":"Employee","attributes":{"id":${wrapValue('7')},"${key}":${wire}}}`);
    const [record] = await read('employees');
    expect(record?.unreadable).toEqual({ page: 1, attributes: [key] });
    expect(JSON.stringify(record)).not.toMatch(/Engineer|Anna/);
  });
});

describe('the typed columns', () => {
  test('a supervisor is reduced to the id, in both forms', async () => {
    const full = `{"type":"Employee","attributes":{"id":${wrapValue('42')},"first_name":${wrapValue('"Ada"')}}}`;
    const record = await readOneEmployee({ supervisor: full });
    expect(record.supervisorId).toBe('42');
    expect(JSON.stringify(record)).not.toContain('Ada');
    const bare = '{"type":"Employee","attributes":{"id":42}}';
    expect(await readOneEmployee({ supervisor: bare })).toMatchObject({ supervisorId: '42' });
  });

  test('department, team, office and legal entity are names; departments also have an id', async () => {
    const unit = (id: number, name: string): string => `{"type":"Unit","attributes":{"id":${id},"name":"${name}"}}`;
    const record = await readOneEmployee({
      department: unit(1, 'IT'),
      team: unit(2, 'Core'),
      subcompany: unit(4, 'Example GmbH'),
      // An older specification of offices and teams has only the name.
      office: '{"type":"Office","attributes":{"name":"Berlin"}}',
    });
    expect(record).toMatchObject({
      departmentId: '1',
      department: 'IT',
      team: 'Core',
      office: 'Berlin',
      subcompany: 'Example GmbH',
    });
  });

  test('cost centres have their shares; none is an empty list', async () => {
    const record = await readOneEmployee({
      cost_centers:
        '[{"type":"CostCenter","attributes":{"id":1,"name":"One","percentage":60}},' +
        '{"type":"CostCenter","attributes":{"id":2,"name":"Two","percentage":"40"}}]',
    });
    expect(record.costCenters).toEqual([
      { id: '1', name: 'One', percentage: 60 },
      { id: '2', name: 'Two', percentage: 40 },
    ]);
    expect(await readOneEmployee({ cost_centers: '[]' })).toMatchObject({ costCenters: [] });
    expect(await readOneEmployee({})).toMatchObject({ costCenters: null });
  });

  test.each(['"38.5"', '38.5'])('weekly hours %s are a decimal number as text', async (hours) => {
    expect(await readOneEmployee({ weekly_working_hours: hours })).toMatchObject({ weeklyWorkingHours: '38.5' });
  });

  test('an unknown status is kept', async () => {
    expect(await readOneEmployee({ status: '"sabbatical"' })).toMatchObject({ status: 'sabbatical' });
  });

  test('all typed columns equal the demo company', async () => {
    const records = await read('employees');
    expect(records).toHaveLength(fake.company.size);
    for (const record of records) {
      const person = fake.company.find(Number(record.employeeId));
      expect(record).toMatchObject({
        email: person?.email,
        firstName: person?.firstName,
        lastName: person?.lastName,
        preferredName: person?.preferredName === '' ? null : person?.preferredName,
        position: person?.position,
        department: person?.department?.name ?? null,
        team: person?.team?.name ?? null,
        office: person?.office?.name ?? null,
        subcompany: person?.subcompany.name,
        hireDate: person?.hireDate,
        terminationDate: person?.terminationDate,
        contractEndDate: person?.contractEndDate,
        lastWorkingDay: person?.lastWorkingDay,
        supervisorId: person?.supervisorId === null ? null : String(person?.supervisorId),
        weeklyWorkingHours: person?.weeklyWorkingHours,
      });
    }
  });

  test('one employee can be read by id; 404 is null', async () => {
    const [first] = await read('employees');
    expect(await readEmployee(api, '1001', STANDARD)).toEqual(first);
    expect(await readEmployee(api, '999999', STANDARD)).toBeNull();
  });
});

describe('attributes to store', () => {
  const SENSITIVE = {
    gender: '"female"',
    fix_salary: '50000',
    hourly_salary: '0',
    fix_salary_interval: '"yearly"',
    iban: '"DE02"',
    birthday: '"1990-01-01"',
    nationality: '"DE"',
    tax_id: '"1"',
    tax_class: '"I"',
    health_insurance: '"X"',
    marital_status: '"married"',
    number_of_children: '2',
    religious_denomination: '"none"',
    bank_name: '"B"',
  };
  const HARMLESS = { probation_period_end: '"2027-01-31T00:00:00+01:00"', profile_picture: 'null' };
  const CUSTOM = { dynamic_7123994: '"P-07"', dynamic_1: '"private"' };
  const all = { ...SENSITIVE, ...HARMLESS, ...CUSTOM };

  test('standard keeps Personio’s own attributes except sensitive ones', async () => {
    const { attributes } = await readOneEmployee(all);
    expect(attributes).toEqual({ probation_period_end: '2027-01-31T00:00:00+01:00', profile_picture: null });
  });

  test('a named custom attribute is kept beside standard', async () => {
    const { attributes } = await readOneEmployee(all, ['standard', 'dynamic_7123994']);
    expect(Object.keys(attributes).sort()).toEqual(['dynamic_7123994', 'probation_period_end', 'profile_picture']);
    expect(attributes['dynamic_7123994']).toBe('P-07');
  });

  test('a sensitive attribute is kept when it is named', async () => {
    expect((await readOneEmployee(all, ['standard', 'gender'])).attributes).toHaveProperty('gender', 'female');
  });

  test('only named attributes are kept without standard', async () => {
    expect((await readOneEmployee(all, ['dynamic_1'])).attributes).toEqual({ dynamic_1: 'private' });
    expect((await readOneEmployee(all, [])).attributes).toEqual({});
  });

  test('an attribute with a sensitive universal id is dropped under any key', async () => {
    const account = `"konto":${wrapValue('"DE02"', '"iban"')}`;
    respondWithRecords(`{"type":"Employee","attributes":{"id":${wrapValue('7')},${account}}}`);
    const [record] = await read('employees');
    expect(record?.attributes).toEqual({});
  });

  test('no sensitive value of the demo company is kept', async () => {
    for (const record of await read('employees')) {
      const person = fake.company.find(Number(record.employeeId));
      const text = JSON.stringify(record);
      // As a whole number, since the id of a work schedule may contain the same digits.
      expect(text).not.toMatch(new RegExp(`\\b${person?.salary ?? ''}\\b`));
      for (const value of [person?.iban, 'gender', 'salary', 'dynamic_']) expect(text).not.toContain(value);
      expect(record.attributes).toHaveProperty('probation_period_end', null);
    }
  });
});

describe('attendances', () => {
  const period = (attributes: string, beside = ''): string =>
    `{"id":1234,${beside}"type":"AttendancePeriod","attributes":{"employee":4711,"date":"2026-11-10",${attributes}}}`;

  test('a period is mapped as documented, without its comment', async () => {
    respondWithRecords(
      period(
        '"id_v2":"bd242cd1","start_time":"09:00","end_time":"18:00:00","break":50,"comment":"A private remark",' +
          '"updated_at":"2026-11-10T16:41:08+01:00","status":"confirmed","is_holiday":false,"is_on_time_off":true,' +
          '"project":{"id":567,"type":"Project","attributes":{"name":"X","active":true}}',
      ),
    );
    expect(await read('attendances')).toEqual([
      {
        periodId: '1234',
        periodIdV2: 'bd242cd1',
        employeeId: '4711',
        date: '2026-11-10',
        startTime: '09:00',
        endTime: '18:00',
        breakMinutes: 50,
        status: 'confirmed',
        project: 'X',
        span: null,
        isHoliday: false,
        isOnTimeOff: true,
        updatedAt: '2026-11-10T15:41:08.000Z',
      },
    ]);
  });

  test.each([
    ['0', false],
    ['1', true],
    ['"0"', false],
    ['"1"', true],
    ['"true"', true],
    ['null', null],
  ])('the boolean %s is %s', async (wire, want) => {
    respondWithRecords(period(`"start_time":null,"end_time":null,"is_holiday":${wire},"is_on_time_off":${wire}`));
    expect(await read('attendances')).toMatchObject([{ isHoliday: want, isOnTimeOff: want, endTime: null }]);
  });

  test('the v2 id may also stand outside the attributes', async () => {
    respondWithRecords(period('"start_time":"09:00"', '"id_v2":"outer",'));
    expect(await read('attendances')).toMatchObject([{ periodIdV2: 'outer', endTime: null, breakMinutes: null }]);
  });

  test.each([
    ['a list of projects', '[{"id":1,"attributes":{"name":"First"}},{"id":2,"attributes":{"name":"Second"}}]', 'First'],
    ['an empty list', '[]', null],
    ['null', 'null', null],
  ])('%s becomes %s', async (_name, wire, want) => {
    respondWithRecords(period(`"project":${wire}`));
    expect(await read('attendances')).toMatchObject([{ project: want }]);
  });

  test('a moment may have an offset without a colon', async () => {
    respondWithRecords(period('"updated_at":"2017-12-27T00:00:00+0100"'));
    expect(await read('attendances')).toMatchObject([{ updatedAt: '2017-12-26T23:00:00.000Z' }]);
  });

  test('comments of the demo company appear in no record', async () => {
    const records = await read('attendances');
    expect(records.length).toBeGreaterThan(50);
    expect(JSON.stringify(records)).not.toMatch(/comment|private/i);
  });

  test.each([
    ['"start_time":"25:61"', 'start_time', { startTime: null }],
    ['"start_time":"24:30"', 'start_time', { startTime: null }],
    ['"end_time":"early"', 'end_time', { endTime: null }],
    ['"break":-5', 'break', { breakMinutes: null }],
    ['"updated_at":"+020226-01-01T00:00:00Z"', 'updated_at', { updatedAt: null }],
    ['"employee":null', 'employee', { employeeId: null }],
    ['"date":null', 'date', { date: null }],
    ['"date":"9999-12-31"', 'date', { date: null }],
  ])('%s is unreadable', async (wire, attribute, fields) => {
    respondWithRecords(period(wire));
    const want = { ...fields, periodId: '1234', unreadable: { page: 1, attributes: [attribute] } };
    expect(await read('attendances')).toMatchObject([want]);
  });

  test('24:00 is the end of a day', async () => {
    respondWithRecords(period('"end_time":"24:00"'));
    expect(await read('attendances')).toMatchObject([{ endTime: '24:00' }]);
  });
});

describe('time-off types and departments', () => {
  test('a type is mapped as documented, with 0 and 1 as booleans', async () => {
    const types = await read('time-off-types');
    expect(types).toHaveLength(5);
    expect(types.slice(0, 2)).toEqual([
      { timeOffTypeId: '901', name: 'Paid vacation', category: 'paid_vacation', unit: 'day', approvalRequired: true },
      { timeOffTypeId: '902', name: 'Sick leave', category: 'sick_leave', unit: 'day', approvalRequired: false },
    ]);
    expect(types.at(-1)).toMatchObject({ category: null });
  });

  test.each([
    '{"type":"Department","attributes":{"id":401,"name":"IT","parent_id":400}}',
    '{"id":401,"type":"Department","attributes":{"name":"IT","parent_id":"400"}}',
    '{"id":"401","name":"IT","parent_id":400}',
  ])('%s is a department', async (wire) => {
    respondWithRecords(wire);
    expect(await read('departments')).toEqual([{ recordId: '401', departmentId: '401', name: 'IT', parentId: '400' }]);
  });
});

describe('responses that are not JSON', () => {
  const SECRET = 'Anna Musterfrau';

  test.each([
    ['an HTML page', `<!doctype html><p>${SECRET}</p>`, 'is a web page, not JSON'],
    ['truncated JSON', `{"success":true,"data":[{"first_name":{"value":"${SECRET}"`, 'is not JSON'],
    ['truncated JSON with a large number', `{"data":[1067807102794692000,"${SECRET}`, 'is not JSON'],
    ['nothing, as with 204', '', 'is empty'],
  ])('%s may pass, and the message names the base URL', async (_name, text, problem) => {
    respondWith(text);
    const error = await catchFailure(read('employees'));
    expect(error).toMatchObject({ type: 'PersonioMalformedAnswer', isTransient: true });
    expect(error.message).toContain(`GET /v1/company/employees (page 1) ${problem}.`);
    expect(error.message).toContain('check that PERSONIO_BASE_URL is the address');
    expect(`${error.message}${error.stack ?? ''}${JSON.stringify(error)}`).not.toContain(SECRET);
  });
});

describe('responses that do not match the documentation', () => {
  const SECRET = 'Anna Musterfrau';

  test.each([
    ['a list', `["${SECRET}"]`, 'the body has an unexpected form (invalid_type)'],
    ['no data', `{"success":true,"note":"${SECRET}"}`, 'data has an unexpected form (invalid_type)'],
    ['data that is not a list', `{"data":"${SECRET}"}`, 'data has an unexpected form (invalid_type)'],
    [
      'a total that is not a number',
      `{"data":[],"metadata":{"total_elements":"${SECRET}"}}`,
      'metadata.total_elements has an unexpected form (invalid_union)',
    ],
  ])('%s is reported without its content', async (_name, text, problem) => {
    respondWith(text);
    const error = await catchFailure(read('employees'));
    expect(error).toMatchObject({ type: 'PersonioMalformedAnswer', status: null, isTransient: false });
    expect(error.message).toContain(`GET /v1/company/employees (page 1) does not match its documentation: ${problem}.`);
    expect(`${error.message}${error.stack ?? ''}${JSON.stringify(error)}`).not.toContain(SECRET);
  });
});
