/**
 * A worker in its own process, from the build, that dies by SIGKILL at a step of its second run, so that nothing is
 * cleaned up. `STEP` is the name of an activity: the worker dies when its work is done and before Temporal learns of
 * it. With `commitEmployees inside` it dies in the transaction.
 */
import { createHmac } from 'node:crypto';
import { NativeConnection } from '@temporalio/worker';
import { pino } from 'pino';
import { createActivities, createPersonioAccess } from '../../dist/activities/index.js';
import { parsePolicy } from '../../dist/src/config/policy-file.js';
import { openDatabase } from '../../dist/src/store/database.js';
import { connectTemporal } from '../../dist/src/temporal/connection.js';
import { createWorkers } from '../../dist/src/temporal/worker.js';

const { DATABASE_URL, TEMPORAL_ADDRESS, TEMPORAL_NAMESPACE, PERSONIO_BASE_URL, STEP } = process.env;
const [step, isInside] = (STEP ?? '').split(' ');
const die = () => process.kill(process.pid, 'SIGKILL');
/** Runs seen so far, by their first activity: a run opens and exchanges its token in parallel. */
const runs = new Set();

function dieAfter(name, activity) {
  return async (request) => {
    if (request?.runId !== undefined) runs.add(request.runId);
    const result = await activity(request);
    if (name === step && isInside === undefined && runs.size === 2) {
      die();
      await new Promise(() => undefined);
    }
    return result;
  };
}

const database = openDatabase({ url: DATABASE_URL, applicationName: 'killable worker', poolSize: 10 });
const target = { connectionOptions: { address: TEMPORAL_ADDRESS }, namespace: TEMPORAL_NAMESPACE };
const temporal = await connectTemporal(target, 30_000);
const { policy } = parsePolicy('reading: { requestsPerMinute: 1000000, requestsPerSecond: 100000 }');
const logger = pino({ level: 'silent' });
const connections = [{ connectionId: 'default', baseUrl: PERSONIO_BASE_URL, clientId: 'id', clientSecret: 'secret' }];
const { namespaceInfo } = await temporal.connection.workflowService.describeNamespace({
  namespace: TEMPORAL_NAMESPACE,
});
const activities = createActivities({
  database,
  policy,
  logger,
  namespace: TEMPORAL_NAMESPACE,
  getClient: temporal.getClient,
  readNamespaceId: async () => namespaceInfo.id,
  personio: createPersonioAccess({ database, logger, limits: policy.reading, ring: [], connections }),
  digest: (text) => {
    if (isInside !== undefined && runs.size === 2) die();
    return createHmac('sha256', 'the same everywhere').update(text).digest('hex').slice(0, 20);
  },
});
const killable = Object.fromEntries(
  Object.entries(activities).map(([name, activity]) => [name, dieAfter(name, activity)]),
);
const connection = await NativeConnection.connect({ address: TEMPORAL_ADDRESS });
const workers = await createWorkers({ connection, namespace: TEMPORAL_NAMESPACE, activities: killable });
await Promise.all(workers.map(async (worker) => worker.run()));
