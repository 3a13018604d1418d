import { fork } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { addDays } from '../../src/domain/zones.js';
import { startFakePersonio } from '../../src/fake-personio/server.js';
import type { FakePersonio } from '../../src/fake-personio/server.js';
import type { Database } from '../../src/store/database.js';
import type { TemporalClients } from '../../src/temporal/connection.js';
import { runCommand, startCommand } from '../support/cli.js';
import type { CommandResult, Environment, RunningCommand } from '../support/cli.js';
import { createEmptyDatabase } from '../support/database.js';
import { listSignals } from '../support/delivery.js';
import { describeShape } from '../support/json-shape.js';
import type { JsonShape } from '../support/json-shape.js';
import { readTestServers } from '../support/servers-file.js';
import { createNamespace, waitUntil } from '../support/worker.js';

/**
 * The `--json` documents of every command keep the shape that other programs rely on: test/fixtures/json-documents.json
 * has the paths and types of each document. Documents may gain keys; no key may disappear or change its type. Sentences
 * are not compared.
 *
 * A new command has no shape in the fixture, and its test prints the one to add. To add all that are missing:
 *
 *     npm test -- test/e2e/json-documents.test.ts --globals "{\"recordShapes\":true}"
 *
 * This never replaces a recorded shape. The fixture holds what released versions print, so record a shape with the
 * version that introduces the command, and never again to make a changed document pass.
 */
const FIXTURE = fileURLToPath(new URL('../fixtures/json-documents.json', import.meta.url));
const HOST = fileURLToPath(new URL('../support/command-host.js', import.meta.url));
const TODAY = new Date().toISOString().slice(0, 10);
const CREDENTIALS = { clientId: 'id', clientSecret: 'the-secret' };
const WRONG_SECRET = 'a-mistyped-secret';
const KEYS = `new:${'A'.repeat(43)}=,old:${'B'.repeat(42)}A=`;
const BY = '--by Ada --reason test';
const POLICY = `reading: { requestsPerMinute: 1000000, requestsPerSecond: 100000 }
lifecycle: { noticeDays: [7] }
subscribers:
  - name: it
    workflowType: desk
    workflowId: "it:{employeeId}"
    taskQueue: nobody-polls
    events: [joiner.started, leaver.left]
    escalateTo: lead
  - { name: lead, workflowType: desk, workflowId: "lead:{employeeId}", taskQueue: nobody-polls, events: [] }
`;

let database: Database;
let unmigrated: Database;
let demoDatabase: Database;
let temporal: TemporalClients;
let demoTemporal: TemporalClients;
let fake: FakePersonio;
let folder: string;
let environment: Environment;
let host: ChildProcess;
let worker: RunningCommand;
let demo: RunningCommand;
const recorded = readFixture();
const added: Record<string, JsonShape> = {};
const seen: { readonly command: string; readonly code: number | null }[] = [];

beforeAll(async () => {
  const databases = Promise.all([createEmptyDatabase(), createEmptyDatabase(), createEmptyDatabase()]);
  const spaces = await Promise.all([createNamespace(), createNamespace()]);
  [database, unmigrated, demoDatabase] = await databases;
  [temporal, demoTemporal] = [spaces[0].temporal, spaces[1].temporal];
  folder = mkdtempSync(join(tmpdir(), 'personio-sync-json-'));
  const demoFolder = mkdtempSync(join(tmpdir(), 'personio-sync-json-dev-'));
  const servers = { TEMPORAL_ADDRESS: readTestServers().temporalAddress, METRICS_ADDRESS: 'off' };
  demo = startCommand(
    ['dev', '--once', '--json'],
    { ...servers, DATABASE_URL: demoDatabase.url, TEMPORAL_NAMESPACE: spaces[1].target.namespace },
    demoFolder,
  );
  environment = {
    ...servers,
    DATABASE_URL: database.url,
    TEMPORAL_NAMESPACE: spaces[0].target.namespace,
    PERSONIO_SYNC_KEYS: KEYS,
  };
  writeFileSync(join(folder, 'personio-sync.yaml'), POLICY);
  writeFileSync(join(folder, 'secret'), `${CREDENTIALS.clientSecret}\n`);
  writeFileSync(join(folder, 'wrong-secret'), `${WRONG_SECRET}\n`);
  fake = await startCompany();
  host = fork(HOST, { cwd: folder, env: {}, execArgv: [] });
}, 60_000);
afterAll(async () => {
  host.kill('SIGKILL');
  worker.child.kill('SIGKILL');
  demo.child.kill('SIGKILL');
  await Promise.all([worker.ended, demo.ended]);
  await Promise.all([temporal.close(), demoTemporal.close(), fake.close()]);
  await Promise.all([database.close(), unmigrated.close(), demoDatabase.close()]);
  if ('recordShapes' in globalThis) writeFileSync(FIXTURE, `${JSON.stringify({ ...recorded, ...added }, null, 2)}\n`);
});

function readFixture(): Readonly<Record<string, JsonShape>> {
  try {
    return JSON.parse(readFileSync(FIXTURE, 'utf8')) as Record<string, JsonShape>;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return {};
    throw error;
  }
}

/** A company in which one person starts and one leaves in 30 days. Nothing else depends on the day of the test. */
async function startCompany(): Promise<FakePersonio> {
  const company = await startFakePersonio({ employees: 40, seed: 5, foundedOn: TODAY, credentials: CREDENTIALS });
  const noEnd = { contractEndDate: null, terminationDate: null, lastWorkingDay: null, terminationType: '' };
  for (const person of company.company.employees)
    Object.assign(person, { ...noEnd, hireDate: '2020-01-01', isOnLeave: false });
  const [starting, leaving] = company.company.employees.slice(10);
  const soon = addDays(TODAY, 30);
  Object.assign(starting ?? {}, { hireDate: soon });
  Object.assign(leaving ?? {}, { terminationDate: soon, lastWorkingDay: soon, terminationType: 'employee' });
  return company;
}

/** Runs a command in the process that has the program loaded. */
async function run(args: readonly string[], more: Environment = {}): Promise<CommandResult> {
  const ended = once(host, 'message');
  host.send({ args, environment: { ...environment, ...more } });
  const [answer] = (await ended) as [CommandResult];
  return answer;
}

async function startWorker(): Promise<void> {
  worker = startCommand(['worker'], environment, folder);
  await waitUntil(async () => Promise.resolve(worker.output().includes('The worker polls')), 60_000);
}

async function findValue(sql: string, ...parameters: string[]): Promise<string> {
  const [row] = await database.query<{ value: string }>(sql, parameters);
  if (row === undefined) throw new Error(`No row: ${sql}`);
  return row.value;
}

const findEvent = async (kind: string): Promise<string> =>
  findValue(`select event_id as value from personio.lifecycle_events where kind = $1 and state = 'due'`, kind);
const findDelivery = async (kind: string): Promise<string> =>
  findValue(
    `select delivery_id as value from personio.deliveries where subscriber = 'it' and event_id = $1`,
    await findEvent(kind),
  );
const findBrakedRun = async (): Promise<string> =>
  findValue(`select run_id as value from personio.sync_runs where outcome = 'braked'`);
const findHeldEvent = async (): Promise<string> =>
  findValue('select min(event_id) as value from personio.lifecycle_proposals where run_id = $1', await findBrakedRun());

/** Answers the newest signal that a subscriber got about a person, as its workflow would. */
async function answer(subscriber: string, kind: string, outcome: 'done' | 'failed'): Promise<void> {
  const employeeId = await findValue(
    'select employee_id as value from personio.lifecycle_events where event_id = $1',
    await findEvent(kind),
  );
  const event = (await listSignals(temporal.client, `${subscriber}:${employeeId}`)).at(-1);
  if (event === undefined) throw new Error(`${subscriber} got no signal about ${kind}.`);
  const { workflowId, signal, token } = event.acknowledge;
  const handle = temporal.client.workflow.getHandle(workflowId);
  await handle.signal(signal, { deliveryId: event.deliveryId, token, outcome, note: 'a note' });
}

/** Waits until the due deliveries, and no others, have these states. */
async function untilDue(...states: string[]): Promise<void> {
  await waitUntil(async () => {
    const rows = await database.query<{ state: string }>(
      'select state from personio.deliveries where due_at <= clock_timestamp() order by state',
    );
    return rows.map(({ state }) => state).join() === [...states].sort().join();
  });
}

/** Syncs a day with a joiner, a mover and a leaver. The subscriber confirms the leaver and fails for the joiner. */
async function liveOneDay(): Promise<void> {
  expect(await run(['sync', 'employees', '--json'])).toMatchObject({ code: 0 });
  await untilDue('sent', 'sent');
  await answer('it', 'leaver.left', 'done');
  await answer('it', 'joiner.started', 'failed');
  await untilDue('acknowledged', 'failed', 'sent');
}

interface Step {
  readonly name: string;
  /** Words separated by spaces, without `--json`. */
  readonly command: string | (() => Promise<string>);
  readonly before?: () => Promise<void> | void;
  readonly environment?: () => Environment;
  /** Prints one JSON value a line. */
  readonly hasLines?: true;
}

const withoutSchema = (): Environment => ({ DATABASE_URL: unmigrated.url });
/** Settings of another connection, whose secret Personio refuses. */
const withWrongSecret = (): Environment => ({
  PERSONIO_CONNECTION: 'other',
  PERSONIO_BASE_URL: fake.url,
  PERSONIO_CLIENT_ID: CREDENTIALS.clientId,
  PERSONIO_CLIENT_SECRET: WRONG_SECRET,
});
const forbid = (...paths: string[]): void => {
  fake.behaviour.forbidden = new Set(paths);
};
const removePeople = (): void => {
  const staying = fake.company.employees.filter((one) => one.terminationDate === null && one.hireDate === '2020-01-01');
  for (const { id } of staying.slice(-8)) fake.company.remove(id);
};
const addConnection = async (): Promise<string> =>
  Promise.resolve(`connections add default --base-url ${fake.url} --client-id id --secret-file secret`);

/** One story, told in order: every command with `--json`, where it succeeds and where it does not. */
const STORY: readonly Step[] = [
  { name: 'migrate', command: 'migrate' },
  { name: 'migrate, invalid setting', command: 'migrate', environment: () => ({ DATABASE_URL: 'nonsense' }) },
  { name: 'connections add', before: startWorker, command: addConnection },
  { name: 'connections add, known id', command: addConnection },
  { name: 'connections list', command: 'connections list' },
  { name: 'connections list, no schema', command: 'connections list', environment: withoutSchema },
  { name: 'connections test', command: 'connections test default' },
  { name: 'connections test, unknown id', command: 'connections test nowhere' },
  { name: 'connections test, secret refused', command: 'connections test other', environment: withWrongSecret },
  {
    name: 'connections test, endpoint forbidden',
    before: () => forbid('/v1/company/attendances'),
    command: 'connections test default',
  },
  {
    name: 'connections rotate',
    before: () => forbid(),
    command: 'connections rotate default --secret-file secret',
  },
  { name: 'connections rotate, secret refused', command: 'connections rotate default --secret-file wrong-secret' },
  { name: 'keys rotate', command: 'keys rotate' },
  { name: 'keys rotate, no keys', command: 'keys rotate', environment: () => ({ PERSONIO_SYNC_KEYS: '' }) },
  { name: 'schedules apply', command: 'schedules apply' },
  { name: 'schedules apply, no schema', command: 'schedules apply', environment: withoutSchema },
  { name: 'schedules show', command: 'schedules show' },
  { name: 'schedules show, wrong usage', command: 'schedules show --wrong' },
  { name: 'status, never synced', command: 'status' },
  { name: 'status, no schema', command: 'status', environment: withoutSchema },
  { name: 'sync', command: 'sync' },
  { name: 'sync, unknown endpoint', command: 'sync salaries' },
  {
    name: 'sync, failed run',
    before: () => forbid('/v1/company/attendances'),
    command: 'sync attendances',
  },
  { name: 'status, failed run', command: 'status' },
  {
    name: 'backfill',
    before: () => forbid(),
    command: `backfill attendances --from ${addDays(TODAY, -9)} --to ${addDays(TODAY, -3)}`,
  },
  { name: 'backfill, wrong usage', command: 'backfill attendances --from 2026-02-30 --to 2026-02-01' },
  { name: 'preview', before: () => fake.company.advanceDay(TODAY), command: 'preview employees' },
  { name: 'preview, wrong usage', command: 'preview departments' },
  { name: 'deliveries', before: liveOneDay, command: 'deliveries' },
  { name: 'deliveries, wrong usage', command: 'deliveries --limit 0' },
  { name: 'status, failed delivery', command: 'status' },
  { name: 'events', command: 'events', hasLines: true },
  { name: 'events, planned', command: 'events --planned', hasLines: true },
  { name: 'events, wrong usage', command: 'events --after never' },
  { name: 'explain', command: async () => `explain ${await findEvent('mover.changed')}` },
  { name: 'explain, with names', command: async () => `explain ${await findEvent('leaver.left')} --names` },
  { name: 'explain, unknown event', command: 'explain nothing' },
  { name: 'redeliver', command: async () => `redeliver ${await findDelivery('joiner.started')}` },
  { name: 'redeliver, unknown delivery', command: 'redeliver nothing' },
  { name: 'redeliver, wrong usage', command: 'redeliver' },
  { name: 'preview, would brake', before: removePeople, command: 'preview employees --names' },
  { name: 'sync, braked', command: 'sync employees' },
  { name: 'status, braked', command: 'status' },
  { name: 'explain, held event', command: async () => `explain ${await findHeldEvent()}` },
  { name: 'reject', command: async () => `reject ${await findBrakedRun()} ${BY}` },
  { name: 'reject, unknown run', command: `reject nothing ${BY}` },
  { name: 'approve', command: async () => `approve ${await findBrakedRun()} ${BY}` },
  { name: 'approve, unknown run', command: `approve nothing ${BY}` },
  { name: 'approve, wrong usage', command: 'approve nothing' },
  {
    name: 'status',
    before: async () => {
      await untilDue('acknowledged', 'sent', 'sent');
      await answer('it', 'joiner.started', 'done');
      await answer('lead', 'joiner.started', 'done');
      await untilDue('acknowledged', 'acknowledged', 'acknowledged');
      expect(await run(['sync', 'attendances', '--json'])).toMatchObject({ code: 0 });
    },
    command: 'status',
  },
  { name: 'erase', command: `erase 1020 ${BY}` },
  { name: 'erase, unknown person', command: `erase 99999999 ${BY}` },
  { name: 'erase, wrong usage', command: 'erase 1020' },
  { name: 'readmit', command: `readmit 1020 ${BY}` },
  { name: 'readmit, not erased', command: `readmit 1020 ${BY}` },
  { name: 'retention apply', command: 'retention apply' },
  { name: 'retention apply, no schema', command: 'retention apply', environment: withoutSchema },
  { name: 'audit verify', command: 'audit verify' },
  {
    name: 'audit verify, changed entry',
    before: async () => database.run(`update personio.decisions set reason = 'forged' where what = 'erase'`),
    command: 'audit verify',
  },
  { name: 'schedules delete', command: 'schedules delete' },
  { name: 'schedules delete, wrong usage', command: 'schedules delete --wrong' },
  { name: 'sync, no schedule', command: 'sync employees' },
  { name: 'schedules apply, none exist', command: 'schedules apply' },
  { name: 'connections remove', command: 'connections remove default --erase-data' },
  { name: 'connections remove, unknown id', command: 'connections remove default' },
  { name: 'dev', command: 'dev --once' },
  { name: 'dev, wrong usage', command: 'dev --wrong' },
  { name: 'unknown command', command: 'nonsense' },
];

async function execute({ command, before, environment: more }: Step): Promise<CommandResult> {
  await before?.();
  const words = typeof command === 'string' ? command : await command();
  // It has been running since the beginning, beside the others, in a process of its own.
  const ended = words === 'dev --once' ? await demo.ended : await run([...words.split(' '), '--json'], more?.());
  seen.push({ command: words, code: ended.code });
  return ended;
}

function parse(stdout: string, hasLines: boolean): unknown {
  if (!hasLines) return JSON.parse(stdout);
  return stdout
    .trimEnd()
    .split('\n')
    .map((line): unknown => JSON.parse(line));
}

test.each(STORY)('the document of $name keeps its shape', async (step) => {
  const { code, stdout } = await execute(step);
  const document = parse(stdout, step.hasLines === true);
  const shape: JsonShape = { 'exit code': String(code), ...describeShape(document) };
  const expected = recorded[step.name];
  if (expected === undefined) {
    added[step.name] = shape;
    if ('recordShapes' in globalThis) return;
    const json = JSON.stringify({ [step.name]: shape }, null, 2);
    throw new Error(`test/fixtures/json-documents.json lacks this document. Add its shape:\n${json}`);
  }
  expect(Object.fromEntries(Object.keys(expected).map((path) => [path, shape[path] ?? 'missing']))).toEqual(expected);
});

/** Returns the commands below these words that have `--json`. */
async function findJsonCommands(words: readonly string[]): Promise<readonly string[]> {
  const { stdout } = await run([...words, '--help']);
  const commands = stdout.split('Commands:\n')[1] ?? '';
  const names = [...commands.matchAll(/^ {2}([a-z][a-z-]*)/gm)].map(([, name = '']) => name);
  const found = stdout.includes('--json') ? [words.join(' ')] : [];
  for (const name of names.filter((one) => one !== 'help')) found.push(...(await findJsonCommands([...words, name])));
  return found;
}

test('every command with --json has documents of a success and of a failure', async () => {
  const commands = await findJsonCommands([]);
  expect(commands.length).toBeGreaterThan(20);
  const runs = (command: string) => (one: { readonly command: string }) => `${one.command} `.startsWith(`${command} `);
  const outcomes = commands.map((command) => {
    const codes = seen.filter(runs(command)).map(({ code }) => code);
    return { command, succeeds: codes.includes(0), fails: codes.some((code) => code !== 0) };
  });
  expect(outcomes.filter(({ succeeds, fails }) => !succeeds || !fails)).toEqual([]);
});

test('a command prints the same document in a process of its own', async () => {
  const alone = await runCommand(['explain', 'nothing', '--json'], environment, folder);
  expect(await run(['explain', 'nothing', '--json'])).toEqual(alone);
});
