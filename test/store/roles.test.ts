import pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { startFakePersonio } from '../../src/fake-personio/server.js';
import { openDatabase } from '../../src/store/database.js';
import type { Database } from '../../src/store/database.js';
import { appendAuditEntry } from '../../src/store/audit-log.js';
import { erasePerson } from '../../src/store/employees/erasure.js';
import { grantRoles, migrate, requireSchema } from '../../src/store/migrate.js';
import { applyRetention } from '../../src/store/retention.js';
import { TASK_QUEUE, WORKFLOW_TYPE, workflowId } from '../../src/contracts/internal/names.js';
import { createEmptyDatabase, createMigratedDatabase } from '../support/database.js';
import { createPolicy, createSubscriber } from '../support/policy.js';
import { commitCompany, employee } from '../support/staging.js';
import { startTestWorker, waitUntil } from '../support/worker.js';

const PASSWORD = 'only-for-this-test';
const logins: { readonly admin: string; readonly role: string }[] = [];
let count = 0;

/** Creates a user of the role, as an operator would. */
async function createRoleUser(database: Database, role: string): Promise<Database> {
  count += 1;
  const name = `u${process.pid}_${Date.now()}_${count}`;
  await database.run(`create role ${name} login password '${PASSWORD}' in role ${role}`);
  logins.push({ admin: database.url, role: name });
  const url = new URL(database.url);
  [url.username, url.password] = [name, PASSWORD];
  return openDatabase({ url: url.href, applicationName: 'personio-sync test', poolSize: 20 });
}

const tryStatement = async (database: Database, sql: string): Promise<string> =>
  database.run(sql).then(
    () => 'allowed',
    (error: unknown) => (error instanceof Error && 'code' in error ? String(error.code) : 'unknown'),
  );
const DENIED = '42501';

describe.each(['oldest', 'newest'] as const)('database roles on the %s PostgreSQL', (which) => {
  let owner: Database;
  let worker: Database;
  let operator: Database;
  let reader: Database;

  beforeAll(async () => {
    owner = await createMigratedDatabase(which);
    worker = await createRoleUser(owner, 'personio_sync_worker');
    operator = await createRoleUser(owner, 'personio_sync_operator');
    reader = await createRoleUser(owner, 'personio_sync_reader');
    await commitCompany(worker, createPolicy(), [employee(1), employee(2)]);
    await worker.transaction(async (transaction) =>
      appendAuditEntry(transaction, { actor: 'Ada', what: 'approve', subject: 'run', reason: 'meant' }),
    );
  });
  afterAll(async () => {
    for (const database of [worker, operator, reader]) await database.close();
    await owner.close();
  });

  test.each([
    'alter table personio.employees add column x int',
    'drop table personio.employees',
    'create table personio.own (x int)',
    'create table public.own (x int)',
    'truncate personio.lifecycle_events',
    'delete from personio.decisions',
    `update personio.decisions set reason = 'forged'`,
    `update personio.decision_chain set decisions = 0`,
    'delete from personio.lifecycle_events',
    `update personio.lifecycle_events set detected_at = now()`,
    'delete from personio.deliveries',
    'delete from personio.employee_history',
    'delete from personio.employees',
    'delete from personio.sync_runs',
    'delete from personio.connections',
    `update personio.connections set base_url = 'https://evil.example'`,
    'delete from personio.erased_people',
    `insert into personio.pgmigrations (name, run_on) values ('9999', now())`,
    `select personio.erase_person('default', '1')`,
    `select personio.erase_connection('default')`,
    `select personio.grant_roles()`,
    `alter function personio.erase_person(text, text) security invoker`,
  ])('the worker cannot: %s', async (sql) => {
    // A missing right and a missing ownership have the same code. Nobody may create tables in public.
    expect(await tryStatement(worker, sql)).toBe(DENIED);
  });

  test('the worker can start, stage, commit and apply retention rules', async () => {
    await expect(requireSchema(worker)).resolves.toBeUndefined();
    const { result } = await commitCompany(worker, createPolicy(), [employee(1, { position: 'Chief' }), employee(2)], {
      runId: `roles-${which}`,
    });
    expect(result).toMatchObject({ outcome: 'succeeded', updated: 1 });
    expect(await applyRetention(worker, createPolicy().retention)).toMatchObject({ events: 0 });
  });

  test('the operator can erase people, staged records included, and nothing else', async () => {
    await erasePerson(operator, { connectionId: 'default', employeeId: '1' }, { actor: 'Ada', reason: 'asked' });
    expect(await owner.query(`select employee_id from personio.employees`)).toEqual([{ employee_id: '2' }]);
    const staged = await owner.query<{ name: string }>(
      `select format('%I.%I', schemaname, tablename) as name
       from pg_tables
       where schemaname = 'personio_staging'`,
    );
    expect(staged.length).toBeGreaterThan(0);
    for (const { name } of staged)
      expect(await owner.query(`select from ${name} where record_id = '1' and first_name is not null`)).toEqual([]);
    for (const sql of [
      'delete from personio.employees',
      'delete from personio.decisions',
      'drop schema personio cascade',
    ])
      expect(await tryStatement(operator, sql)).toBe(DENIED);
  });

  test('the reader sees no table, and views without names and raw attributes', async () => {
    expect(await reader.query('select position, department from personio_read.employees')).toEqual([
      { position: 'Engineer', department: 'Engineering' },
    ]);
    const columns = await reader.query<{ name: string }>(
      `select distinct column_name as name from information_schema.columns where table_schema = 'personio_read'`,
    );
    const names = columns.map(({ name }) => name);
    for (const hidden of [
      'email',
      'first_name',
      'last_name',
      'preferred_name',
      'attributes',
      'note',
      'last_error',
      'sealed_token',
    ])
      expect(names).not.toContain(hidden);
    for (const table of ['employees', 'connections', 'connection_state', 'installation', 'decisions'])
      expect(await tryStatement(reader, `select from personio.${table}`)).toBe(DENIED);
    expect(await tryStatement(reader, 'delete from personio_read.employees')).toBe(DENIED);
  });
});

describe('creating the roles', () => {
  test('works for many databases of one server at once', async () => {
    const databases = await Promise.all(Array.from({ length: 8 }, async () => createEmptyDatabase()));
    const applied = await Promise.all(databases.map(async (database) => migrate(database)));
    expect(new Set(applied.map((names) => names.length)).size).toBe(1);
    for (const database of databases) {
      expect(await grantRoles(database)).toBeNull();
      await database.close();
    }
  });

  test('is explained in a sentence where the user may not create roles', async () => {
    const admin = await createEmptyDatabase('oldest');
    const name = `m${process.pid}_${Date.now()}`;
    await admin.run(`create role ${name} login password '${PASSWORD}'`);
    const databaseName = new URL(admin.url).pathname.slice(1);
    await admin.run(`alter database ${databaseName} owner to ${name}`);
    logins.push({ admin: admin.url, role: name });
    const url = new URL(admin.url);
    [url.username, url.password] = [name, PASSWORD];
    const managed = openDatabase({ url: url.href, applicationName: 'test', poolSize: 2 });
    await migrate(managed);
    // The test server has the roles already, so this function gets other names.
    const [source] = await managed.query<{ sql: string }>(
      `select replace(
         pg_get_functiondef('personio.grant_roles'::regproc),
         'personio_sync_',
         'absent_${Date.now()}_'
       ) as sql`,
    );
    await managed.run(source?.sql ?? '');
    expect(await grantRoles(managed)).toMatch(/may not create roles/);
    await managed.close();
    await admin.close();
  });
});

test('a worker with the role of the worker syncs every endpoint and delivers events', async () => {
  const owner = await createMigratedDatabase();
  const database = await createRoleUser(owner, 'personio_sync_worker');
  const fake = await startFakePersonio({ employees: 60, seed: 4, foundedOn: new Date().toISOString().slice(0, 10) });
  const subscriber = createSubscriber({ events: ['joiner.started', 'mover.changed', 'leaver.left'] });
  const host = await startTestWorker({ database, fake, policy: { ...createPolicy(), subscribers: [subscriber] } });
  const run = async (type: string, id: string): Promise<unknown> =>
    host.temporal.client.workflow.execute(type, { taskQueue: TASK_QUEUE.sync, workflowId: id, args: [] });
  for (const endpoint of ['employees', 'departments', 'attendances', 'time-off-types'] as const)
    expect(await run(WORKFLOW_TYPE[endpoint], workflowId.sync('default', endpoint))).toMatchObject({
      outcome: 'succeeded',
    });
  fake.company.advanceDay(new Date().toISOString().slice(0, 10));
  await run(WORKFLOW_TYPE.employees, workflowId.sync('default', 'employees'));
  await run(WORKFLOW_TYPE.applyRetention, 'retention');
  await waitUntil(async () => {
    const [row] = await owner.query<{ done: boolean }>(
      `select count(*) > 0 and bool_and(state = 'acknowledged') as done
       from personio.deliveries
       where due_at < now()`,
    );
    return row?.done === true;
  }, 60_000);
  await host.stop();
  await fake.close();
  await database.close();
  await owner.close();
}, 180_000);

afterAll(async () => {
  for (const { admin, role } of logins) {
    const client = new pg.Client({ connectionString: admin });
    await client.connect();
    await client.query(`reassign owned by ${role} to current_user`);
    await client.query(`drop owned by ${role}`);
    await client.query(`drop role ${role}`);
    await client.end();
  }
});
