import { DefaultLogger, Runtime } from '@temporalio/worker';
import { pino } from 'pino';
import { createActivities, createPersonioAccess } from '../../activities/index.js';
import { createDemoWorker } from '../../src/cli/dev/demo-subscriber.js';
import { runWorkers } from '../../src/worker/worker-host.js';
import type { WorkerHost } from '../../src/worker/worker-host.js';
import { createDigester } from '../../src/crypto/sealing.js';
import type { Policy } from '../../src/domain/policy.js';
import type { FakePersonio } from '../../src/fake-personio/server.js';
import type { HttpTimeouts } from '../../src/personio/http.js';
import { readDigestKey } from '../../src/store/connections.js';
import type { Database } from '../../src/store/database.js';
import { connectTemporal, connectWorker } from '../../src/temporal/connection.js';
import type { TemporalClients, TemporalTarget } from '../../src/temporal/connection.js';
import { registerSearchAttributes } from '../../src/temporal/search-attributes.js';
import { createWorkers } from '../../src/temporal/worker.js';
import { readTestServers } from './servers-file.js';

export interface TestWorker {
  readonly temporal: TemporalClients;
  readonly target: TemporalTarget;
  readonly stop: () => Promise<void>;
}

/** Silences the SDK, whose log is meant for operators. */
export function silenceRuntime(): void {
  try {
    Runtime.install({
      logger: new DefaultLogger('ERROR'),
      telemetryOptions: { logging: { filter: { core: 'ERROR', other: 'ERROR' }, forward: {} } },
    });
  } catch {
    // Another file of this process has installed it already.
  }
}

let namespaces = 0;

/** Creates a namespace with the search attributes. */
export async function createNamespace(): Promise<{
  readonly temporal: TemporalClients;
  readonly target: TemporalTarget;
}> {
  namespaces += 1;
  const namespace = `test-${process.pid}-${Date.now()}-${namespaces}`;
  const connectionOptions = { address: readTestServers().temporalAddress };
  const admin = await connectTemporal({ connectionOptions, namespace: 'default' }, 10_000);
  const retention = { seconds: 86_400 as never };
  await admin.connection.workflowService.registerNamespace({ namespace, workflowExecutionRetentionPeriod: retention });
  await admin.close();
  const target = { connectionOptions, namespace };
  const temporal = await connectTemporal(target, 10_000);
  await waitUntil(async () => {
    try {
      await registerSearchAttributes(temporal.connection, namespace);
      return true;
    } catch {
      return false;
    }
  }, 30_000);
  return { temporal, target };
}

export interface TestWorkerOptions {
  readonly database: Database;
  readonly fake: FakePersonio;
  readonly policy: Policy;
  /** Default: those of production. */
  readonly timeouts?: HttpTimeouts;
}

/** Starts all workers of personio-sync and of the demo subscriber in this process, in a namespace of their own. */
export async function startTestWorker({ database, fake, policy, timeouts }: TestWorkerOptions): Promise<TestWorker> {
  silenceRuntime();
  const { temporal, target } = await createNamespace();
  const connection = await connectWorker(target, 10_000);
  const logger = pino({ level: 'silent' });
  const credentials = { connectionId: 'default', baseUrl: fake.url, clientId: 'id', clientSecret: 'secret' };
  const activities = createActivities({
    database,
    policy,
    logger,
    namespace: target.namespace,
    getClient: temporal.getClient,
    readNamespaceId: async () => {
      const { namespaceInfo } = await temporal.connection.workflowService.describeNamespace({
        namespace: target.namespace,
      });
      return namespaceInfo?.id ?? '';
    },
    personio: createPersonioAccess({
      database,
      logger,
      limits: policy.reading,
      ring: [],
      connections: [credentials],
      ...(timeouts === undefined ? {} : { timeouts }),
    }),
    digest: createDigester(await readDigestKey(database)),
  });
  const workers = await createWorkers({ connection, namespace: target.namespace, activities });
  const hosts: readonly WorkerHost[] = [
    runWorkers(workers),
    runWorkers([await createDemoWorker(connection, target.namespace)]),
  ];
  return {
    temporal,
    target,
    stop: async () => {
      for (const host of hosts) host.shutdown();
      await Promise.all(hosts.map(async (host) => host.done));
      await connection.close();
      await temporal.close();
    },
  };
}

/** Waits for a condition, and throws if it is not met in time. */
export async function waitUntil(condition: () => Promise<boolean>, timeoutMs = 30_000): Promise<void> {
  const end = Date.now() + timeoutMs;
  while (!(await condition())) {
    if (Date.now() > end) throw new Error(`The condition was not met within ${timeoutMs} ms.`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
