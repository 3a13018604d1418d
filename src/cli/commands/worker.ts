import { InvalidArgumentError } from 'commander';
import { readSettings } from '../../config/settings.js';
import type { Settings } from '../../config/settings.js';
import { TASK_QUEUE } from '../../contracts/internal/names.js';
import { parseKeyRing } from '../../crypto/sealing.js';
import { createLogger } from '../../observability/logger.js';
import type { Logger } from '../../observability/logger.js';
import { requireOpenable } from '../../store/connections.js';
import { openDatabase, requireDatabase } from '../../store/database.js';
import { requireSchema } from '../../store/migrate.js';
import { connectTemporal, connectWorker } from '../../temporal/connection.js';
import type { TemporalClients } from '../../temporal/connection.js';
import { findMissingSearchAttributes, formatRemedy } from '../../temporal/search-attributes.js';
import { QUEUES } from '../../temporal/worker.js';
import type { Queue } from '../../temporal/worker.js';
import type { CommandDefinition } from '../command.js';
import { CommandError, EXIT } from '../exit.js';
import type { ExitCode } from '../exit.js';
import { resolveServers } from '../servers.js';
import type { Servers } from '../servers.js';
import { WORKER_POOL_SIZE, installRuntime, startWorkers, waitForSignal } from '../../worker/worker-host.js';

const CONNECT_TIMEOUT_MS = 30_000;
const DEFAULT_METRICS = '0.0.0.0:9464';
/** Former values of `--only`, which scripts may still use. */
const FORMER_NAMES: ReadonlyMap<string, Queue> = new Map([
  ['orchestration', 'sync'],
  ['personio', 'api'],
]);

/** `worker [--only …]` */
export const workerCommand: CommandDefinition = (program, finish) => {
  program
    .command('worker')
    .description('run the production worker until stopped')
    .option('--only <queue>', `poll one task queue only: ${QUEUES.join(', ')}`, parseQueue)
    .action(async (options: { only?: Queue }) => finish(run(options.only)));
};

/** Understands the short name of a queue, its full name and its former name. */
function parseQueue(text: string): Queue {
  const queue = QUEUES.find((one) => text === one || text === TASK_QUEUE[one]) ?? FORMER_NAMES.get(text);
  if (queue === undefined) throw new InvalidArgumentError(`must be one of ${QUEUES.join(', ')}.`);
  return queue;
}

async function run(only: Queue | undefined): Promise<ExitCode> {
  const settings = readSettings();
  const servers = resolveServers(settings);
  const logger = createLogger(settings);
  const stopped = waitForSignal();
  await installRuntime(logger, getMetricsAddress(settings));
  const database = openDatabase({
    url: servers.databaseUrl,
    applicationName: 'personio-sync worker',
    poolSize: WORKER_POOL_SIZE,
  });
  try {
    await requireDatabase(database, CONNECT_TIMEOUT_MS);
    await requireSchema(database);
    await requireOpenable(database, parseKeyRing(settings.keys));
    const temporal = await connectTemporal(servers.temporal, CONNECT_TIMEOUT_MS);
    await requireSearchAttributes(temporal);
    const connection = await connectWorker(servers.temporal, CONNECT_TIMEOUT_MS);
    const connections = settings.personio === null ? [] : [settings.personio];
    const host = await startWorkers({
      settings,
      policy: settings.policy,
      connections,
      database,
      temporal,
      connection,
      logger,
      only,
    });
    announce(logger, servers, only);
    const signal = await Promise.race([stopped, host.done.then(() => null)]);
    logger.info({ signal }, 'Stopping: takes no new work and finishes or hands back what runs');
    host.shutdown();
    await host.done;
    await connection.close();
    await temporal.close();
    logger.info('Stopped');
    return EXIT.done;
  } finally {
    await database.close();
  }
}

function announce(logger: Logger, { temporal }: Servers, only: Queue | undefined): void {
  const address = temporal.connectionOptions.address ?? 'localhost:7233';
  logger.info({ temporal: address, namespace: temporal.namespace, only: only ?? 'all' }, 'The worker polls');
}

function getMetricsAddress({ metricsAddress }: Settings): string | null {
  return metricsAddress === 'off' ? null : (metricsAddress ?? DEFAULT_METRICS);
}

/** Throws where search attributes are missing: without them Temporal refuses schedules and workflow tasks fail. */
async function requireSearchAttributes({ connection, namespace }: TemporalClients): Promise<void> {
  const missing = await findMissingSearchAttributes(connection, namespace);
  if (missing.length === 0) return;
  throw new CommandError(
    `The namespace ${namespace} lacks the search attributes ${missing.join(', ')}. ` +
      `Run \`personio-sync migrate\`, or ${formatRemedy(namespace, missing)}`,
  );
}
