import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { Worker } from '@temporalio/worker';
import type { NativeConnection } from '@temporalio/worker';
import { runWorkers } from '../../src/worker/worker-host.js';
import type { WorkerHost } from '../../src/worker/worker-host.js';
import { startPostgresServer } from '../../src/embedded/postgres-server.js';
import type { PostgresServer } from '../../src/embedded/postgres-server.js';
import { startGuard } from '../../src/embedded/processes.js';
import type { Guard } from '../../src/embedded/processes.js';
import { startTemporalServer } from '../../src/embedded/temporal-server.js';
import type { TemporalServer } from '../../src/embedded/temporal-server.js';
import { openDatabase } from '../../src/store/database.js';
import type { Database } from '../../src/store/database.js';
import { connectTemporal, connectWorker } from '../../src/temporal/connection.js';
import { resolveWorkflowCode } from '../../src/temporal/worker.js';
import { runCommand, startCommand } from '../support/cli.js';
import type { Environment, RunningCommand } from '../support/cli.js';
import { listSignals } from '../support/delivery.js';
import { getSize, testEnvironment } from '../support/environment.js';
import { createPolicy } from '../support/policy.js';
import { readTestServers } from '../support/servers-file.js';
import { commitCompany, employee } from '../support/staging.js';
import { silenceRuntime, waitUntil } from '../support/worker.js';

/**
 * Kills worker, Temporal and PostgreSQL several times while they deliver; nothing is lost. Starts its own servers.
 * Larger: `CHAOS_EVENTS=2000 CHAOS_ROUNDS=3 npm test -- test/e2e/chaos.test.ts`.
 */
const EVENTS = getSize('CHAOS_EVENTS', 80);
const ROUNDS = getSize('CHAOS_ROUNDS', 1);
const EVENTS_A_PERSON = 4;
const PEOPLE = Math.ceil(EVENTS / EVENTS_A_PERSON);
const SUBSCRIBERS = ['it', 'hr'];
const TIMEOUT_MS = 120_000 + EVENTS * 1_000 + ROUNDS * 180_000;
const POLICY = `lifecycle: { brake: { movers: { atLeast: 100000 } } }
subscribers:
${SUBSCRIBERS.map(formatSubscriber).join('\n')}
`;

function formatSubscriber(name: string): string {
  const workflow = `workflowType: demoDownstream, workflowId: "${name}:{employeeId}", taskQueue: demo-it`;
  return `  - { name: ${name}, ${workflow}, events: [mover.changed] }`;
}

let home: string;
let guard: Guard;
let postgres: PostgresServer;
let temporal: TemporalServer;
let database: Database;
let environment: Environment;
let worker: RunningCommand;
let connection: NativeConnection;
let downstream: WorkerHost;

const createServerOptions = () => ({
  home,
  guard,
  environment: testEnvironment,
  say: () => undefined,
  headless: true,
  explicitPath: readTestServers().temporalCli,
});

beforeAll(async () => {
  silenceRuntime();
  home = mkdtempSync(join(tmpdir(), 'personio-sync-chaos-'));
  writeFileSync(join(home, 'personio-sync.yaml'), POLICY);
  guard = startGuard();
  postgres = await startPostgresServer(createServerOptions());
  temporal = await startTemporalServer(createServerOptions());
  environment = { DATABASE_URL: postgres.url, TEMPORAL_ADDRESS: temporal.address, METRICS_ADDRESS: 'off' };
  expect(await runCommand(['migrate'], environment, home)).toMatchObject({ code: 0 });
  database = openDatabase({ url: postgres.url, applicationName: 'personio-sync chaos', poolSize: 4 });
  for (let version = 0; version <= EVENTS_A_PERSON; version++) {
    const company = Array.from({ length: PEOPLE }, (_, id) => employee(id + 1, { position: `Position ${version}` }));
    await commitCompany(database, createPolicy(POLICY), company);
  }
  connection = await connectWorker({ connectionOptions: { address: temporal.address }, namespace: 'default' }, 30_000);
  downstream = runWorkers([
    await Worker.create({
      connection,
      namespace: 'default',
      taskQueue: 'demo-it',
      maxCachedWorkflows: 50,
      activities: { applyToDirectory: async (kind: string) => Promise.resolve(kind) },
      ...resolveWorkflowCode('demo-workflow-bundle', '../../workflows/demo-downstream.js', {}),
    }),
  ]);
  worker = startCommand(['worker', '--only', 'lifecycle'], environment, home);
}, TIMEOUT_MS);
afterAll(async () => {
  worker.child.kill('SIGKILL');
  await worker.ended;
  downstream.shutdown();
  await downstream.done;
  await connection.close();
  await database.close();
  await temporal.stop();
  await postgres.stop();
  guard.release();
}, TIMEOUT_MS);

async function countAcknowledged(): Promise<number> {
  try {
    const [row] = await database.query<{ count: number }>(
      `select count(*) as count from personio.deliveries where state = 'acknowledged'`,
    );
    return row?.count ?? 0;
  } catch {
    // PostgreSQL was killed a moment ago.
    return 0;
  }
}

const KILLS: readonly (() => Promise<void>)[] = [
  async () => {
    worker.child.kill('SIGKILL');
    await worker.ended;
    worker = startCommand(['worker', '--only', 'lifecycle'], environment, home);
  },
  async () => {
    process.kill(temporal.pid, 'SIGKILL');
    await temporal.stop();
    temporal = await startTemporalServer(createServerOptions());
  },
  async () => {
    // An immediate shutdown is a crash: nothing is flushed, and the next start recovers.
    process.kill(postgres.pid, 'SIGQUIT');
    await postgres.stop();
    postgres = await startPostgresServer(createServerOptions());
  },
];

interface Tally {
  expected: number;
  sent: number;
  repeated: number;
  lost: number;
  outOfOrder: number;
}

async function createTally(): Promise<Tally> {
  const clients = await connectTemporal(
    { connectionOptions: { address: temporal.address }, namespace: 'default' },
    30_000,
  );
  const tally: Tally = { expected: 0, sent: 0, repeated: 0, lost: 0, outOfOrder: 0 };
  for (let id = 1; id <= PEOPLE; id++) {
    const events = await database.query<{ event_id: string }>(
      'select event_id from personio.lifecycle_events where employee_id = $1 order by sequence',
      [String(id)],
    );
    const wanted = events.map((row) => row.event_id);
    for (const name of SUBSCRIBERS) {
      const received = (await listSignals(clients.client, `${name}:${id}`)).map(({ eventId }) => eventId);
      const once = [...new Set(received)];
      tally.expected += wanted.length;
      tally.sent += received.length;
      tally.repeated += received.length - once.length;
      tally.lost += wanted.filter((eventId) => !once.includes(eventId)).length;
      if (JSON.stringify(once) !== JSON.stringify(wanted)) tally.outOfOrder += 1;
    }
  }
  await clients.close();
  return tally;
}

test(
  'killing worker, Temporal and PostgreSQL loses and reorders no delivery',
  async () => {
    const all = PEOPLE * EVENTS_A_PERSON * SUBSCRIBERS.length;
    const kills = Array.from({ length: ROUNDS }, () => KILLS).flat();
    for (const [index, kill] of kills.entries()) {
      // Each kill happens after another share was delivered, in the middle of the next.
      const share = Math.floor((all * (index + 1)) / (kills.length + 1) / 2);
      await waitUntil(async () => (await countAcknowledged()) >= share, TIMEOUT_MS);
      await kill();
    }
    await waitUntil(async () => (await countAcknowledged()) === all, TIMEOUT_MS);
    const tally = await createTally();
    process.stderr.write(`chaos: ${kills.length} kills during ${all} deliveries: ${JSON.stringify(tally)}\n`);
    expect(tally).toMatchObject({ expected: all, lost: 0, outOfOrder: 0 });
    const wrong = await database.query(
      `select 1 from personio.deliveries where sent_at is null or acknowledged_at is null or state <> 'acknowledged'`,
    );
    expect(wrong).toHaveLength(0);
  },
  2 * TIMEOUT_MS,
);
