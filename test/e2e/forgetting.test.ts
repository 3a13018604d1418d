import { randomBytes } from 'node:crypto';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { RETENTION_SCHEDULE_ID, workflowId } from '../../src/contracts/names.js';
import { startFakePersonio } from '../../src/fake-personio/server.js';
import type { FakePersonio } from '../../src/fake-personio/server.js';
import type { Database } from '../../src/store/database.js';
import type { TemporalClients } from '../../src/temporal/connection.js';
import { runCommand, startCommand } from '../support/cli.js';
import type { Ended, Environment, RunningCommand } from '../support/cli.js';
import { migratedDatabase } from '../support/database.js';
import { testServers } from '../support/servers-file.js';
import { emptyNamespace, until } from '../support/worker.js';

const SUBSCRIBER =
  '{ name: it, workflowType: nobody, workflowId: "it:{employeeId}", taskQueue: nobody, events: [leaver.left] }';

let database: Database;
let fake: FakePersonio;
let environment: Environment;
let folder: string;
let temporal: TemporalClients;
let worker: RunningCommand;

beforeAll(async () => {
  database = await migratedDatabase();
  const space = await emptyNamespace();
  temporal = space.temporal;
  fake = await startFakePersonio({ employees: 80, seed: 8, foundedOn: new Date().toISOString().slice(0, 10) });
  folder = mkdtempSync(join(tmpdir(), 'personio-sync-forgetting-'));
  writeFileSync(
    join(folder, 'personio-sync.yaml'),
    `reading: { requestsPerMinute: 1000000, requestsPerSecond: 100000 }\nsubscribers: [${SUBSCRIBER}]\n`,
  );
  environment = {
    ...{
      DATABASE_URL: database.url,
      METRICS_ADDRESS: 'off',
      PERSONIO_SYNC_KEYS: `k1:${randomBytes(32).toString('base64')}`,
    },
    ...{ TEMPORAL_ADDRESS: testServers().temporalAddress, TEMPORAL_NAMESPACE: space.target.namespace },
  };
  worker = startCommand(['worker'], environment, folder);
  await until(async () => Promise.resolve(worker.output().includes('The worker polls')), 60_000);
  const args = ['connections', 'add', 'default', '--base-url', fake.url, '--client-id', 'id'];
  expect(await command(args, 'secret\n')).toMatchObject({ code: 0 });
}, 90_000);
afterAll(async () => {
  worker.child.kill('SIGKILL');
  await worker.ended;
  await temporal.close();
  await fake.close();
  await database.close();
});

const command = async (args: readonly string[], input?: string): Promise<Ended> =>
  runCommand(args, environment, folder, input);
const statusOf = async (id: string): Promise<string> =>
  (await temporal.client.workflow.getHandle(workflowId.employee('default', id)).describe()).status.name;

test('an erased person’s workflow ends, no sync brings them back, and a readmission does', async () => {
  const [person] = fake.company.employees;
  const id = String(person?.id);
  Object.assign(person ?? {}, {
    hireDate: '2020-01-01',
    terminationDate: '2040-06-30',
    lastWorkingDay: '2040-06-30',
    isOnLeave: false,
  });
  expect(await command(['sync', 'employees', '--json'])).toMatchObject({ code: 0 });
  await until(async () =>
    statusOf(id).then(
      (status) => status === 'RUNNING',
      () => false,
    ),
  );
  const by = ['--by', 'Ada', '--reason', 'asked to be forgotten'];

  expect(await command(['erase', id])).toMatchObject({ code: 2 });
  expect(await command(['erase', '99999999', ...by])).toMatchObject({ code: 1 });
  const erased = await command(['erase', id, ...by, '--json']);
  expect([erased.code, JSON.parse(erased.stdout)]).toMatchObject([0, { employees: 1, workflowEnded: true }]);
  expect(await statusOf(id)).toBe('TERMINATED');

  const rows = async (): Promise<number> =>
    (await database.rows('select from personio.employees where employee_id = $1', [id])).length;
  expect(await command(['sync', 'employees'])).toMatchObject({ code: 0 });
  expect(await rows()).toBe(0);
  expect(await command(['readmit', id, ...by])).toMatchObject({ code: 0 });
  expect(await command(['readmit', id, ...by])).toMatchObject({ code: 1 });
  expect(await command(['sync', 'employees'])).toMatchObject({ code: 0 });
  expect(await rows()).toBe(1);
  expect(await command(['audit', 'verify'])).toMatchObject({ code: 0 });
}, 120_000);

test('a changed decision is found, with exit 1 and a sentence', async () => {
  await database.run(`update personio.decisions set reason = 'forged' where what = 'erase'`);
  const { code, stderr } = await command(['audit', 'verify']);
  expect([code, stderr]).toEqual([1, expect.stringMatching(/was changed after it was written/)]);
});

test('what is past its time is forgotten by the command, and by its schedule', async () => {
  const old = async (): Promise<void> => {
    await database.run(
      `insert into personio.attendance_periods (connection_id, period_id, employee_id, date, changed_at) values ('default', 'old', '1', current_date - 900, now())`,
    );
  };
  const left = async (): Promise<number> =>
    (await database.rows(`select from personio.attendance_periods where period_id = 'old'`)).length;
  await old();
  const { code, stdout } = await command(['retention', 'apply', '--json']);
  expect([code, JSON.parse(stdout)]).toMatchObject([0, { forgotten: { attendances: 1 } }]);
  await old();
  await temporal.client.schedule.getHandle(RETENTION_SCHEDULE_ID).trigger();
  await until(async () => (await left()) === 0, 60_000);
}, 90_000);

test('a secret is spoken of from day 76, and needs a person from day 90', async () => {
  const secret = async (days: number): Promise<{ codes: string[]; said: string; dueAt: string | null }> => {
    await database.run(`update personio.connections set secret_set_at = now() - $1 * interval '1 day'`, [days]);
    const { stdout, stderr } = await command(['status', '--json']);
    const status = JSON.parse(stdout) as {
      problems: { code: string }[];
      connections: { secretDueAt: string | null }[];
    };
    return {
      codes: status.problems.map(({ code }) => code),
      said: stderr,
      dueAt: status.connections[0]?.secretDueAt ?? null,
    };
  };
  const young = await secret(75);
  expect(young.codes).not.toContain('secret-due');
  expect(young.said).not.toContain('Settings > Integrations');
  const soon = await secret(77);
  expect(soon.codes).not.toContain('secret-due');
  expect(soon.said).toMatch(/to be changed in 13 days[^]*Settings > Integrations > API credentials/);
  const due = await secret(90);
  expect(due.codes).toContain('secret-due');
  expect(due.dueAt?.slice(0, 10)).toBe(new Date().toISOString().slice(0, 10));
}, 60_000);
