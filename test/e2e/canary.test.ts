import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { createDemoWorker } from '../../src/cli/dev/demo-subscriber.js';
import { runWorkers } from '../../src/worker/worker-host.js';
import type { WorkerHost } from '../../src/worker/worker-host.js';
import { workflowId } from '../../src/contracts/internal/names.js';
import { startFakePersonio } from '../../src/fake-personio/server.js';
import type { FakePersonio, FakeResponse } from '../../src/fake-personio/server.js';
import type { Database } from '../../src/store/database.js';
import { connectWorker } from '../../src/temporal/connection.js';
import type { TemporalClients } from '../../src/temporal/connection.js';
import { runCommand, startCommand } from '../support/cli.js';
import type { CommandResult, Environment, RunningCommand } from '../support/cli.js';
import { createMigratedDatabase } from '../support/database.js';
import { exportHistory, toReadableHistory } from '../support/history.js';
import { readTestServers } from '../support/servers-file.js';
import { createNamespace, waitUntil } from '../support/worker.js';

/**
 * Sends marked people, secrets and tokens through every kind of run, failure and delivery, without payload keys, so
 * that encryption hides nothing. Then searches everything that is stored or printed for them.
 */
const [SECRET, NEXT_SECRET, MISTYPED] = ['canarysecret-one', 'canarysecret-two', 'canarysecret-mistyped'];
/** Allowed only in the employee columns meant for them. */
const PERSONAL = ['Canaryfirst', 'Canarylast', 'Canarypref', 'canarymail'];
/** Allowed nowhere: tokens of the demo company begin with `papi-`. */
const FORBIDDEN = ['canarysecret', 'papi-', 'CANARYIBAN', '987654321'];
const MARKS = [...PERSONAL, ...FORBIDDEN];
const OWN_COLUMNS = ['first_name', 'last_name', 'preferred_name', 'email'];

let database: Database;
let fake: FakePersonio;
let environment: Environment;
let folder: string;
let temporal: TemporalClients;
let worker: RunningCommand;
let downstream: WorkerHost;
let metrics = '';
let watching: NodeJS.Timeout;
const printed: string[] = [];
const processes: string[] = [];
const accepted = new Set([SECRET]);
let misbehave: ((path: string, offset: string | null) => FakeResponse | undefined) | null = null;

function mark(): void {
  for (const person of fake.company.employees) {
    Object.assign(person, {
      firstName: `Canaryfirst${person.id}`,
      lastName: `Canarylast${person.id}`,
      preferredName: 'Canarypref',
      email: `canarymail${person.id}@example.org`,
      iban: 'CANARYIBAN',
      salary: 987_654_321,
    });
  }
}

async function findFreePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

beforeAll(async () => {
  database = await createMigratedDatabase();
  const space = await createNamespace();
  temporal = space.temporal;
  fake = await startFakePersonio({ employees: 150, seed: 21, foundedOn: new Date().toISOString().slice(0, 10) });
  mark();
  fake.behaviour.fault = ({ path, query, body }) => {
    if (path === '/v1/auth' && !accepted.has((JSON.parse(body) as { client_secret: string }).client_secret))
      return { status: 403, body: { success: false, error: { code: 0, message: `Wrong: ${SECRET}` } } };
    return misbehave?.(path, query.get('offset'));
  };
  folder = mkdtempSync(join(tmpdir(), 'personio-sync-canary-'));
  writeFileSync(
    join(folder, 'personio-sync.yaml'),
    `reading: { requestsPerMinute: 1000000, requestsPerSecond: 100000 }
lifecycle: { noticeDays: [1] }
subscribers:
  - name: demo-it
    workflowType: demoDownstream
    workflowId: "demo-it:{connectionId}:{employeeId}"
    taskQueue: demo-it
    events: ["*"]
    when: detected
`,
  );
  metrics = `127.0.0.1:${await findFreePort()}`;
  environment = {
    DATABASE_URL: database.url,
    METRICS_ADDRESS: metrics,
    LOG_LEVEL: 'debug',
    LOG_FORMAT: 'json',
    PERSONIO_SYNC_KEYS: `k1:${randomBytes(32).toString('base64')}`,
    TEMPORAL_ADDRESS: readTestServers().temporalAddress,
    TEMPORAL_NAMESPACE: space.target.namespace,
  };
  downstream = runWorkers([await createDemoWorker(await connectWorker(space.target, 10_000), space.target.namespace)]);
  worker = startCommand(['worker'], environment, folder);
  await waitUntil(async () => Promise.resolve(worker.output().includes('The worker polls')), 60_000);
  watching = setInterval(() => {
    // Only this file's: other tests run beside it, with secrets that look like Personio's.
    const all = execFileSync('ps', ['-eww', '-o', 'ppid=,args='], { encoding: 'utf8' }).split('\n');
    processes.push(...all.filter((line) => line.trim().startsWith(`${process.pid} `)));
  }, 150);
}, 90_000);
afterAll(async () => {
  clearInterval(watching);
  worker.child.kill('SIGKILL');
  await worker.ended;
  downstream.shutdown();
  await downstream.done;
  await temporal.close();
  await fake.close();
  await database.close();
});

async function runCli(args: readonly string[], input?: string): Promise<CommandResult> {
  const ended = await runCommand(args, environment, folder, input);
  printed.push(ended.stdout, ended.stderr);
  return ended;
}

async function runSync(...endpoints: string[]): Promise<readonly string[]> {
  const { stdout } = await runCli(['sync', ...endpoints, '--connection', 'canary', '--json']);
  return (JSON.parse(stdout) as { runs: { outcome: string; failureType: string | null }[] }).runs.map(
    ({ outcome, failureType }) => failureType ?? outcome,
  );
}

/** Runs a sync while `answer` replaces the company's responses. */
async function syncWithFault(answer: typeof misbehave): Promise<readonly string[]> {
  misbehave = answer;
  const outcomes = await runSync('employees');
  misbehave = null;
  return outcomes;
}

const listNames = (): string => JSON.stringify(fake.company.employees.slice(0, 3));

describe('marked people and secrets', () => {
  test('pass through a connection, its runs and its deliveries', async () => {
    const args = ['connections', 'add', 'canary', '--base-url', fake.url, '--client-id', 'id'];
    expect(await runCli(args, `${SECRET}\n`)).toMatchObject({ code: 0 });
    expect(await runSync()).toEqual(['succeeded', 'succeeded', 'succeeded', 'succeeded']);
    const [first, second] = fake.company.employees;
    Object.assign(first ?? {}, { lastName: 'Canarylast-Married', position: 'Canary trainer' });
    Object.assign(second ?? {}, {
      position: 'Canary warden',
      terminationDate: '2030-06-30',
      lastWorkingDay: '2030-06-30',
    });
    fake.company.advanceDay(new Date().toISOString().slice(0, 10));
    mark();
    expect(await runSync('employees')).toEqual(['succeeded']);
    await waitUntil(
      async () => (await database.query(`select from personio.deliveries where state = 'acknowledged'`)).length >= 3,
      60_000,
    );
    expect(await runCli(['connections', 'test', 'canary'])).toMatchObject({ code: 0 });
    await runCli(['status']);
  }, 120_000);

  test.each<[string, (path: string, offset: string | null) => FakeResponse | undefined]>([
    ['PersonioMalformedAnswer', (path) => replaceEmployees(path, { status: 200, body: `<html>${listNames()}` })],
    [
      'PersonioMalformedAnswer',
      (path) =>
        replaceEmployees(path, {
          status: 200,
          body: { data: [{ attributes: { id: { value: { a: listNames() } } } }] },
        }),
    ],
    ['PersonioMalformedAnswer', (path) => replaceEmployees(path, { status: 418, body: listNames() })],
    ['PersonioPermissionMissing', (path) => replaceEmployees(path, { status: 403, body: listNames() })],
    ['PersonioMalformedAnswer', (path) => replaceEmployees(path, redirect())],
  ])('pass through a run that ends as %s', async (type, answer) => {
    expect(await syncWithFault(answer)).toEqual([type]);
  });

  test('pass through an outage, an incomplete read and a brake', async () => {
    let outages = 2;
    expect(
      await syncWithFault((path) =>
        path.endsWith('/employees') && outages-- > 0 ? { status: 503, body: listNames() } : undefined,
      ),
    ).toEqual(['succeeded']);
    let total = 500;
    expect(
      await syncWithFault((path, offset) =>
        path.endsWith('/employees') && offset !== '0'
          ? { status: 200, body: { success: true, data: [], metadata: { total_elements: total++ } } }
          : undefined,
      ),
    ).toEqual(['SnapshotIncomplete']);
    for (const person of fake.company.employees.slice(20, 80))
      Object.assign(person, { terminationDate: '2026-01-31', lastWorkingDay: '2026-01-31' });
    expect(await runSync('employees')).toEqual(['braked']);
  }, 120_000);

  test('pass through rotations, a dead secret, keys, an erasure and wrong usage', async () => {
    expect(await runCli(['connections', 'rotate', 'canary'], `${MISTYPED}\n`)).toMatchObject({ code: 1 });
    accepted.add(NEXT_SECRET);
    expect(await runCli(['connections', 'rotate', 'canary'], `${NEXT_SECRET}\n`)).toMatchObject({ code: 0 });
    accepted.clear();
    fake.expireTokens();
    expect(await runSync('employees')).toEqual(['PersonioCredentialsRejected']);
    accepted.add(NEXT_SECRET);
    expect(await runCli(['keys', 'rotate'])).toMatchObject({ code: 0 });
    const id = String(fake.company.employees[0]?.id);
    const by = ['--by', 'Ada', '--reason', 'asked', '--connection', 'canary'];
    expect(await runCli(['erase', id, ...by])).toMatchObject({ code: 0 });
    expect(await runSync('employees')).toEqual(['braked']);
    expect(await runCli(['connections', 'add', 'Canary', '--client-id', 'x'], SECRET)).toMatchObject({ code: 2 });
    await runCli(['connections', 'list']);
    await runCli(['audit', 'verify']);
  }, 120_000);
});

describe('and are found nowhere else', () => {
  const findMarks = (text: string): readonly string[] => MARKS.filter((one) => text.includes(one));

  test('not in any history', async () => {
    const ids: string[] = [];
    for await (const { workflowId: id } of temporal.client.workflow.list()) ids.push(id);
    expect(ids.length).toBeGreaterThan(20);
    let all = '';
    for (const id of new Set(ids)) all += toReadableHistory(await exportHistory(temporal.namespace, id));
    // Payloads are readable here, so the search would find them.
    expect(all.includes('"connectionId":"canary"')).toBe(true);
    expect(all.includes('personio.lifecycle.v1')).toBe(true);
    expect(findMarks(all)).toEqual([]);
  }, 120_000);

  test("not in Temporal's database file", () => {
    const file = join(readTestServers().folder, 'temporal', 'temporal.db');
    const files = [file, `${file}-wal`].filter(existsSync).map((one) => readFileSync(one, 'latin1'));
    const text = files.join('');
    expect(text.includes('"connectionId":"canary"')).toBe(true);
    expect(text.includes(workflowId.sync('canary', 'employees'))).toBe(true);
    expect(findMarks(text)).toEqual([]);
  });

  test('not in debug logs or in the output of commands', () => {
    const text = worker.output() + printed.join('');
    expect(text.includes('"level":20')).toBe(true);
    expect(text.includes('Personio does not accept the client id and secret')).toBe(true);
    expect(findMarks(text)).toEqual([]);
  });

  test('not in the metrics', async () => {
    const read = async (): Promise<string> => (await fetch(`http://${metrics}/metrics`)).text();
    await waitUntil(async () => /personio_sync_secret_age_days\{[^}]*connection="canary"/.test(await read()), 90_000);
    const text = await read();
    expect(findMarks(text)).toEqual([]);
  }, 120_000);

  test('not in the list of processes', () => {
    const text = processes.join('\n');
    expect(text.includes('connections add canary')).toBe(true);
    expect(findMarks(text)).toEqual([]);
  });

  test('not in PostgreSQL outside of the columns meant for them', async () => {
    const tables = await database.query<{ name: string }>(
      `select format('%I.%I', schemaname, tablename) as name
       from pg_tables
       where schemaname in ('personio', 'personio_staging')`,
    );
    let [own, others] = ['', ''];
    for (const { name } of tables) {
      const rows = await database.query<{ own: string; others: string }>(
        `select
           (
             select coalesce(jsonb_object_agg(key, value), '{}')::text
             from jsonb_each(to_jsonb(stored))
             where key = any($1)
           ) as own,
           (to_jsonb(stored) - $1::text[])::text as others
         from ${name} as stored`,
        [OWN_COLUMNS],
      );
      own += name.startsWith('personio.employee') ? rows.map((row) => row.own).join('') : '';
      others += rows.map((row) => (name.startsWith('personio.employee') ? row.others : row.own + row.others)).join('');
    }
    for (const mark of PERSONAL) expect(own.includes(mark)).toBe(true);
    expect(FORBIDDEN.filter((mark) => own.includes(mark))).toEqual([]);
    expect(others.includes('Canary warden')).toBe(true);
    expect(findMarks(others)).toEqual([]);
  });
});

function replaceEmployees(path: string, answer: FakeResponse): FakeResponse | undefined {
  return path.endsWith('/employees') ? answer : undefined;
}

function redirect(): FakeResponse {
  return { status: 302, body: '', headers: { location: `http://127.0.0.1:9/Canaryfirst/${SECRET}` } };
}
