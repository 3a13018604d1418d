import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { startFakePersonio } from '../../src/fake-personio/server.js';
import type { FakePersonio } from '../../src/fake-personio/server.js';
import type { Database } from '../../src/store/database.js';
import { startCommand, runCommand } from '../support/cli.js';
import type { Environment, RunningCommand } from '../support/cli.js';
import { createEmptyDatabase, countWrites } from '../support/database.js';
import { readTestServers } from '../support/servers-file.js';
import { createNamespace, waitUntil } from '../support/worker.js';

/** Every command against servers that somebody else started: a PostgreSQL 15, an empty namespace, a Personio on another port. */
const PEOPLE = 5_500;
const ENDPOINT_NAMES = ['employees', 'departments', 'attendances', 'time-off-types'];
const CURRENT = ['employees', 'employee_history', 'departments', 'attendance_periods', 'time_off_types'];

let database: Database;
let fake: FakePersonio;
let environment: Environment;
let folder: string;
let worker: RunningCommand;

beforeAll(async () => {
  database = await createEmptyDatabase('oldest');
  const { target } = await createNamespace();
  fake = await startFakePersonio({
    employees: PEOPLE,
    seed: 5,
    foundedOn: new Date().toISOString().slice(0, 10),
    credentials: { clientId: 'papi-id', clientSecret: 'papi-secret' },
  });
  folder = mkdtempSync(join(tmpdir(), 'personio-sync-e2e-'));
  writeFileSync(
    join(folder, 'personio-sync.yaml'),
    'reading: { requestsPerMinute: 1000000, requestsPerSecond: 100000 }\n',
  );
  environment = {
    PERSONIO_BASE_URL: `${fake.url}/v1`,
    PERSONIO_CLIENT_ID: 'papi-id',
    PERSONIO_CLIENT_SECRET: 'papi-secret',
    DATABASE_URL: database.url,
    TEMPORAL_ADDRESS: readTestServers().temporalAddress,
    TEMPORAL_NAMESPACE: target.namespace,
    METRICS_ADDRESS: 'off',
  };
}, 60_000);
afterAll(async () => {
  worker.child.kill('SIGKILL');
  await worker.ended;
  await fake.close();
  await database.close();
});

const runCli = async (...args: string[]): ReturnType<typeof runCommand> => runCommand(args, environment, folder);

async function startWorker(): Promise<RunningCommand> {
  const started = startCommand(['worker'], environment, folder);
  await waitUntil(
    async () => Promise.resolve(started.output().includes('The worker polls') || started.child.exitCode !== null),
    60_000,
  );
  return started;
}

interface RunJson {
  readonly endpoint: string;
  readonly outcome: string;
  readonly received: number;
  readonly inserted: number;
  readonly unchanged: number;
}

const parseRuns = (stdout: string): readonly RunJson[] => (JSON.parse(stdout) as { runs: RunJson[] }).runs;

describe('servers that somebody else started', () => {
  test('a worker refuses a database that was not migrated, and says what to run', async () => {
    const { code, stderr } = await runCli('worker');
    expect(code).toBe(1);
    expect(stderr).toMatch(/Run `personio-sync migrate`/);
  });

  test('migrate prepares both servers, and can be repeated', async () => {
    expect(await runCli('migrate')).toMatchObject({ code: 0 });
    expect(await runCli('migrate')).toMatchObject({ code: 0 });
  });

  test('a sync without a schedule, or without a worker, says which of them is missing', async () => {
    const noWorker = await runCli('sync', '--json');
    expect(noWorker.code).toBe(1);
    expect(JSON.parse(noWorker.stdout)).toMatchObject({ ok: false, exitCode: 1 });
    expect(noWorker.stderr).toMatch(/No worker polls the task queue personio-sync/);
    worker = await startWorker();
    const noSchedule = await runCli('sync', 'departments');
    expect(noSchedule.code).toBe(1);
    expect(noSchedule.stderr).toMatch(/personio-sync schedules apply/);
  });

  test('schedules are created, shown, and unchanged by a second application', async () => {
    expect((await runCli('schedules', 'apply')).code).toBe(0);
    const again = await runCli('schedules', 'apply', '--json');
    expect(JSON.parse(again.stdout)).toMatchObject({ created: [], deleted: [] });
    const shown = await runCli('schedules', 'show', '--json');
    expect((JSON.parse(shown.stdout) as { schedules: unknown[] }).schedules).toHaveLength(4);
  });

  test('the connection is green, and red with the remedy when the secret is wrong', async () => {
    const green = await runCli('connections', 'test', '--json');
    expect(green.code).toBe(0);
    const { checks } = JSON.parse(green.stdout) as { checks: { check: string; ok: boolean }[] };
    expect(checks.map(({ check, ok }) => [check, ok])).toEqual([
      ['token', true],
      ...ENDPOINT_NAMES.map((name) => [name, true]),
    ]);
    const red = await runCommand(
      ['connections', 'test', '--json'],
      { ...environment, PERSONIO_CLIENT_SECRET: 'wrong-one' },
      folder,
    );
    expect(red.code).toBe(1);
    expect(red.stdout).toMatch(/API credentials/);
    expect(red.stdout + red.stderr).not.toContain('wrong-one');
  });

  test('a killed worker loses nothing: another one finishes 200,000 attendances, and the table equals the company', async () => {
    const syncing = startCommand(['sync', 'attendances', '--json'], environment, folder);
    await waitUntil(async () => {
      const tables = await database.query<{ name: string }>(
        `select tablename as name from pg_tables where schemaname = 'personio_staging'`,
      );
      const [table] = tables;
      if (table === undefined) return false;
      const [row] = await database.query<{ rows: number }>(
        `select count(*) as rows from personio_staging."${table.name}"`,
      );
      return (row?.rows ?? 0) > 5_000;
    }, 60_000);
    worker.child.kill('SIGKILL');
    await worker.ended;
    worker = await startWorker();
    const { code, stdout } = await syncing.ended;
    expect(code).toBe(0);
    const [run] = parseRuns(stdout);
    const [stored] = await database.query<{ rows: number; first: string }>(
      'select count(*) as rows, min(date) as first from personio.attendance_periods',
    );
    expect(run?.received).toBeGreaterThan(200_000);
    expect(stored?.rows).toBe(run?.received);
    const today = new Date().toISOString().slice(0, 10);
    expect(fake.attendances.listBetween(stored?.first ?? today, today)).toHaveLength(stored?.rows ?? -1);
  }, 240_000);

  test('a sync brings everything whole, and a second one reports only what is unchanged, and writes nothing', async () => {
    const first = await runCli('sync', '--json');
    expect(first.code).toBe(0);
    expect(parseRuns(first.stdout).find((run) => run.endpoint === 'employees')).toMatchObject({
      received: PEOPLE,
      inserted: PEOPLE,
    });
    const before = await Promise.all(CURRENT.map(async (table) => countWrites(database, table)));
    const second = await runCli('sync', '--json');
    expect(second.code).toBe(0);
    expect(
      parseRuns(second.stdout)
        .map(({ endpoint }) => endpoint)
        .sort(),
    ).toEqual([...ENDPOINT_NAMES].sort());
    for (const run of parseRuns(second.stdout))
      expect(run).toMatchObject({ outcome: 'succeeded', inserted: 0, unchanged: run.received });
    expect(await Promise.all(CURRENT.map(async (table) => countWrites(database, table)))).toEqual(before);
  }, 240_000);

  test('days can be read again', async () => {
    const { code, stdout } = await runCli(
      'backfill',
      'attendances',
      '--from',
      '2026-11-09',
      '--to',
      '2026-11-10',
      '--json',
    );
    expect(code).toBe(0);
    expect(parseRuns(stdout)[0]).toMatchObject({ outcome: 'succeeded', inserted: 0 });
    const [row] = await database.query(
      `select window_start, window_end from personio.sync_runs order by started_at desc limit 1`,
    );
    expect(row).toEqual({ window_start: '2026-11-09', window_end: '2026-11-10' });
  });

  test('status says that nothing needs a person, in words and as JSON', async () => {
    const people = await runCli('status');
    expect(people).toMatchObject({ code: 0 });
    expect(people.stdout).toMatch(/Nothing needs a person/);
    const { healthy, connections } = JSON.parse((await runCli('status', '--json')).stdout) as {
      healthy: boolean;
      connections: { endpoints: { endpoint: string; rows: number }[] }[];
    };
    expect(healthy).toBe(true);
    expect(connections[0]?.endpoints.find(({ endpoint }) => endpoint === 'employees')?.rows).toBe(PEOPLE);
  });

  test('SIGTERM ends the worker in good order', async () => {
    worker.child.kill('SIGTERM');
    expect(await worker.ended).toMatchObject({ code: 0 });
  }, 60_000);
});

test('bad settings are all named at once, before anything starts, without their values', async () => {
  const { code, stderr } = await runCommand(
    ['worker'],
    {
      PERSONIO_CLIENT_ID: 'only-the-id',
      DATABASE_URL: 'mysql://root:hunter2@db/x',
      PERSONIO_BASE_URL: 'ftp://x',
      LOG_LEVEL: 'loud',
    },
    folder,
  );
  expect(code).toBe(2);
  for (const name of ['PERSONIO_CLIENT_SECRET', 'DATABASE_URL', 'PERSONIO_BASE_URL', 'LOG_LEVEL'])
    expect(stderr).toContain(name);
  expect(stderr).not.toMatch(/hunter2|only-the-id|loud/);
});
