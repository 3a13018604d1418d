import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Database } from '../../src/store/database.js';
import { verifyAuditLog } from '../../src/store/audit-log.js';
import { erasePerson, isKnownPerson, readmitPerson } from '../../src/store/employees/erasure.js';
import { insertRun } from '../../src/store/runs.js';
import { createStaging, stageRecords } from '../../src/store/staging.js';
import { createMigratedDatabase } from '../support/database.js';
import { createPolicy, createSubscriber } from '../support/policy.js';
import { commitCompany, employee } from '../support/staging.js';

const BY = { actor: 'Ada', reason: 'asked to be forgotten' };
const PERSON = { connectionId: 'default', employeeId: '7' };
const DAY_MS = 86_400_000;
const getDayIn = (days: number): string => new Date(Date.now() + days * DAY_MS).toISOString().slice(0, 10);
const MARKED = { firstName: 'Zyxwv', lastName: 'Marked', email: 'zyxwv@marked.example', attributes: { note: 'zyxwv' } };
const policy = { ...createPolicy(), subscribers: [createSubscriber({ events: ['mover.changed', 'leaver.left'] })] };

/** Lists the tables that contain a text: it searches all of them, so that nobody has to remember a new one. */
async function listTablesWith(database: Database, mark: string): Promise<readonly string[]> {
  const tables = await database.query<{ name: string }>(
    `select format('%I.%I', schemaname, tablename) as name
     from pg_tables
     where schemaname in ('personio', 'personio_staging')
     order by name`,
  );
  const found: string[] = [];
  for (const { name } of tables) {
    const rows = await database.query(`select from ${name} as searched where to_jsonb(searched)::text ilike $1`, [
      `%${mark}%`,
    ]);
    if (rows.length > 0) found.push(name);
  }
  return found;
}

describe.each(['oldest', 'newest'] as const)('erasing a person on the %s PostgreSQL', (which) => {
  let database: Database;
  const others = Array.from({ length: 20 }, (_, index) => employee(100 + index));
  const person = (more = {}): ReturnType<typeof employee> => employee(7, { ...MARKED, ...more });
  const staged = { connectionId: 'default', endpoint: 'employees' as const, runId: 'under-way' };

  beforeAll(async () => {
    database = await createMigratedDatabase(which);
    await commitCompany(database, policy, [person(), ...others]);
    await commitCompany(database, policy, [
      person({ department: 'Zyxwv Secret Department', departmentId: '9' }),
      ...others,
    ]);
    await commitCompany(database, policy, [
      person({ department: 'Zyxwv Secret Department', departmentId: '9', terminationDate: getDayIn(40) }),
      ...others,
    ]);
    await database.run(
      `insert into personio.attendance_periods (connection_id, period_id, employee_id, date, project, changed_at)
       values ('default', '1', '7', '2026-11-02', 'zyxwv', now())`,
    );
    await insertRun(database, staged, new Date().toISOString(), null);
    await createStaging(database, staged);
    await stageRecords(database, staged, { attempt: 1, chunk: null }, { endpoint: 'employees', records: [person()] });
  });
  afterAll(async () => database.close());

  test('the marked person is found in each table before', async () => {
    const found = await listTablesWith(database, 'zyxwv');
    for (const name of ['employees', 'employee_history', 'attendance_periods', 'lifecycle_events'])
      expect(found).toContain(`personio.${name}`);
    expect(found.some((name) => name.startsWith('personio_staging.'))).toBe(true);
  });

  test('leaves no value, only bare facts of due events and an audit log entry', async () => {
    await database.run(
      `update personio.deliveries
       set sent_at = now(), state = 'sent', note = 'zyxwv called'
       where employee_id = '7'
         and event_id in (select event_id from personio.lifecycle_events where state = 'due')`,
    );
    const erasure = await erasePerson(database, PERSON, BY);
    expect(erasure).toMatchObject({ employees: 1, attendances: 1, planned: 1 });
    expect(await listTablesWith(database, 'zyxwv')).toEqual([]);
    expect(await listTablesWith(database, 'marked')).toEqual([]);
    const events = await database.query(
      `select kind, state, changes from personio.lifecycle_events where employee_id = '7' order by kind`,
    );
    expect(events).toEqual([
      expect.objectContaining({ kind: 'leaver.announced', state: 'due' }),
      { kind: 'mover.changed', state: 'due', changes: [{ attribute: 'department' }] },
    ]);
    const deliveries = await database.query(
      `select state, sent_at is not null as told from personio.deliveries where employee_id = '7'`,
    );
    expect(deliveries).toEqual([{ state: 'superseded', told: true }]);
    const [entry] = await database.query('select actor, what, subject from personio.decisions');
    expect(entry).toEqual({ actor: 'Ada', what: 'erase', subject: 'employee 7 of default' });
    expect(await verifyAuditLog(database)).toMatchObject({ decisions: 1, fault: null });
  });

  test('is not undone by the next sync, whose counts add up', async () => {
    const { result } = await commitCompany(database, policy, [person({ position: 'Zyxwv' }), ...others]);
    expect(result).toMatchObject({
      outcome: 'succeeded',
      received: 21,
      inserted: 0,
      updated: 0,
      unchanged: 21,
      missing: 0,
    });
    expect(await listTablesWith(database, 'zyxwv')).toEqual([]);
    expect((await database.query('select from personio.employees')).length).toBe(20);
  });

  test('ends with a readmission, after which the person is new', async () => {
    expect(await readmitPerson(database, PERSON, BY)).toBe(true);
    expect(await readmitPerson(database, PERSON, BY)).toBe(false);
    const { result } = await commitCompany(database, policy, [person(), ...others]);
    expect(result).toMatchObject({ outcome: 'succeeded', inserted: 1 });
    const history = await database.query(`select version from personio.employee_history where employee_id = '7'`);
    expect(history).toEqual([{ version: 1 }]);
    expect((await verifyAuditLog(database)).decisions).toBe(2);
  });

  test('distinguishes unknown from erased people', async () => {
    expect(await isKnownPerson(database, { connectionId: 'default', employeeId: "x'; --" })).toBe(false);
    expect(await isKnownPerson(database, PERSON)).toBe(true);
  });
});
