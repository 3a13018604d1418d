import { randomBytes } from 'node:crypto';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { sealedUnder } from '../../src/crypto/sealing.js';
import { startFakePersonio } from '../../src/fake-personio/server.js';
import type { FakePersonio } from '../../src/fake-personio/server.js';
import type { Database } from '../../src/store/database.js';
import { runCommand, startCommand } from '../support/cli.js';
import type { Ended, Environment, RunningCommand } from '../support/cli.js';
import { migratedDatabase } from '../support/database.js';
import { testServers } from '../support/servers-file.js';
import { emptyNamespace, until } from '../support/worker.js';

/** Stored connections, by their commands, against a worker that runs all the while. */
const keyOf = (id: string): string => `${id}:${randomBytes(32).toString('base64')}`;
const OLD = keyOf('old');
const NEW = keyOf('new');
const SECRET = 'papi-"quoted" \'secret\' <b>$1</b>';
const NEXT_SECRET = 'papi-next-secret';

let database: Database;
let fake: FakePersonio;
let environment: Environment;
let folder: string;
let worker: RunningCommand;
const accepted = new Set([SECRET]);

beforeAll(async () => {
  database = await migratedDatabase();
  const { target } = await emptyNamespace();
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
    ...{ DATABASE_URL: database.url, METRICS_ADDRESS: 'off', PERSONIO_SYNC_KEYS: OLD },
    ...{ TEMPORAL_ADDRESS: testServers().temporalAddress, TEMPORAL_NAMESPACE: target.namespace },
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
  await until(async () => Promise.resolve(started.output().includes('The worker polls')), 60_000);
  return started;
}

const command = async (args: readonly string[], input = '', more: Environment = {}): Promise<Ended> =>
  runCommand(args, { ...environment, ...more }, folder, input);
const add = async (id: string, input: string, url = fake.url): Promise<Ended> =>
  command(['connections', 'add', id, '--base-url', url, '--client-id', 'an-id'], input);

async function schedulesOf(id: string): Promise<readonly string[]> {
  const { stdout } = await command(['schedules', 'show', '--json']);
  const { schedules } = JSON.parse(stdout) as { schedules: { scheduleId: string }[] };
  return schedules.map(({ scheduleId }) => scheduleId).filter((name) => name.startsWith(`personio:${id}:`));
}

async function sealedSecret(id: string): Promise<string> {
  const [row] = await database.rows<{ sealed_secret: string }>(
    'select sealed_secret from personio.connections where connection_id = $1',
    [id],
  );
  return row?.sealed_secret ?? '';
}

describe('a stored connection', () => {
  test('needs a key, and says how to make one', async () => {
    const { code, stderr } = await command(['connections', 'add', 'acme', '--client-id', 'x'], SECRET, {
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
    ["x'; drop table personio.employees --", 'https://personio.example', 'x\n', /small letters/],
    ['<b>\u001b[31macme', 'https://personio.example', 'x\n', /small letters/],
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
    expect(await database.rows('select from personio.connections')).toEqual([]);
  });

  test('is stored sealed from one line of standard input, with its schedules, and is known to a running worker at once', async () => {
    const { code, stdout, stderr } = await add('acme', `${SECRET}\n`);
    expect([code, stderr]).toEqual([0, '']);
    expect(stdout).toContain('Personio accepts');
    expect(await schedulesOf('acme')).toHaveLength(4);
    expect(await sealedSecret('acme')).not.toContain('papi-');
    // The only one that there is needs no name.
    const run = await command(['sync', 'employees', '--json']);
    expect([run.code, JSON.parse(run.stdout)]).toMatchObject([0, { runs: [{ outcome: 'succeeded', received: 300 }] }]);
  });

  test('is not added twice', async () => {
    expect(await add('acme', `${SECRET}\n`)).toMatchObject({ code: 2 });
  });

  test('is listed and tested without its secret', async () => {
    const listed = await command(['connections', 'list', '--json']);
    const document = JSON.parse(listed.stdout) as { connections: Record<string, unknown>[] };
    expect(document.connections).toMatchObject([{ connectionId: 'acme', baseUrl: fake.url, lastTestOutcome: 'green' }]);
    const tested = await command(['connections', 'test', 'acme', '--json']);
    expect(tested.code).toBe(0);
    for (const text of [listed.stdout, tested.stdout, (await command(['connections', 'list'])).stdout])
      for (const secret of ['papi-', 'sealed', await sealedSecret('acme')]) expect(text).not.toContain(secret);
  });

  test('keeps its old secret where Personio does not accept the new one', async () => {
    const before = await sealedSecret('acme');
    const { code, stderr } = await command(['connections', 'rotate', 'acme'], 'papi-mistyped\n');
    expect(code).toBe(1);
    expect(stderr).toMatch(/The old secret stays in place/);
    expect(await sealedSecret('acme')).toBe(before);
    expect((await database.rows("select from personio.decisions where what = 'rotate-secret'")).length).toBe(0);
  });

  test('takes a new secret while a sync runs, and that sync succeeds though the old secret and its token are dead', async () => {
    accepted.add(NEXT_SECRET);
    const isAccepted = fake.behaviour.fault;
    let rotated = false;
    fake.behaviour.fault = async (request) => {
      if (request.path === '/v1/company/employees' && request.query.get('offset') !== '0' && !rotated) {
        rotated = true;
        const { code } = await command(['connections', 'rotate', 'acme', '--by', 'Ada'], `${NEXT_SECRET}\n`);
        expect(code).toBe(0);
        accepted.delete(SECRET);
        fake.expireTokens();
      }
      return isAccepted?.(request);
    };
    const run = await command(['sync', 'employees', '--connection', 'acme', '--json']);
    fake.behaviour.fault = isAccepted;
    expect([rotated, run.code]).toEqual([true, 0]);
    const decisions = await database.rows("select actor, subject from personio.decisions where what = 'rotate-secret'");
    expect(decisions).toEqual([{ actor: 'Ada', subject: 'connection acme' }]);
  });
});

describe('the key ring', () => {
  test('rotates while workers run: everything is under the new key, and no run fails', async () => {
    worker.child.kill('SIGTERM');
    expect(await worker.ended).toMatchObject({ code: 0 });
    const ring = { PERSONIO_SYNC_KEYS: `${NEW},${OLD}` };
    worker = await startWorker(ring);
    const running = command(['sync', '--connection', 'acme', '--json'], '', ring);
    const { code, stdout } = await command(['keys', 'rotate', '--json'], '', ring);
    expect([code, JSON.parse(stdout)]).toMatchObject([0, { ok: true, key: 'new' }]);
    expect((await running).code).toBe(0);
    const tokens = await database.rows<{ sealed_token: string }>('select sealed_token from personio.connection_state');
    const sealed = [await sealedSecret('acme'), ...tokens.map((row) => row.sealed_token)];
    expect(sealed.map(sealedUnder)).toEqual(['new', 'new']);
    expect((await database.rows("select from personio.decisions where what = 'rotate-keys'")).length).toBe(1);
    expect(await command(['connections', 'test', 'acme'], '', { PERSONIO_SYNC_KEYS: NEW })).toMatchObject({ code: 0 });
  });

  test('that lacks the key of a stored secret stops the worker at its start, by name', async () => {
    const { code, stderr } = await command(['worker'], '', { PERSONIO_SYNC_KEYS: keyOf('another') });
    expect(code).toBe(1);
    expect(stderr).toMatch(/connection acme[^]*key new[^]*PERSONIO_SYNC_KEYS/);
  });
});

describe('removing a connection', () => {
  const rowsOf = async (table: string): Promise<number> =>
    (await database.rows(`select from personio.${table} where connection_id = 'acme'`)).length;

  test('deletes its schedules and its secret, and leaves its data', async () => {
    expect(await command(['connections', 'remove', 'acme'])).toMatchObject({ code: 0 });
    expect(await schedulesOf('acme')).toEqual([]);
    expect([await rowsOf('connections'), await rowsOf('employees')]).toEqual([0, 300]);
    const again = await command(['connections', 'remove', 'acme']);
    expect([again.code, again.stderr]).toEqual([2, expect.stringContaining('No connection acme is stored')]);
    const id = String(fake.company.employees[0]?.id);
    const erased = await command(['erase', id, '--connection', 'acme', '--by', 'Ada', '--reason', 'asked']);
    expect([erased.code, await rowsOf('employees')]).toEqual([0, 299]);
  });

  test('deletes all that was read, where that is asked for', async () => {
    const ring = { PERSONIO_SYNC_KEYS: NEW };
    const secret = `${NEXT_SECRET}\n`;
    const args = ['connections', 'add', 'acme', '--base-url', fake.url, '--client-id', 'an-id'];
    expect(await command(args, secret, ring)).toMatchObject({ code: 0 });
    const { code, stdout } = await command(['connections', 'remove', 'acme', '--erase-data', '--json'], '', ring);
    expect(code).toBe(0);
    expect((JSON.parse(stdout) as { deletedRows: number }).deletedRows).toBeGreaterThan(300);
    for (const table of ['employees', 'employee_history', 'sync_runs', 'departments', 'connection_state'])
      expect(await rowsOf(table)).toBe(0);
    expect(await command(['audit', 'verify'])).toMatchObject({ code: 0 });
  });
});
