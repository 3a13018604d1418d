import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { startFakePersonio } from '../../src/fake-personio/server.js';
import type { FakePersonio } from '../../src/fake-personio/server.js';
import type { Database } from '../../src/store/database.js';
import { startCommand, runCommand } from '../support/cli.js';
import type { Environment, RunningCommand } from '../support/cli.js';
import { createEmptyDatabase } from '../support/database.js';
import { getScale } from '../support/scale.js';
import { readTestServers } from '../support/servers-file.js';
import { createNamespace, waitUntil } from '../support/worker.js';

/**
 * All commands against servers that were not started by `dev`: PostgreSQL 15, a new namespace, a Personio.
 * PERSONIO_SYNC_TEST_PEOPLE=5500 makes more than 200,000 attendances.
 */
const PEOPLE = getScale('PEOPLE', 1_000);
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

/** Returns the digest of where and by which transaction each row was written. */
async function readVersions(table: string): Promise<string | undefined> {
  const [row] = await database.query<{ versions: string }>(
    `select concat(count(*), ' ', md5(string_agg(concat_ws(' ', ctid, xmin), ',' order by ctid))) as versions
     from personio.${table}`,
  );
  return row?.versions;
}

const parseRuns = (stdout: string): readonly RunJson[] => (JSON.parse(stdout) as { runs: RunJson[] }).runs;

describe('foreign servers', () => {
  test.each([
    ['worker'],
    ['sync'],
    ['schedules apply'],
    ['status'],
    ['events'],
    ['connections list'],
    ['audit verify'],
  ])('%s on a database without the schema says to run migrate', async (line) => {
    const { code, stderr } = await runCli(...line.split(' '));
    expect([code, stderr]).toEqual([1, expect.stringMatching(/^The database lacks .* Run `personio-sync migrate`/)]);
  });

  test('migrate prepares both servers and can be repeated', async () => {
    expect(await runCli('migrate')).toMatchObject({ code: 0 });
    expect(await runCli('migrate')).toMatchObject({ code: 0 });
  });

  test('a sync without a worker or a schedule says which is missing', async () => {
    const noWorker = await runCli('sync', '--json');
    expect(noWorker.code).toBe(1);
    expect(JSON.parse(noWorker.stdout)).toMatchObject({ ok: false, exitCode: 1 });
    expect(noWorker.stderr).toMatch(/No worker polls the task queue personio-sync/);
    worker = await startWorker();
    const noSchedule = await runCli('sync', 'departments');
    expect(noSchedule.code).toBe(1);
    expect(noSchedule.stderr).toMatch(/personio-sync schedules apply/);
  });

  test('schedules apply creates the schedules and changes nothing the second time', async () => {
    expect((await runCli('schedules', 'apply')).code).toBe(0);
    const again = await runCli('schedules', 'apply', '--json');
    expect(JSON.parse(again.stdout)).toMatchObject({ created: [], deleted: [] });
    const shown = await runCli('schedules', 'show', '--json');
    expect((JSON.parse(shown.stdout) as { schedules: unknown[] }).schedules).toHaveLength(4);
  });

  test('connections test is green, and red with the fix if the secret is wrong', async () => {
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

  test('another worker finishes the attendances after the first was killed', async () => {
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
    expect(run?.received).toBeGreaterThan(PEOPLE * 35);
    expect(stored?.rows).toBe(run?.received);
    const today = new Date().toISOString().slice(0, 10);
    expect(fake.attendances.listBetween(stored?.first ?? today, today)).toHaveLength(stored?.rows ?? -1);
  }, 240_000);

  test('a sync is complete, and a second one writes nothing', async () => {
    const first = await runCli('sync', '--json');
    expect(first.code).toBe(0);
    expect(parseRuns(first.stdout).find((run) => run.endpoint === 'employees')).toMatchObject({
      received: PEOPLE,
      inserted: PEOPLE,
    });
    const before = await Promise.all(CURRENT.map(readVersions));
    const second = await runCli('sync', '--json');
    expect(second.code).toBe(0);
    expect(
      parseRuns(second.stdout)
        .map(({ endpoint }) => endpoint)
        .sort(),
    ).toEqual([...ENDPOINT_NAMES].sort());
    for (const run of parseRuns(second.stdout))
      expect(run).toMatchObject({ outcome: 'succeeded', inserted: 0, unchanged: run.received });
    expect(await Promise.all(CURRENT.map(readVersions))).toEqual(before);
  }, 240_000);

  test('backfill re-reads a range of days', async () => {
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

  test('status says that no action is needed, in words and as JSON', async () => {
    const people = await runCli('status');
    expect(people).toMatchObject({ code: 0 });
    expect(people.stdout).toMatch(/No action needed\./);
    const { healthy, connections } = JSON.parse((await runCli('status', '--json')).stdout) as {
      healthy: boolean;
      connections: { endpoints: { endpoint: string; rows: number }[] }[];
    };
    expect(healthy).toBe(true);
    expect(connections[0]?.endpoints.find(({ endpoint }) => endpoint === 'employees')?.rows).toBe(PEOPLE);
  });

  test('SIGTERM stops the worker cleanly', async () => {
    worker.child.kill('SIGTERM');
    expect(await worker.ended).toMatchObject({ code: 0 });
  }, 60_000);
});

test('all invalid settings are reported at once, by name, without their values', async () => {
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
