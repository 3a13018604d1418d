/**
 * Workers for the measurement of deliveries, each in a process of its own: the bare workflow's (role `bare`) and the
 * subscriber's (role `subscriber`).
 */
import { fileURLToPath } from 'node:url';
import { DefaultLogger, Runtime, Worker } from '@temporalio/worker';
import { openDatabase } from '../../dist/src/store/database.js';
import { connectTemporal, connectWorker } from '../../dist/src/temporal/connection.js';

const [, , role, address, databaseUrl] = process.argv;
const target = { connectionOptions: { address }, namespace: 'default' };
const CONNECT_TIMEOUT_MS = 30_000;
/** More slots than our lifecycle worker has, so that they do not slow the bare workflow down. */
const LIMITS = {
  maxConcurrentActivityTaskExecutions: 24,
  maxConcurrentWorkflowTaskExecutions: 20,
  maxCachedWorkflows: 200,
};

Runtime.install({ logger: new DefaultLogger('ERROR'), shutdownSignals: [] });
const connection = await connectWorker(target, CONNECT_TIMEOUT_MS);
const common = {
  connection,
  namespace: 'default',
  ...LIMITS,
  workflowsPath: fileURLToPath(new URL('./bare-workflow.js', import.meta.url)),
};
const worker = await Worker.create(
  role === 'subscriber'
    ? { ...common, taskQueue: 'subscriber' }
    : { ...common, taskQueue: 'bare', activities: await createBareActivities() },
);

async function createBareActivities() {
  const { client } = await connectTemporal(target, CONNECT_TIMEOUT_MS);
  const database = openDatabase({ url: databaseUrl, applicationName: 'bare workflow', poolSize: 20 });
  return {
    signalSubscriber: async (id) => {
      const event = { deliveryId: `bare:${id}`, employeeId: String(id), kind: 'leaver.left' };
      const acknowledge = { namespace: 'default', workflowId: `bare:${id}`, signal: 'acknowledge' };
      await client.workflow.signalWithStart('acknowledgingSubscriber', {
        workflowId: `bare-subscriber:${id}`,
        taskQueue: 'subscriber',
        args: [],
        signal: 'personio.lifecycle.v1',
        signalArgs: [{ ...event, acknowledge }],
      });
    },
    storeRow: async (id) => database.run('insert into bench values ($1) on conflict do nothing', [id]),
  };
}

process.on('disconnect', () => worker.shutdown());
await worker.run();
process.exit(0);
