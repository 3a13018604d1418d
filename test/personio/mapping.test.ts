import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import type { Endpoint } from '../../src/contracts/internal/names.js';
import type { EmployeeRecord, StagedRecords } from '../../src/domain/records.js';
import { startFakePersonio } from '../../src/fake-personio/server.js';
import type { FakePersonio } from '../../src/fake-personio/server.js';
import type { PersonioApi } from '../../src/personio/api.js';
import { PersonioError } from '../../src/personio/errors.js';
import { readEmployee, readSegment } from '../../src/personio/sources.js';
import { createUnsharedApi } from '../../src/personio/unshared.js';

const TODAY = '2026-11-20';
const STANDARD = ['standard'];

let fake: FakePersonio;
let api: PersonioApi;
beforeAll(async () => {
  fake = await startFakePersonio({ employees: 40, seed: 3, foundedOn: TODAY, today: () => TODAY });
  api = createUnsharedApi({ baseUrl: fake.url, clientId: 'id', clientSecret: 'secret' });
});
afterAll(async () => fake.close());
afterEach(() => {
  Object.assign(fake.behaviour, { readable: null, fault: null });
});

type RecordsOf<E extends Endpoint> = Extract<StagedRecords, { endpoint: E }>['records'];

/** Reads one page of an endpoint. */
async function read<E extends Endpoint>(endpoint: E, attributesToStore = STANDARD): Promise<RecordsOf<E>> {
  let staged: StagedRecords | null = null;
  await readSegment(api, {
    endpoint,
    source: 'v1',
    pages: 1,
    attributesToStore,
    chunk: endpoint === 'attendances' ? { from: '2026-11-09', to: '2026-11-13' } : null,
    position: { offset: 0, cursor: null, total: null, pageSize: 200 },
    onPage: async (page) => {
      staged = page;
      return Promise.resolve();
    },
  });
  const page = staged as StagedRecords | null;
  if (page?.endpoint !== endpoint) throw new Error('No page came.');
  return page.records as unknown as RecordsOf<E>;
}

/** Lets the server answer every list with one raw text. */
function answerWith(text: string): void {
  fake.behaviour.fault = ({ path }) => (path === '/v1/auth' ? undefined : { status: 200, body: text });
}

function answerRecords(...records: readonly string[]): void {
  const metadata = `{"total_elements":${records.length},"current_page":0,"total_pages":1}`;
  answerWith(`{"success":true,"metadata":${metadata},"offset":0,"limit":50,"data":[${records.join(',')}]}`);
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
  answerRecords(employee(attributes));
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
  test('what the credential may not read is named, and is no null of the company', async () => {
    const record = await readOneEmployee({ status: '"active"', department: 'null', termination_type: '""' });
    expect(record).toMatchObject({ status: 'active', department: null, departmentId: null, terminationType: null });
    expect(record.hireDate).toBeNull();
    expect(record.absentAttributes).toContain('hire_date');
    expect(record.absentAttributes).toContain('supervisor');
    for (const key of ['status', 'department', 'termination_type']) expect(record.absentAttributes).not.toContain(key);
    expect([...record.absentAttributes].sort()).toEqual(record.absentAttributes);
  });

  test('with the id alone every typed attribute is absent', async () => {
    const record = await readOneEmployee({});
    expect(record.employeeId).toBe('7');
    expect(record.absentAttributes).toHaveLength(19);
    expect(record.attributes).toEqual({});
  });

  test('the server leaves out what the credential may not read', async () => {
    fake.behaviour.readable = new Set(['first_name', 'status', 'hire_date']);
    const records = await read('employees');
    expect(records).toHaveLength(40);
    for (const { absentAttributes } of records) {
      expect(absentAttributes).toContain('email');
      for (const key of ['first_name', 'status', 'hire_date']) expect(absentAttributes).not.toContain(key);
    }
  });

  test('with all allowed nothing is absent', async () => {
    for (const { absentAttributes } of await read('employees')) expect(absentAttributes).toEqual([]);
  });

  test('other attributes stay as Personio sends them, so null and empty differ', async () => {
    const { attributes } = await readOneEmployee({ probation_period_end: 'null', language: '""', tags: '[]' });
    expect(attributes).toEqual({ probation_period_end: null, language: '', tags: [] });
  });

  test.each(['null', '""', '[]'])('%s is no department, office, supervisor, date or text', async (nothing) => {
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
  ])('%s is the calendar day %s, wherever this runs', async (wire, want) => {
    const keys = ['hire_date', 'contract_end_date', 'termination_date', 'last_working_day'];
    const record = await readOneEmployee(Object.fromEntries(keys.map((key) => [key, `"${wire}"`])));
    expect(record).toMatchObject({
      hireDate: want,
      contractEndDate: want,
      terminationDate: want,
      lastWorkingDay: want,
    });
  });

  test.each(['2024-02-30T00:00:00+01:00', '2023-02-29', 'soon', '01.10.2020'])(
    '%s is malformed and stands in no message',
    async (wire) => {
      const error = await catchFailure(readOneEmployee({ hire_date: `"${wire}"` }));
      expect(error.type).toBe('PersonioMalformedAnswer');
      expect(error.message).toContain('data[0].attributes.hire_date');
      expect(error.message).not.toContain(wire);
    },
  );
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

  test('a large id inside a raw attribute keeps every digit, and fractions beside it stay numbers', async () => {
    const { attributes } = await readOneEmployee({
      work_schedule: '{"type":"WorkSchedule","attributes":{"id":1067807102794692001,"name":"Full time"}}',
      factor: '0.12345678901234567891',
    });
    expect(attributes).toEqual({
      work_schedule: { type: 'WorkSchedule', attributes: { id: '1067807102794692001', name: 'Full time' } },
      factor: Number('0.12345678901234567891'),
    });
  });

  test('a text that looks like a large id in JSON stays as it is, beside one', async () => {
    const text = 'see {"id": 1067807102794692001, "other":[1067807102794692001]}';
    const { position, attributes } = await readOneEmployee({
      position: JSON.stringify(text),
      work_schedule: '{"type":"WorkSchedule","attributes":{"id": 1067807102794692001}}',
    });
    expect(position).toBe(text);
    expect(attributes).toMatchObject({ work_schedule: { attributes: { id: '1067807102794692001' } } });
  });

  test('an employee without an id is malformed', async () => {
    answerRecords('{"type":"Employee","attributes":{}}');
    const error = await catchFailure(read('employees'));
    expect(error.type).toBe('PersonioMalformedAnswer');
    expect(error.message).toContain('data[0].attributes.id');
  });
});

describe('an attribute without its value', () => {
  test.each(['termination_date', 'position', 'department', 'supervisor', 'cost_centers', 'weekly_working_hours'])(
    '%s is malformed, and not taken for empty',
    async (key) => {
      answerRecords(
        `{"type":"Employee","attributes":{"id":${wrapValue('7')},"${key}":{"label":"Some label","type":"standard"}}}`,
      );
      const error = await catchFailure(read('employees'));
      expect(error.type).toBe('PersonioMalformedAnswer');
      expect(error.message).toContain(`data[0].attributes.${key}.value has an unexpected form`);
    },
  );
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

  test('department, team, office and legal entity are names; only the department has its id beside it', async () => {
    const unit = (id: number, name: string): string => `{"type":"Unit","attributes":{"id":${id},"name":"${name}"}}`;
    const record = await readOneEmployee({
      department: unit(1, 'IT'),
      team: unit(2, 'Core'),
      subcompany: unit(4, 'Example GmbH'),
      // An older specification of offices and teams has the name alone.
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

  test('cost centres come with their shares; none is an empty list', async () => {
    const record = await readOneEmployee({
      cost_centers:
        '[{"type":"CostCenter","attributes":{"id":1,"name":"One","percentage":60}},{"type":"CostCenter","attributes":{"id":2,"name":"Two","percentage":"40"}}]',
    });
    expect(record.costCenters).toEqual([
      { id: '1', name: 'One', percentage: 60 },
      { id: '2', name: 'Two', percentage: 40 },
    ]);
    expect(await readOneEmployee({ cost_centers: '[]' })).toMatchObject({ costCenters: [] });
    expect(await readOneEmployee({})).toMatchObject({ costCenters: null });
  });

  test.each(['"38.5"', '38.5'])('weekly hours %s are a decimal as text', async (hours) => {
    expect(await readOneEmployee({ weekly_working_hours: hours })).toMatchObject({ weeklyWorkingHours: '38.5' });
  });

  test('a status that Personio invents next is taken as it is', async () => {
    expect(await readOneEmployee({ status: '"sabbatical"' })).toMatchObject({ status: 'sabbatical' });
  });

  test('the company is what its server says', async () => {
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

  test('one person is read alone, and 404 is nobody', async () => {
    const [first] = await read('employees');
    expect(await readEmployee(api, '1001', STANDARD)).toEqual(first);
    expect(await readEmployee(api, '999999', STANDARD)).toBeNull();
  });
});

describe('what may be stored', () => {
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

  test('standard keeps Personio’s own attributes, without sensitive and custom ones', async () => {
    const { attributes } = await readOneEmployee(all);
    expect(attributes).toEqual({ probation_period_end: '2027-01-31T00:00:00+01:00', profile_picture: null });
  });

  test('a named custom attribute is kept beside standard', async () => {
    const { attributes } = await readOneEmployee(all, ['standard', 'dynamic_7123994']);
    expect(Object.keys(attributes).sort()).toEqual(['dynamic_7123994', 'probation_period_end', 'profile_picture']);
    expect(attributes['dynamic_7123994']).toBe('P-07');
  });

  test('a sensitive attribute is kept only where it is named', async () => {
    expect((await readOneEmployee(all, ['standard', 'gender'])).attributes).toHaveProperty('gender', 'female');
  });

  test('without standard only what is named is kept', async () => {
    expect((await readOneEmployee(all, ['dynamic_1'])).attributes).toEqual({ dynamic_1: 'private' });
    expect((await readOneEmployee(all, [])).attributes).toEqual({});
  });

  test('an attribute whose universal id is sensitive is dropped, whatever its key', async () => {
    const account = `"konto":${wrapValue('"DE02"', '"iban"')}`;
    answerRecords(`{"type":"Employee","attributes":{"id":${wrapValue('7')},${account}}}`);
    const [record] = await read('employees');
    expect(record?.attributes).toEqual({});
  });

  test('nothing sensitive of the made-up company gets through', async () => {
    for (const record of await read('employees')) {
      const person = fake.company.find(Number(record.employeeId));
      const text = JSON.stringify(record);
      // As a whole number: the id of a work schedule may have the same digits within it.
      expect(text).not.toMatch(new RegExp(`\\b${person?.salary ?? ''}\\b`));
      for (const value of [person?.iban, 'gender', 'salary', 'dynamic_']) expect(text).not.toContain(value);
      expect(record.attributes).toHaveProperty('probation_period_end', null);
    }
  });
});

describe('attendances', () => {
  const period = (attributes: string, beside = ''): string =>
    `{"id":1234,${beside}"type":"AttendancePeriod","attributes":{"employee":4711,"date":"2026-11-10",${attributes}}}`;

  test('a period is read as documented, without its comment', async () => {
    answerRecords(
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
    answerRecords(period(`"start_time":null,"end_time":null,"is_holiday":${wire},"is_on_time_off":${wire}`));
    expect(await read('attendances')).toMatchObject([{ isHoliday: want, isOnTimeOff: want, endTime: null }]);
  });

  test('the id of v2 is understood beside the id, too', async () => {
    answerRecords(period('"start_time":"09:00"', '"id_v2":"outer",'));
    expect(await read('attendances')).toMatchObject([{ periodIdV2: 'outer', endTime: null, breakMinutes: null }]);
  });

  test.each([
    ['a list of projects', '[{"id":1,"attributes":{"name":"First"}},{"id":2,"attributes":{"name":"Second"}}]', 'First'],
    ['an empty list', '[]', null],
    ['null', 'null', null],
  ])('%s becomes %s', async (_name, wire, want) => {
    answerRecords(period(`"project":${wire}`));
    expect(await read('attendances')).toMatchObject([{ project: want }]);
  });

  test('the moment of a change is understood without a colon in its offset', async () => {
    answerRecords(period('"updated_at":"2017-12-27T00:00:00+0100"'));
    expect(await read('attendances')).toMatchObject([{ updatedAt: '2017-12-26T23:00:00.000Z' }]);
  });

  test('comments of the made-up company never appear in a record', async () => {
    const records = await read('attendances');
    expect(records.length).toBeGreaterThan(50);
    expect(JSON.stringify(records)).not.toMatch(/comment|private/i);
  });

  test('a period without a date is malformed', async () => {
    answerRecords('{"id":1,"attributes":{"employee":2,"date":null}}');
    expect(await catchFailure(read('attendances'))).toMatchObject({ type: 'PersonioMalformedAnswer' });
  });
});

describe('time-off types and departments', () => {
  test('a type is read as documented, with 0 and 1 as booleans', async () => {
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
    answerRecords(wire);
    expect(await read('departments')).toEqual([{ recordId: '401', departmentId: '401', name: 'IT', parentId: '400' }]);
  });
});

describe('answers that are not what Personio documents', () => {
  const SECRET = 'Anna Musterfrau';
  const cutShort = `{"success":true,"data":[{"type":"Employee","attributes":{"first_name":{"value":"${SECRET}"`;

  test.each([
    ['an HTML error page', `<!doctype html><p>${SECRET}</p>`, 'it is no JSON'],
    ['JSON that is cut short', cutShort, 'it is no JSON'],
    ['JSON with a large number that is cut short', `{"data":[1067807102794692000,"${SECRET}`, 'it is no JSON'],
    ['nothing', '', 'it is no JSON'],
    ['a list', `["${SECRET}"]`, 'the whole has an unexpected form (invalid_type)'],
    ['no data', `{"success":true,"note":"${SECRET}"}`, 'data has an unexpected form (invalid_type)'],
    ['data that is no list', `{"data":"${SECRET}"}`, 'data has an unexpected form (invalid_type)'],
    ['a record that is a text', `{"data":["${SECRET}"]}`, 'data[0] has an unexpected form (invalid_type)'],
    [
      'a total that is no number',
      `{"data":[],"metadata":{"total_elements":"${SECRET}"}}`,
      'metadata.total_elements has an unexpected form (invalid_union)',
    ],
    [
      'an attribute without its wrapper',
      `{"data":[{"attributes":{"id":{"value":7},"first_name":"${SECRET}"}}]}`,
      'data[0].attributes.first_name has an unexpected form (invalid_type)',
    ],
    [
      'an object where a text belongs',
      `{"data":[{"attributes":{"id":{"value":7},"status":{"value":{"a":"${SECRET}"}}}}]}`,
      'data[0].attributes.status.value has an unexpected form (invalid_value)',
    ],
  ])('%s is named without its content', async (_name, text, what) => {
    answerWith(text);
    const error = await catchFailure(read('employees'));
    expect(error).toMatchObject({ type: 'PersonioMalformedAnswer', status: null });
    expect(error.message).toContain(`GET /v1/company/employees is not what it documents: ${what}.`);
    expect(`${error.message}${error.stack ?? ''}${JSON.stringify(error)}`).not.toContain(SECRET);
  });
});
