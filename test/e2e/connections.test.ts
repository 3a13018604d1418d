import { randomBytes } from 'node:crypto';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { findKeyId } from '../../src/crypto/sealing.js';
import { startFakePersonio } from '../../src/fake-personio/server.js';
import type { FakePersonio } from '../../src/fake-personio/server.js';
import type { Database } from '../../src/store/database.js';
import { runCommand, startCommand } from '../support/cli.js';
import type { CommandResult, Environment, RunningCommand } from '../support/cli.js';
import { createMigratedDatabase } from '../support/database.js';
import { readTestServers } from '../support/servers-file.js';
import { createNamespace, waitUntil } from '../support/worker.js';

/** The commands of stored connections, against a running worker. */
const createKey = (id: string): string => `${id}:${randomBytes(32).toString('base64')}`;
const OLD = createKey('old');
const NEW = createKey('new');
const SECRET = 'papi-"quoted" \'secret\' <b>$1</b>';
const NEXT_SECRET = 'papi-next-secret';

let database: Database;
let fake: FakePersonio;
let environment: Environment;
let folder: string;
let worker: RunningCommand;
const accepted = new Set([SECRET]);

beforeAll(async () => {
  database = await createMigratedDatabase();
  const { target } = await createNamespace();
  fake = await startFakePersonio({ employees: 300, seed: 11, foundedOn: new Date().toISOString().slice(0, 10) });
  fake.behaviour.fault = ({ path, body }) =>
    path !== '/v1/auth' || accepted.has((JSON.parse(body) as { client_secret: string }).client_secret)
      ? undefined
      : { status: 403, body: { success: false, error: { code: 0, message: 'Wrong credentials' } } };
  folder = mkdtempSync(join(tmpdir(), 'personio-sync-connections-'));
  writeFileSync(
    join(folder, 'personio-sync.yaml'),
    'reading: { requestsPerMinute: 1000000, requestsPerSecond: 100000 }\n',
  );
  environment = {
    DATABASE_URL: database.url,
    METRICS_ADDRESS: 'off',
    PERSONIO_SYNC_KEYS: OLD,
    TEMPORAL_ADDRESS: readTestServers().temporalAddress,
    TEMPORAL_NAMESPACE: target.namespace,
  };
  worker = await startWorker({});
}, 60_000);
afterAll(async () => {
  worker.child.kill('SIGKILL');
  await worker.ended;
  await fake.close();
  await database.close();
});

async function startWorker(more: Environment): Promise<RunningCommand> {
  const started = startCommand(['worker'], { ...environment, ...more }, folder);
  await waitUntil(async () => Promise.resolve(started.output().includes('The worker polls')), 60_000);
  return started;
}

const runCli = async (args: readonly string[], input = '', more: Environment = {}): Promise<CommandResult> =>
  runCommand(args, { ...environment, ...more }, folder, input);
const add = async (id: string, input: string, url = fake.url): Promise<CommandResult> =>
  runCli(['connections', 'add', id, '--base-url', url, '--client-id', 'an-id'], input);

async function listScheduleIds(id: string): Promise<readonly string[]> {
  const { stdout } = await runCli(['schedules', 'show', '--json']);
  const { schedules } = JSON.parse(stdout) as { schedules: { scheduleId: string }[] };
  return schedules.map(({ scheduleId }) => scheduleId).filter((name) => name.startsWith(`personio:${id}:`));
}

async function readSealedSecret(id: string): Promise<string> {
  const [row] = await database.query<{ sealed_secret: string }>(
    'select sealed_secret from personio.connections where connection_id = $1',
    [id],
  );
  return row?.sealed_secret ?? '';
}

describe('a stored connection', () => {
  test('needs a key, and the message shows how to create one', async () => {
    const { code, stderr } = await runCli(['connections', 'add', 'acme', '--client-id', 'x'], SECRET, {
      PERSONIO_SYNC_KEYS: '',
    });
    expect(code).toBe(2);
    expect(stderr).toMatch(/PERSONIO_SYNC_KEYS[^]*openssl rand/);
  });

  test.each([
    ['acme', 'ftp://personio.example', 'x\n', /https/],
    ['acme', 'https://user:pass@personio.example', 'x\n', /credentials/],
    ['acme', 'https://personio.example/path', 'x\n', /path/],
    ['acme', 'http://personio.example', 'x\n', /http:/],
    ['acme', 'https://169.254.169.254', 'x\n', /metadata/],
    ['acme', 'https://[::ffff:169.254.169.254]', 'x\n', /metadata/],
    ["x'; drop table personio.employees --", 'https://personio.example', 'x\n', /lowercase letters/],
    ['<b>\u001b[31macme', 'https://personio.example', 'x\n', /lowercase letters/],
    ['a'.repeat(64), 'https://personio.example', 'x\n', /63/],
    ['acme', 'https://personio.example', '', /is empty/],
    ['acme', 'https://personio.example', 'two\nlines\n', /line break/],
    ['acme', 'https://personio.example', 'x'.repeat(10_000_000), /longer/],
  ])('is refused for %s at %s', async (id, url, secret, reason) => {
    const { code, stderr } = await add(id, secret, url);
    expect(code).toBe(2);
    expect(stderr).toMatch(reason);
    expect(stderr).not.toContain('\u001b');
    expect(stderr.length).toBeLessThan(2_000);
    expect(await database.query('select from personio.connections')).toEqual([]);
  });

  test('is stored sealed, gets its schedules, and a running worker uses it at once', async () => {
    const { code, stdout, stderr } = await add('acme', `${SECRET}\n`);
    expect([code, stderr]).toEqual([0, '']);
    expect(stdout).toContain('Personio accepts');
    expect(await listScheduleIds('acme')).toHaveLength(4);
    expect(await readSealedSecret('acme')).not.toContain('papi-');
    // The only connection needs no name.
    const run = await runCli(['sync', 'employees', '--json']);
    expect([run.code, JSON.parse(run.stdout)]).toMatchObject([0, { runs: [{ outcome: 'succeeded', received: 300 }] }]);
  });

  test.each([
    ['sync employees', /^employees +succeeded/],
    ['preview employees', /The run would not be braked/],
    ['backfill attendances --from 2026-11-09 --to 2026-11-09', /^attendances +succeeded/],
  ])('is taken by `%s` where it is the only one', async (line, result) => {
    const { code, stdout } = await runCli(line.split(' '));
    expect([code, stdout]).toEqual([0, expect.stringMatching(result)]);
  });

  test.each([
    'sync',
    'preview employees',
    'backfill attendances --from 2026-11-09 --to 2026-11-09',
    'connections test other',
    'connections rotate other',
    'connections remove other',
  ])('that is unknown is refused by `%s` before anything runs', async (line) => {
    const before = await database.query('select run_id from personio.sync_runs');
    const named = line.startsWith('connections') ? [] : ['--connection', 'other'];
    const { code, stderr } = await runCli([...line.split(' '), ...named], 'a-secret\n');
    expect([code, stderr]).toEqual([2, expect.stringMatching(/other.*\bacme\b/)]);
    expect(await database.query('select run_id from personio.sync_runs')).toHaveLength(before.length);
  });

  test('is not added twice', async () => {
    expect(await add('acme', `${SECRET}\n`)).toMatchObject({ code: 2 });
  });

  test('is listed and tested without its secret', async () => {
    const listed = await runCli(['connections', 'list', '--json']);
    const document = JSON.parse(listed.stdout) as { connections: Record<string, unknown>[] };
    expect(document.connections).toMatchObject([{ connectionId: 'acme', baseUrl: fake.url, lastTestOutcome: 'green' }]);
    const tested = await runCli(['connections', 'test', 'acme', '--json']);
    expect(tested.code).toBe(0);
    for (const text of [listed.stdout, tested.stdout, (await runCli(['connections', 'list'])).stdout])
      for (const secret of ['papi-', 'sealed', await readSealedSecret('acme')]) expect(text).not.toContain(secret);
  });

  test('keeps its old secret if Personio does not accept the new one', async () => {
    const before = await readSealedSecret('acme');
    const { code, stderr } = await runCli(['connections', 'rotate', 'acme'], 'papi-mistyped\n');
    expect(code).toBe(1);
    expect(stderr).toMatch(/The old secret stays in place/);
    expect(await readSealedSecret('acme')).toBe(before);
    expect((await database.query("select from personio.decisions where what = 'rotate-secret'")).length).toBe(0);
  });

  test('a sync succeeds although the secret is rotated and the old token dies meanwhile', async () => {
    accepted.add(NEXT_SECRET);
    const isAccepted = fake.behaviour.fault;
    let rotated = false;
    fake.behaviour.fault = async (request) => {
      if (request.path === '/v1/company/employees' && request.query.get('offset') !== '0' && !rotated) {
        rotated = true;
        const { code } = await runCli(['connections', 'rotate', 'acme', '--by', 'Ada'], `${NEXT_SECRET}\n`);
        expect(code).toBe(0);
        accepted.delete(SECRET);
        fake.expireTokens();
      }
      return isAccepted?.(request);
    };
    const run = await runCli(['sync', 'employees', '--connection', 'acme', '--json']);
    fake.behaviour.fault = isAccepted;
    expect([rotated, run.code]).toEqual([true, 0]);
    const decisions = await database.query(
      "select actor, subject from personio.decisions where what = 'rotate-secret'",
    );
    expect(decisions).toEqual([{ actor: 'Ada', subject: 'connection acme' }]);
  });
});

describe('the key ring', () => {
  test('rotates while workers run: everything is under the new key and no run fails', async () => {
    worker.child.kill('SIGTERM');
    expect(await worker.ended).toMatchObject({ code: 0 });
    const ring = { PERSONIO_SYNC_KEYS: `${NEW},${OLD}` };
    worker = await startWorker(ring);
    const running = runCli(['sync', '--connection', 'acme', '--json'], '', ring);
    const { code, stdout } = await runCli(['keys', 'rotate', '--json'], '', ring);
    expect([code, JSON.parse(stdout)]).toMatchObject([0, { ok: true, key: 'new' }]);
    expect((await running).code).toBe(0);
    const tokens = await database.query<{ sealed_token: string }>('select sealed_token from personio.connection_state');
    const sealed = [await readSealedSecret('acme'), ...tokens.map((row) => row.sealed_token)];
    expect(sealed.map(findKeyId)).toEqual(['new', 'new']);
    expect((await database.query("select from personio.decisions where what = 'rotate-keys'")).length).toBe(1);
    expect(await runCli(['connections', 'test', 'acme'], '', { PERSONIO_SYNC_KEYS: NEW })).toMatchObject({ code: 0 });
  });

  test('stops the worker at start if it lacks the key of a stored secret, by name', async () => {
    const { code, stderr } = await runCli(['worker'], '', { PERSONIO_SYNC_KEYS: createKey('another') });
    expect(code).toBe(1);
    expect(stderr).toMatch(/connection acme[^]*key new[^]*PERSONIO_SYNC_KEYS/);
  });
});

describe('removing a connection', () => {
  const WITHOUT = ['sync', 'preview employees', 'backfill attendances --from 2026-11-09 --to 2026-11-09'];

  const countRows = async (table: string): Promise<number> =>
    (await database.query(`select from personio.${table} where connection_id = 'acme'`)).length;

  test('deletes its schedules and its secret, and keeps its data', async () => {
    expect(await runCli(['connections', 'remove', 'acme'])).toMatchObject({ code: 0 });
    expect(await listScheduleIds('acme')).toEqual([]);
    for (const line of WITHOUT)
      expect(await runCli(line.split(' '))).toMatchObject({
        code: 2,
        stderr: expect.stringMatching(/^No connection is configured\. Set PERSONIO_CLIENT_ID/),
      });
    expect([await countRows('connections'), await countRows('employees')]).toEqual([0, 300]);
    const again = await runCli(['connections', 'remove', 'acme']);
    expect([again.code, again.stderr]).toEqual([2, expect.stringContaining('No connection acme is stored')]);
    const id = String(fake.company.employees[0]?.id);
    const erased = await runCli(['erase', id, '--connection', 'acme', '--by', 'Ada', '--reason', 'asked']);
    expect([erased.code, await countRows('employees')]).toEqual([0, 299]);
  });

  test('deletes its data with --erase-data', async () => {
    const ring = { PERSONIO_SYNC_KEYS: NEW };
    const secret = `${NEXT_SECRET}\n`;
    const args = ['connections', 'add', 'acme', '--base-url', fake.url, '--client-id', 'an-id'];
    expect(await runCli(args, secret, ring)).toMatchObject({ code: 0 });
    const { code, stdout } = await runCli(['connections', 'remove', 'acme', '--erase-data', '--json'], '', ring);
    expect(code).toBe(0);
    expect((JSON.parse(stdout) as { deletedRows: number }).deletedRows).toBeGreaterThan(300);
    for (const table of ['employees', 'employee_history', 'sync_runs', 'departments', 'connection_state'])
      expect(await countRows(table)).toBe(0);
    expect(await runCli(['audit', 'verify'])).toMatchObject({ code: 0 });
  });
});
