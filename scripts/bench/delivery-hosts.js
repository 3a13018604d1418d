/** What deliveries are measured with, each in a process of its own: the bare workflow's worker, and the team that is told. */
import { fileURLToPath } from 'node:url';
import { DefaultLogger, Runtime, Worker } from '@temporalio/worker';
import { openDatabase } from '../../dist/src/store/database.js';
import { connectTemporal, connectWorker } from '../../dist/src/temporal/connection.js';

const [, , role, address, databaseUrl] = process.argv;
const target = { connectionOptions: { address }, namespace: 'default' };
const PATIENCE_MS = 30_000;
/** More tasks at a time than the worker of the lifecycle queue takes: nobody is to say that the bare one was held back. */
const LIMITS = {
  maxConcurrentActivityTaskExecutions: 24,
  maxConcurrentWorkflowTaskExecutions: 20,
  maxCachedWorkflows: 200,
};

Runtime.install({ logger: new DefaultLogger('ERROR'), shutdownSignals: [] });
const connection = await connectWorker(target, PATIENCE_MS);
const common = {
  connection,
  namespace: 'default',
  ...LIMITS,
  workflowsPath: fileURLToPath(new URL('./bare-workflow.js', import.meta.url)),
};
const worker = await Worker.create(
  role === 'told'
    ? { ...common, taskQueue: 'told' }
    : { ...common, taskQueue: 'bare', activities: await bareActivities() },
);

async function bareActivities() {
  const { client } = await connectTemporal(target, PATIENCE_MS);
  const database = openDatabase({ url: databaseUrl, applicationName: 'bare workflow', poolSize: 20 });
  return {
    signalSubscriber: async (id) => {
      const event = { deliveryId: `bare:${id}`, employeeId: String(id), kind: 'leaver.left' };
      const acknowledge = { namespace: 'default', workflowId: `bare:${id}`, signal: 'acknowledge' };
      await client.workflow.signalWithStart('answeringTeam', {
        workflowId: `bare-told:${id}`,
        taskQueue: 'told',
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
