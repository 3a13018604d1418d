import { randomBytes } from 'node:crypto';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { RETENTION_SCHEDULE_ID, workflowId } from '../../src/contracts/internal/names.js';
import { startFakePersonio } from '../../src/fake-personio/server.js';
import type { FakePersonio } from '../../src/fake-personio/server.js';
import type { Database } from '../../src/store/database.js';
import type { TemporalClients } from '../../src/temporal/connection.js';
import { runCommand, startCommand } from '../support/cli.js';
import type { CommandResult, Environment, RunningCommand } from '../support/cli.js';
import { createMigratedDatabase } from '../support/database.js';
import { readTestServers } from '../support/servers-file.js';
import { createNamespace, waitUntil } from '../support/worker.js';

const SUBSCRIBER =
  '{ name: it, workflowType: nobody, workflowId: "it:{employeeId}", taskQueue: nobody, events: [leaver.left] }';

let database: Database;
let fake: FakePersonio;
let environment: Environment;
let folder: string;
let temporal: TemporalClients;
let worker: RunningCommand;

beforeAll(async () => {
  database = await createMigratedDatabase();
  const space = await createNamespace();
  temporal = space.temporal;
  fake = await startFakePersonio({ employees: 80, seed: 8, foundedOn: new Date().toISOString().slice(0, 10) });
  folder = mkdtempSync(join(tmpdir(), 'personio-sync-forgetting-'));
  writeFileSync(
    join(folder, 'personio-sync.yaml'),
    `reading: { requestsPerMinute: 1000000, requestsPerSecond: 100000 }\nsubscribers: [${SUBSCRIBER}]\n`,
  );
  environment = {
    DATABASE_URL: database.url,
    METRICS_ADDRESS: 'off',
    PERSONIO_SYNC_KEYS: `k1:${randomBytes(32).toString('base64')}`,
    TEMPORAL_ADDRESS: readTestServers().temporalAddress,
    TEMPORAL_NAMESPACE: space.target.namespace,
  };
  worker = startCommand(['worker'], environment, folder);
  await waitUntil(async () => Promise.resolve(worker.output().includes('The worker polls')), 60_000);
  const args = ['connections', 'add', 'default', '--base-url', fake.url, '--client-id', 'id'];
  expect(await runCli(args, 'secret\n')).toMatchObject({ code: 0 });
}, 90_000);
afterAll(async () => {
  worker.child.kill('SIGKILL');
  await worker.ended;
  await temporal.close();
  await fake.close();
  await database.close();
});

const runCli = async (args: readonly string[], input?: string): Promise<CommandResult> =>
  runCommand(args, environment, folder, input);
const readWorkflowStatus = async (id: string): Promise<string> =>
  (await temporal.client.workflow.getHandle(workflowId.employee('default', id)).describe()).status.name;

test('no sync brings an erased employee back until readmit', async () => {
  const [person] = fake.company.employees;
  const id = String(person?.id);
  Object.assign(person ?? {}, {
    hireDate: '2020-01-01',
    terminationDate: '2040-06-30',
    lastWorkingDay: '2040-06-30',
    isOnLeave: false,
  });
  expect(await runCli(['sync', 'employees', '--json'])).toMatchObject({ code: 0 });
  await waitUntil(async () =>
    readWorkflowStatus(id).then(
      (status) => status === 'RUNNING',
      () => false,
    ),
  );
  const by = ['--by', 'Ada', '--reason', 'asked for erasure'];

  expect(await runCli(['erase', id])).toMatchObject({ code: 2 });
  expect(await runCli(['erase', '99999999', ...by])).toMatchObject({ code: 1 });
  const erased = await runCli(['erase', id, ...by, '--json']);
  expect([erased.code, JSON.parse(erased.stdout)]).toMatchObject([0, { employees: 1, workflowEnded: true }]);
  expect(await readWorkflowStatus(id)).toBe('TERMINATED');

  const countRows = async (): Promise<number> =>
    (await database.query('select from personio.employees where employee_id = $1', [id])).length;
  expect(await runCli(['sync', 'employees'])).toMatchObject({ code: 0 });
  expect(await countRows()).toBe(0);
  expect(await runCli(['readmit', id, ...by])).toMatchObject({ code: 0 });
  expect(await runCli(['readmit', id, ...by])).toMatchObject({ code: 1 });
  expect(await runCli(['sync', 'employees'])).toMatchObject({ code: 0 });
  expect(await countRows()).toBe(1);
  expect(await runCli(['audit', 'verify'])).toMatchObject({ code: 0 });
}, 120_000);

test('audit verify finds a changed entry', async () => {
  await database.run(`update personio.decisions set reason = 'forged' where what = 'erase'`);
  const { code, stderr } = await runCli(['audit', 'verify']);
  expect([code, stderr]).toEqual([1, expect.stringMatching(/was changed after it was written/)]);
});

test('retention rules are applied by the command and by the schedule', async () => {
  const insertOldAttendance = async (): Promise<void> => {
    await database.run(
      `insert into personio.attendance_periods (connection_id, period_id, employee_id, date, changed_at)
       values ('default', 'old', '1', current_date - 900, now())`,
    );
  };
  const countOldAttendances = async (): Promise<number> =>
    (await database.query(`select from personio.attendance_periods where period_id = 'old'`)).length;
  await insertOldAttendance();
  const { code, stdout } = await runCli(['retention', 'apply', '--json']);
  expect([code, JSON.parse(stdout)]).toMatchObject([0, { forgotten: { attendances: 1 } }]);
  await insertOldAttendance();
  await temporal.client.schedule.getHandle(RETENTION_SCHEDULE_ID).trigger();
  await waitUntil(async () => (await countOldAttendances()) === 0, 60_000);
}, 90_000);

test('status mentions a secret from day 76 and needs action from day 90', async () => {
  const readStatusAtAge = async (days: number): Promise<{ codes: string[]; said: string; dueAt: string | null }> => {
    await database.run(`update personio.connections set secret_set_at = now() - $1 * interval '1 day'`, [days]);
    const { stdout, stderr } = await runCli(['status', '--json']);
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
  const young = await readStatusAtAge(75);
  expect(young.codes).not.toContain('secret-due');
  expect(young.said).not.toContain('Settings > Integrations');
  const soon = await readStatusAtAge(77);
  expect(soon.codes).not.toContain('secret-due');
  expect(soon.said).toMatch(/Rotate this secret within 13 days[^]*Settings > Integrations > API credentials/);
  const due = await readStatusAtAge(90);
  expect(due.codes).toContain('secret-due');
  expect(due.dueAt?.slice(0, 10)).toBe(new Date().toISOString().slice(0, 10));
}, 60_000);
