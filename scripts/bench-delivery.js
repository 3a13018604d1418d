/**
 * How fast deliveries go that fall due at one moment, against a bare workflow that takes the same steps on the same server in the same run.
 * `npm run build && node scripts/bench-delivery.js [events]`; starts servers of its own in a temporary folder.
 */
import { Buffer } from 'node:buffer';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { DefaultLogger, Runtime, Worker } from '@temporalio/worker';
import { pino } from 'pino';
import { createActivities, createDispatch, createPersonioAccess } from '../dist/activities/index.js';
import { hosted } from '../dist/src/cli/worker-host.js';
import { parsePolicy } from '../dist/src/config/policy-file.js';
import { digester } from '../dist/src/crypto/sealing.js';
import { startPostgresServer } from '../dist/src/embedded/postgres-server.js';
import { startGuard } from '../dist/src/embedded/processes.js';
import { startTemporalServer } from '../dist/src/embedded/temporal-server.js';
import { openDatabase } from '../dist/src/store/database.js';
import { commitEmployees } from '../dist/src/store/employees-commit.js';
import { migrate } from '../dist/src/store/migrate.js';
import { insertRun } from '../dist/src/store/runs.js';
import { createStaging, stageRecords } from '../dist/src/store/staging.js';
import { connectTemporal, connectWorker } from '../dist/src/temporal/connection.js';
import { registerSearchAttributes } from '../dist/src/temporal/search-attributes.js';
import { createWorkers, workflowCode } from '../dist/src/temporal/worker.js';

const EVENTS = Number(process.argv[2] ?? 500);
/** Long enough to start them all before the moment comes, on the slowest development server that was seen. */
const LEAD_MS = 10_000 + EVENTS * 50;
const IN_FLIGHT = 32;
const NAMESPACE = 'default';
const connectionId = 'default';

const { policy } = parsePolicy(
  'subscribers: [{ name: it, workflowType: demoDownstream, workflowId: "it:{employeeId}", taskQueue: demo-it, events: [leaver.left] }]',
);

async function inParallel(count, work) {
  for (let index = 0; index < count; index += IN_FLIGHT)
    await Promise.all(Array.from({ length: Math.min(IN_FLIGHT, count - index) }, (_, at) => work(index + at + 1)));
}

async function until(condition) {
  while (!(await condition())) await new Promise((resolve) => setTimeout(resolve, 100));
}

/** People who are all known to leave: the baseline plans it. */
async function commitLeavers(database) {
  const day = new Date(Date.now() + 20 * 86_400_000).toISOString().slice(0, 10);
  const nothing = { email: null, firstName: null, lastName: null, preferredName: null, supervisorId: null, team: null };
  const records = Array.from({ length: EVENTS }, (_, index) => ({
    ...nothing,
    ...{ employeeId: String(index + 1), status: 'active', position: 'Engineer', departmentId: '1', department: 'IT' },
    ...{
      office: 'Berlin',
      subcompany: null,
      employmentType: 'internal',
      hireDate: '2020-01-01',
      contractEndDate: null,
    },
    ...{ terminationDate: day, lastWorkingDay: day, terminationType: null, weeklyWorkingHours: '40', costCenters: [] },
    ...{ attributes: {}, absentAttributes: [] },
  }));
  const run = { connectionId, endpoint: 'employees', runId: 'bench' };
  await insertRun(database, run, new Date().toISOString(), null);
  await createStaging(database, run);
  await stageRecords(database, run, { reading: 1, chunk: null }, { endpoint: 'employees', records });
  const request = { ...run, source: 'v1', reading: 1, total: EVENTS, collectedAt: new Date().toISOString() };
  await commitEmployees(
    database,
    { ...request, preview: false, requests: 1, onlyEmployeeId: null },
    { policy, digest: digester(Buffer.alloc(32, 7)) },
  );
}

/** @returns milliseconds from the common moment until the last acknowledgement is stored. */
async function measureOurs(database, dispatch) {
  const dueAt = Date.now() + LEAD_MS;
  for (const table of ['lifecycle_events', 'deliveries'])
    await database.run(`update personio.${table} set due_at = $1`, [new Date(dueAt).toISOString()]);
  await dispatch({ connectionId });
  if (Date.now() > dueAt) throw new Error('The moment came before everybody was handed over.');
  await until(async () => {
    const [row] = await database.rows(`select count(*) as open from personio.deliveries where state <> 'acknowledged'`);
    return row.open === 0;
  });
  return Date.now() - dueAt;
}

async function measureBare(database, client) {
  await database.run('create table bench (id text primary key)');
  const dueAt = Date.now() + LEAD_MS;
  await inParallel(EVENTS, async (id) =>
    client.workflow.start('bareDelivery', { workflowId: `bare:${id}`, taskQueue: 'bare', args: [{ id, dueAt }] }),
  );
  if (Date.now() > dueAt) throw new Error('The moment came before everybody was started.');
  await until(async () => {
    const [row] = await database.rows('select count(*) as done from bench');
    return row.done === EVENTS;
  });
  return Date.now() - dueAt;
}

function bareActivities(database, client) {
  return {
    signalSubscriber: async (id) => {
      const event = { deliveryId: `bare:${id}`, employeeId: String(id), kind: 'leaver.left' };
      const acknowledge = { namespace: NAMESPACE, workflowId: `bare:${id}`, signal: 'acknowledge' };
      await client.workflow.signalWithStart('demoDownstream', {
        ...{ workflowId: `bare-it:${id}`, taskQueue: 'demo-it', args: [] },
        ...{ signal: 'personio.lifecycle.v1', signalArgs: [{ ...event, acknowledge }] },
      });
    },
    storeRow: async (id) => database.run('insert into bench values ($1) on conflict do nothing', [id]),
  };
}

Runtime.install({ logger: new DefaultLogger('ERROR') });
const home = mkdtempSync(join(tmpdir(), 'personio-sync-bench-'));
const guard = startGuard();
const options = { home, guard, environment: process.env, say: console.error, headless: true, explicitPath: null };
const postgres = await startPostgresServer(options);
const temporal = await startTemporalServer(options);
const database = openDatabase({ url: postgres.url, applicationName: 'bench', poolSize: 20 });
const target = { connectionOptions: { address: temporal.address }, namespace: NAMESPACE };
const clients = await connectTemporal(target, 30_000);
const connection = await connectWorker(target, 30_000);
await migrate(database);
await registerSearchAttributes(clients.connection, NAMESPACE);
await commitLeavers(database);

const logger = pino({ level: 'silent' });
const dependencies = { database, policy, logger, namespace: NAMESPACE, clientOf: clients.inNamespace };
const delivery = { ...dependencies, namespaceId: async () => 'bench' };
const personio = createPersonioAccess({ database, logger, limits: policy.reading, ring: [], connections: [] });
const activities = createActivities({ ...delivery, personio, digest: String });
// The same limits as the worker of the lifecycle queue.
const limits = {
  ...{ maxConcurrentActivityTaskExecutions: 24, maxConcurrentWorkflowTaskExecutions: 20, maxCachedWorkflows: 200 },
};
const host = hosted([
  ...(await createWorkers({ connection, namespace: NAMESPACE, activities, only: 'lifecycle' })),
  await Worker.create({
    ...{ connection, namespace: NAMESPACE, taskQueue: 'bare', ...limits },
    activities: bareActivities(database, clients.client),
    workflowsPath: fileURLToPath(new URL('./bench/bare-workflow.js', import.meta.url)),
  }),
  await Worker.create({
    ...{ connection, namespace: NAMESPACE, taskQueue: 'demo-it', maxCachedWorkflows: 50 },
    activities: { applyToDirectory: async (kind) => kind },
    ...workflowCode('demo-workflow-bundle.js', '../../workflows/demo-downstream.js'),
  }),
]);
const oursMs = await measureOurs(database, createDispatch(delivery));
const bareMs = await measureBare(database, clients.client);
const rate = (ms) => Math.round((EVENTS / ms) * 10_000) / 10;
console.log(
  JSON.stringify({ events: EVENTS, perSecond: rate(oursMs), barePerSecond: rate(bareMs), ratio: bareMs / oursMs }),
);
host.shutdown();
await host.done;
await connection.close();
await clients.close();
await database.close();
await temporal.stop();
await postgres.stop();
guard.release();
rmSync(home, { recursive: true, force: true });
