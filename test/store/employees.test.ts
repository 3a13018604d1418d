import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Database } from '../../src/store/database.js';
import { toStagingTable } from '../../src/store/staging.js';
import { findCurrentUnreadable } from '../../src/store/unreadable.js';
import { createMigratedDatabase, countWrites } from '../support/database.js';
import { createPolicy, createSubscriber } from '../support/policy.js';
import { commitCompany, employee } from '../support/staging.js';

const TODAY = new Date().toISOString().slice(0, 10);
const policy = createPolicy();
const CURRENT = ['employees', 'employee_history', 'lifecycle_events', 'deliveries'];

async function createDatabase(which: 'newest' | 'oldest'): Promise<Database> {
  return createMigratedDatabase(which);
}

describe.each(['oldest', 'newest'] as const)('committing employees on the %s PostgreSQL', (which) => {
  let database: Database;
  beforeAll(async () => {
    database = await createDatabase(which);
  });
  afterAll(async () => database.close());

  const company = Array.from({ length: 30 }, (_, index) => employee(index + 1));

  test('the first complete read is the baseline: it inserts people and emits no events', async () => {
    const { result } = await commitCompany(database, policy, company);
    expect(result).toMatchObject({
      outcome: 'succeeded',
      received: 30,
      inserted: 30,
      updated: 0,
      unchanged: 0,
      held: 0,
    });
    expect(await database.query('select 1 from personio.lifecycle_events')).toHaveLength(0);
  });

  test('an unchanged read writes no row', async () => {
    const before = await Promise.all(CURRENT.map(async (table) => countWrites(database, table)));
    const { result } = await commitCompany(database, policy, company);
    expect(result).toMatchObject({ received: 30, inserted: 0, updated: 0, unchanged: 30, missing: 0 });
    expect(await Promise.all(CURRENT.map(async (table) => countWrites(database, table)))).toEqual(before);
  });

  test('a joiner, a mover and a leaver are committed with events and history', async () => {
    const basePolicy = createPolicy();
    const subscribers = [createSubscriber({ events: ['joiner.started', 'mover.changed', 'leaver.left'] })];
    const [mover, leaver, ...others] = company;
    const changed = [
      { ...(mover ?? employee(1)), position: 'Manager' },
      { ...(leaver ?? employee(2)), status: 'inactive', terminationDate: '2024-01-31', lastWorkingDay: '2024-01-31' },
      ...others,
      employee(31, { hireDate: TODAY }),
    ];
    const { result } = await commitCompany(database, { ...basePolicy, subscribers }, changed);
    expect(result).toMatchObject({ outcome: 'succeeded', received: 31, inserted: 1, updated: 2, unchanged: 28 });
    const events = await database.query(
      'select kind, state, sequence, employee_id from personio.lifecycle_events order by sequence',
    );
    expect(events.map((event) => event['kind'] as string).sort()).toEqual([
      'joiner.started',
      'leaver.left',
      'mover.changed',
    ]);
    expect(events.map((event) => event['sequence'] as number)).toEqual([1, 2, 3]);
    expect(await database.query('select 1 from personio.deliveries where state = $1', ['waiting'])).toHaveLength(3);
  });

  test('the state of a person at a moment can be queried', async () => {
    const [history] = await database.query<{ valid_from: string }>(
      `select valid_from from personio.employee_history where employee_id = '1' and valid_to is null`,
    );
    const justBefore = new Date(Date.parse(history?.valid_from ?? '') - 1).toISOString();
    const findHistoryAt = async (moment: string): Promise<unknown> =>
      (
        await database.query(`select position from personio.employees_as_of('default', $1) where employee_id = '1'`, [
          moment,
        ])
      )[0]?.['position'];
    expect(await findHistoryAt(justBefore)).toBe('Engineer');
    expect(await findHistoryAt(new Date(Date.now() + 60_000).toISOString())).toBe('Manager');
  });

  test('a repeated commit, as after a lost result, commits once', async () => {
    const before = await database.query('select version from personio.employees order by employee_id');
    const again = await commitCompany(database, policy, [employee(1, { position: 'Somebody else' })], {
      runId: 'run-of-before',
    });
    const repeated = await commitCompany(database, policy, company, { runId: 'run-of-before' });
    expect(repeated.result).toEqual(again.result);
    expect(before.length).toBeGreaterThan(0);
  });
});

describe('a value that cannot be read', () => {
  let database: Database;
  beforeAll(async () => {
    database = await createDatabase('newest');
  });
  afterAll(async () => database.close());

  test('keeps the last one, is named with its page, and stops no leaver', async () => {
    const leaver = employee(2, { terminationDate: '2099-12-31' });
    await commitCompany(database, policy, [employee(1, { terminationDate: '2099-06-30' }), employee(2), employee(3)]);
    const unreadable = { page: 7, attributes: ['termination_date'] };
    const flawed = employee(1, { absentAttributes: ['termination_date'], unreadable });
    const { result } = await commitCompany(database, policy, [flawed, leaver, employee(3)]);
    expect(result).toMatchObject({ outcome: 'succeeded', received: 3 });
    expect(result?.message).toMatch(/1 record has values that cannot be read/);
    const events = await database.query(
      `select employee_id, kind as type
       from personio.lifecycle_events
       where run_id = $1
       order by 1, 2`,
      [result?.runId],
    );
    expect(events).toEqual([
      { employee_id: '2', type: 'leaver.announced' },
      { employee_id: '2', type: 'leaver.left' },
    ]);
    const [row] = await database.query<{ termination_date: string }>(
      `select termination_date::text from personio.employees where employee_id = '1'`,
    );
    expect(row?.termination_date).toBe('2099-06-30');
    const [run] = await database.query<{ detail: unknown }>('select detail from personio.sync_runs where run_id = $1', [
      result?.runId,
    ]);
    expect(run?.detail).toMatchObject({
      unreadableCount: 1,
      unreadable: [{ id: '1', page: 7, attributes: ['termination_date'] }],
    });
    expect(await findCurrentUnreadable(database, 'default', 'employees')).toMatchObject({ records: 1 });
    await commitCompany(database, policy, [employee(1, { terminationDate: '2099-06-30' }), leaver, employee(3)]);
    expect(await findCurrentUnreadable(database, 'default', 'employees')).toBeNull();
  });
});

describe('reads that are never committed', () => {
  let database: Database;
  beforeAll(async () => {
    database = await createDatabase('newest');
    await commitCompany(
      database,
      policy,
      Array.from({ length: 100 }, (_, index) => employee(index + 1)),
    );
  });
  afterAll(async () => database.close());

  const readTable = async (): Promise<readonly unknown[]> =>
    database.query('select * from personio.employees order by employee_id');

  test('a read with fewer people than Personio reported', async () => {
    const before = await readTable();
    const { incomplete } = await commitCompany(database, policy, [employee(1)], { total: 100 });
    expect(incomplete).toMatch(/received 1 distinct record, but Personio reported 100/);
    expect(await readTable()).toEqual(before);
  });

  test('a staging table that PostgreSQL emptied after a crash', async () => {
    const before = await readTable();
    const run = { connectionId: 'default', endpoint: 'employees' as const, runId: 'run-emptied' };
    const { incomplete } = await commitCompany(database, policy, [], { runId: run.runId, total: 100 });
    expect(incomplete).toMatch(/received 0 distinct records/);
    await database.run(`drop table ${toStagingTable(run)}`);
    expect(await readTable()).toEqual(before);
  });

  test.each([{ state: 'the baseline' }, { state: 'the first read' }])(
    'an empty list after $state',
    async ({ state }) => {
      const own = state === 'the baseline' ? database : await createDatabase('newest');
      const { incomplete } = await commitCompany(own, policy, [], { total: 0 });
      expect(incomplete).toMatch(/no employees at all/);
      const [row] = await own.query<{ people: number }>('select count(*) as people from personio.employees');
      expect(row?.people).toBe(own === database ? 100 : 0);
      if (own !== database) await own.close();
    },
  );

  test('the read of one person before the baseline', async () => {
    const empty = await createDatabase('newest');
    const { incomplete } = await commitCompany(empty, policy, [employee(1)], { onlyEmployeeId: '1' });
    await empty.close();
    expect(incomplete).toMatch(/no complete read/);
  });

  test('forty leavers at once are held, and a joiner among them is not', async () => {
    const glitch = Array.from({ length: 100 }, (_, index) =>
      index < 40 ? employee(index + 1, { status: 'inactive' }) : employee(index + 1),
    );
    const { result } = await commitCompany(database, policy, [...glitch, employee(500, { hireDate: TODAY })]);
    expect(result).toMatchObject({
      outcome: 'braked',
      held: 40,
      inserted: 1,
      updated: 0,
      unchanged: 60,
      received: 101,
    });
    expect(result?.message).toMatch(/40 of 100 employees would leave in this run \(limit 10\)/);
    const states = await database.query(
      `select count(*) as left from personio.employees where lifecycle_state = 'left'`,
    );
    expect(states[0]?.['left']).toBe(0);
    const asked = await database.query(`select kind from personio.lifecycle_proposals where decision = 'asked'`);
    expect(asked).toHaveLength(40);
    expect(await database.query(`select 1 from personio.lifecycle_events where kind = 'leaver.left'`)).toHaveLength(0);
  });

  test('with half of the company missing, nobody is marked as missing', async () => {
    const half = Array.from({ length: 50 }, (_, index) => employee(index + 1));
    const { result } = await commitCompany(database, policy, half);
    expect(result).toMatchObject({ outcome: 'braked', received: 50, missing: 0 });
    expect(await database.query('select 1 from personio.employees where missing_since is not null')).toHaveLength(0);
  });

  test('an attribute that is no longer readable keeps its value and emits no event', async () => {
    const before = await database.query('select 1 from personio.lifecycle_events');
    const blind = Array.from({ length: 100 }, (_, index) =>
      employee(index + 1, { department: null, departmentId: null, absentAttributes: ['department'] }),
    );
    await commitCompany(database, policy, [...blind, employee(500, { hireDate: TODAY })]);
    const [one] = await database.query(
      `select department, absent_attributes from personio.employees where employee_id = '1'`,
    );
    expect(one).toEqual({ department: 'Engineering', absent_attributes: ['department'] });
    expect(await database.query('select 1 from personio.lifecycle_events')).toHaveLength(before.length);
  });
});

test('characters that PostgreSQL cannot store are replaced', async () => {
  const database = await createDatabase('newest');
  const nasty = 'a\u0000b\tc\\d\ne\u001b[31m"{}\ud800';
  const { result } = await commitCompany(database, policy, [
    employee(1, { lastName: nasty, attributes: { note: nasty }, absentAttributes: ['a"b\\c', 'd,e'] }),
  ]);
  expect(result?.inserted).toBe(1);
  const [row] = await database.query('select last_name, attributes, absent_attributes from personio.employees');
  await database.close();
  const stored = 'a\uFFFDb\tc\\d\ne\u001b[31m"{}\uFFFD';
  expect(row).toEqual({ last_name: stored, attributes: { note: stored }, absent_attributes: ['a"b\\c', 'd,e'] });
});
