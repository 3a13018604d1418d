import { Runtime } from '@temporalio/worker';
import type { NativeConnection, Worker } from '@temporalio/worker';
import { createActivities, createPersonioAccess } from '../../activities/index.js';
import type { ConnectionCredentials, DispatchDependencies } from '../../activities/index.js';
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
import type { WorkerRole } from '../temporal/worker.js';
import { startDeliveryHost } from './delivery-host.js';
import { WorkerStartError } from './errors.js';
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
  readonly only?: WorkerRole | undefined;
}

/** Workers that poll. */
export interface WorkerHost {
  /** Rejects when a worker breaks; resolves after `shutdown`. */
  readonly done: Promise<void>;
  /** Takes no new work and finishes, or hands back, what runs. */
  readonly shutdown: () => void;
}

/** Connections that a worker's database pool may open. */
export const WORKER_POOL_SIZE = 20;

/** Composes the activities and starts the workers. */
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

/** What goes with the lifecycle queue: the handing over at start, the metrics, and the feed where it is asked for. */
async function withDeliveries(
  host: WorkerHost,
  delivery: DispatchDependencies,
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
  // Whoever waits for `done` hears of it; without this, a worker that breaks earlier would end the process.
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

/** The SDK's runtime, once a process: our logger, our signals, and Prometheus where an address is given. */
export function installRuntime(logger: Logger, metricsAddress: string | null): void {
  try {
    Runtime.install({
      logger: toTemporalLogger(logger),
      // Ours stop the workers, in the order that the servers need.
      shutdownSignals: [],
      telemetryOptions: {
        logging: { filter: { core: 'WARN', other: 'WARN' }, forward: {} },
        ...(metricsAddress === null
          ? {}
          : { metrics: { prometheus: { bindAddress: metricsAddress, histogramBucketOverrides: METRIC_BUCKETS } } }),
      },
    });
  } catch (error) {
    const reason = error instanceof Error ? (error.message.split('\n')[0] ?? '') : '';
    throw new WorkerStartError(
      `Metrics cannot be served at METRICS_ADDRESS (${reason}). Set another host:port, or METRICS_ADDRESS=off.`,
    );
  }
}

/** Resolves on the first Ctrl-C or `kill`. */
export async function waitForSignal(): Promise<NodeJS.Signals> {
  return new Promise((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => resolve(signal));
  });
}
