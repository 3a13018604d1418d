import { Runtime } from '@temporalio/worker';
import type { NativeConnection, Worker } from '@temporalio/worker';
import { createActivities, createPersonioAccess } from '../../activities/index.js';
import type { ConnectionCredentials, DeliveryDependencies } from '../../activities/index.js';
import { SettingsError } from '../config/settings.js';
import type { Settings } from '../config/settings.js';
import { createDigester, parseKeyRing } from '../crypto/sealing.js';
import type { Policy } from '../domain/policy.js';
import type { Logger } from '../observability/logger.js';
import { toTemporalLogger } from '../observability/logger.js';
import { METRIC_BUCKETS } from '../observability/metrics.js';
import { readDigestKey } from '../store/connections.js';
import type { Database } from '../store/database.js';
import type { TemporalClients } from '../temporal/connection.js';
import { findUnknownNamespaces } from '../temporal/namespaces.js';
import { createWorkers } from '../temporal/worker.js';
import type { Queue } from '../temporal/worker.js';
import { startDeliveryHost } from './delivery-host.js';
import { WorkerStartError } from './errors.js';
import { resolveMetricsAddress } from './metrics-address.js';
import { startFeedServer } from './feed-server.js';
import { reportSecretAges } from './secret-age.js';

export interface WorkerHostOptions {
  readonly settings: Settings;
  readonly policy: Policy;
  readonly connections: readonly ConnectionCredentials[];
  readonly database: Database;
  readonly temporal: TemporalClients;
  readonly connection: NativeConnection;
  readonly logger: Logger;
  readonly only?: Queue | undefined;
}

/** Workers that poll their task queues in this process. */
export interface WorkerHost {
  /** Rejects when a worker breaks; resolves after `shutdown`. */
  readonly done: Promise<void>;
  /** Stops polling, then finishes what is running or returns it to Temporal. */
  readonly shutdown: () => void;
}

/** Maximum number of connections in a worker's database pool. */
export const WORKER_POOL_SIZE = 20;

/**
 * Composes the activities, starts the workers, and with them what else a worker process hosts.
 *
 * @throws SettingsError if the policy names a namespace that the server does not know.
 * @throws WorkerStartError if the feed cannot be served.
 */
export async function startWorkers(options: WorkerHostOptions): Promise<WorkerHost> {
  const { settings, policy, connections, database, temporal, connection, logger, only } = options;
  const { namespace } = temporal;
  const faults = await findUnknownNamespaces(temporal.connection, policy.subscribers);
  if (faults.length > 0) throw new SettingsError(faults);
  const delivery = {
    database,
    policy,
    namespace,
    logger,
    getClient: temporal.getClient,
    readNamespaceId: async () => readNamespaceId(temporal),
  };
  const activities = createActivities({
    ...delivery,
    personio: createPersonioAccess({
      database,
      logger,
      connections,
      ring: parseKeyRing(settings.keys),
      limits: policy.reading,
    }),
    digest: createDigester(await readDigestKey(database)),
  });
  const { dataConverter } = temporal;
  const host = runWorkers(await createWorkers({ connection, namespace, activities, only, dataConverter }));
  const stopReporting = reportSecretAges(database, logger);
  host.done.then(stopReporting, stopReporting);
  return only === undefined || only === 'lifecycle' ? withDeliveries(host, delivery, settings) : host;
}

/**
 * Adds what goes with the lifecycle queue: the dispatch at start, the metrics of deliveries, and the feed if it is
 * enabled.
 */
async function withDeliveries(
  host: WorkerHost,
  delivery: DeliveryDependencies,
  { feed }: Settings,
): Promise<WorkerHost> {
  const { database, logger } = delivery;
  try {
    const server = feed === null ? null : await startFeedServer({ database, logger, ...feed });
    const deliveries = startDeliveryHost(delivery);
    const stop = async (): Promise<void> => {
      await Promise.all([deliveries.stop(), server?.close()]);
    };
    const done = host.done.finally(stop);
    done.catch(() => undefined);
    return {
      done,
      shutdown: () => {
        host.shutdown();
        void stop();
      },
    };
  } catch (error) {
    host.shutdown();
    await host.done;
    throw error;
  }
}

/** Runs workers until they are shut down. */
export function runWorkers(workers: readonly Worker[]): WorkerHost {
  const done = Promise.all(workers.map(async (worker) => worker.run())).then(() => undefined);
  // The caller sees the failure on `done`; without this, a worker that breaks earlier would end the process.
  done.catch(() => undefined);
  return {
    done,
    shutdown: () => {
      for (const worker of workers) if (worker.getState() === 'RUNNING') worker.shutdown();
    },
  };
}

async function readNamespaceId({ connection, namespace }: TemporalClients): Promise<string> {
  const { namespaceInfo } = await connection.workflowService.describeNamespace({ namespace });
  return namespaceInfo?.id ?? '';
}

/**
 * Installs the SDK's runtime, once per process: our logger, our signals, and Prometheus if an address is given.
 *
 * @throws WorkerStartError if metrics cannot be served at the address.
 */
export async function installRuntime(logger: Logger, metricsAddress: string | null): Promise<void> {
  const bindAddress = metricsAddress === null ? null : await resolveMetricsAddress(metricsAddress);
  try {
    Runtime.install({
      logger: toTemporalLogger(logger),
      // Our own handlers stop the workers, in the order that the servers need.
      shutdownSignals: [],
      telemetryOptions: {
        logging: { filter: { core: 'WARN', other: 'WARN' }, forward: {} },
        ...(bindAddress === null
          ? {}
          : { metrics: { prometheus: { bindAddress, histogramBucketOverrides: METRIC_BUCKETS } } }),
      },
    });
  } catch (error) {
    const reason = error instanceof Error ? (error.message.split('\n')[0] ?? '') : '';
    throw new WorkerStartError(
      `Cannot serve metrics at METRICS_ADDRESS (${reason}). Set another host:port, or METRICS_ADDRESS=off.`,
    );
  }
}

/** Waits for the first Ctrl-C or `kill`. */
export async function waitForSignal(): Promise<NodeJS.Signals> {
  return new Promise((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => resolve(signal));
  });
}
