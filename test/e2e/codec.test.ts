import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { startFakePersonio } from '../../src/fake-personio/server.js';
import type { FakePersonio } from '../../src/fake-personio/server.js';
import type { Database } from '../../src/store/database.js';
import { runCommand, startCommand } from '../support/cli.js';
import type { CommandResult, Environment, RunningCommand } from '../support/cli.js';
import { createMigratedDatabase } from '../support/database.js';
import { exportHistory, toReadableHistory } from '../support/history.js';
import { readTestServers } from '../support/servers-file.js';
import { createNamespace, waitUntil } from '../support/worker.js';

/** With payload keys, Temporal stores nothing readable, and the codec server decodes everything. */
const createKey = (id: string): string => `${id}:${randomBytes(32).toString('base64')}`;
const [FIRST, SECOND, TOKEN] = [createKey('first'), createKey('second'), randomBytes(16).toString('hex')];
/** Texts in every readable history of a sync of employees. */
const MARKS = ['connectionId', 'pagesPerSegment', 'collectedAt', 'Reading employees'];

let database: Database;
let fake: FakePersonio;
let environment: Environment;
let folder: string;
let namespace: string;
let worker: RunningCommand;

beforeAll(async () => {
  database = await createMigratedDatabase();
  namespace = (await createNamespace()).target.namespace;
  fake = await startFakePersonio({ employees: 120, seed: 3, foundedOn: new Date().toISOString().slice(0, 10) });
  folder = mkdtempSync(join(tmpdir(), 'personio-sync-codec-'));
  writeFileSync(
    join(folder, 'personio-sync.yaml'),
    'reading: { requestsPerMinute: 1000000, requestsPerSecond: 100000 }\n',
  );
  environment = {
    PERSONIO_BASE_URL: fake.url,
    PERSONIO_CLIENT_ID: 'id',
    PERSONIO_CLIENT_SECRET: 'secret',
    DATABASE_URL: database.url,
    METRICS_ADDRESS: 'off',
    PERSONIO_SYNC_PAYLOAD_KEYS: FIRST,
    TEMPORAL_ADDRESS: readTestServers().temporalAddress,
    TEMPORAL_NAMESPACE: namespace,
  };
  worker = await startWorker();
  expect(await runCli(['schedules', 'apply'])).toMatchObject({ code: 0 });
}, 60_000);
afterAll(async () => {
  worker.child.kill('SIGKILL');
  await worker.ended;
  await fake.close();
  await database.close();
});

const runCli = async (args: readonly string[]): Promise<CommandResult> => runCommand(args, environment, folder);

async function startWorker(): Promise<RunningCommand> {
  const started = startCommand(['worker'], environment, folder);
  await waitUntil(async () => Promise.resolve(started.output().includes('The worker polls')), 60_000);
  return started;
}

async function syncEmployees(): Promise<string> {
  const { stdout, stderr } = await runCli(['sync', 'employees', '--json']);
  const [run] = (JSON.parse(stdout) as { runs: { workflowId: string }[] }).runs;
  if (run === undefined) throw new Error(stderr);
  return run.workflowId;
}

/** Reads a history as the CLI shows it through a codec server. */
async function readDecodedHistory(workflowId: string): Promise<string> {
  const more = { PERSONIO_SYNC_CODEC_TOKEN: TOKEN };
  const server = startCommand(['codec-server', '--port', '0'], { ...environment, ...more }, folder);
  await waitUntil(async () => Promise.resolve(server.output().includes('Decoding at')), 30_000);
  const [, endpoint = ''] = /Decoding at (\S+),/.exec(server.output()) ?? [];
  const { temporalCli, temporalAddress } = readTestServers();
  const { stdout } = await promisify(execFile)(temporalCli, [
    'workflow',
    'show',
    '--workflow-id',
    workflowId,
    '--output',
    'json',
    '--namespace',
    namespace,
    '--address',
    temporalAddress,
    '--codec-endpoint',
    endpoint,
    '--codec-auth',
    `Bearer ${TOKEN}`,
  ]);
  server.child.kill('SIGTERM');
  expect(await server.ended).toMatchObject({ code: 0 });
  return stdout;
}

describe('with payload keys', () => {
  let first: string;

  test('a history hides its payloads, and the codec server decodes them', async () => {
    first = await syncEmployees();
    const raw = toReadableHistory(await exportHistory(namespace, first));
    expect(raw).toContain('binary/jwe');
    for (const mark of MARKS) expect(raw).not.toContain(mark);
    const decoded = toReadableHistory(JSON.parse(await readDecodedHistory(first)));
    for (const mark of MARKS) expect(decoded).toContain(mark);
  });

  test('a failure is encrypted except for its type', async () => {
    fake.behaviour.fault = ({ path }) =>
      path === '/v1/company/employees' ? { status: 400, body: { success: false } } : undefined;
    const { code, stderr, stdout } = await runCli(['sync', 'employees', '--json']);
    fake.behaviour.fault = null;
    expect([code, stderr]).toEqual([1, expect.not.stringContaining('Encoded failure')]);
    const [run] = (JSON.parse(stdout) as { runs: { workflowId: string; failureType: string; message: string }[] }).runs;
    expect(run).toMatchObject({ failureType: 'PersonioMalformedAnswer' });
    expect(run?.message).toContain('/v1/company/employees');
    const raw = toReadableHistory(await exportHistory(namespace, run?.workflowId ?? ''));
    expect(raw).toContain('Encoded failure');
    expect(raw).not.toContain('/v1/company/employees');
  });

  test('after a rotation old histories stay readable and new ones use the new key', async () => {
    environment = { ...environment, PERSONIO_SYNC_PAYLOAD_KEYS: `${SECOND},${FIRST}` };
    worker.child.kill('SIGTERM');
    await worker.ended;
    worker = await startWorker();
    // The inputs of the schedules are under the old key until they are applied again.
    const second = await syncEmployees();
    for (const id of [first, second])
      expect(toReadableHistory(JSON.parse(await readDecodedHistory(id)))).toContain('pagesPerSegment');
    expect(toReadableHistory(await exportHistory(namespace, second))).toContain('second');
  });
});
