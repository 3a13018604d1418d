import { readSettings } from '../../config/settings.js';
import type { Settings } from '../../config/settings.js';
import { ENDPOINTS } from '../../contracts/internal/names.js';
import { createLogger } from '../../observability/logger.js';
import type { Logger } from '../../observability/logger.js';
import { listConnectionIds, readInstallationId } from '../../store/connections.js';
import { formatPsqlArguments } from '../../network/postgres-url.js';
import { openDatabase, requireDatabase } from '../../store/database.js';
import type { Database } from '../../store/database.js';
import { listRunEvents, countUnacknowledged } from '../../store/events/queries.js';
import { migrate } from '../../store/migrate.js';
import { readPreview } from '../../store/employees/preview.js';
import { connectTemporal, connectWorker } from '../../temporal/connection.js';
import type { TemporalClients } from '../../temporal/connection.js';
import { applySchedules } from '../../temporal/schedules.js';
import { registerSearchAttributes } from '../../temporal/search-attributes.js';
import type { CommandDefinition } from '../command.js';
import { createDemoWorker, withDemoSubscriber } from '../dev/demo-subscriber.js';
import { startDevServers } from '../dev/dev-servers.js';
import type { DevServers } from '../dev/dev-servers.js';
import { CommandError, EXIT } from '../exit.js';
import type { ExitCode } from '../exit.js';
import { formatEvent } from '../format-event.js';
import { createOutput } from '../output.js';
import type { Output } from '../output.js';
import { formatRun, reportRuns } from '../runs/report-runs.js';
import { runPreview, runThroughSchedule } from '../runs/start-run.js';
import type { RunReport } from '../runs/wait-for-run.js';
import { WORKER_POOL_SIZE, installRuntime, runWorkers, startWorkers, waitForSignal } from '../../worker/worker-host.js';

interface Options {
  readonly once?: boolean;
  readonly json?: boolean;
  readonly fresh?: boolean;
}

const CONNECT_TIMEOUT_MS = 60_000;
const ACKNOWLEDGE_TIMEOUT_MS = 30_000;

/** `dev [--once] [--json] [--fresh]`: everything on this machine. */
export const devCommand: CommandDefinition = (program, finish) => {
  program
    .command('dev')
    .description('start everything on this machine and sync now, then on schedule, until Ctrl-C')
    .option('--once', 'sync every endpoint once, simulate a day in the demo company, and exit')
    .option('--json', 'print one JSON document')
    .option('--fresh', 'delete the state of earlier starts first')
    .action(async (options: Options) => finish(run(options)));
};

async function run(options: Options): Promise<ExitCode> {
  const output = createOutput(options.json === true, process.stdout, process.stderr);
  const settings = readSettings();
  const stopped = waitForSignal();
  const servers = await startDevServers(settings, options.fresh === true, output.note);
  try {
    return await runWithWorkers({ settings, servers, output, stopped }, options.once === true);
  } finally {
    await servers.stop();
  }
}

interface DevContext {
  readonly settings: Settings;
  readonly servers: DevServers;
  readonly output: Output;
  readonly stopped: Promise<NodeJS.Signals>;
}

async function runWithWorkers(context: DevContext, once: boolean): Promise<ExitCode> {
  const { settings, servers, output } = context;
  const logger = createLogger({ ...settings, logLevel: settings.logLevel === 'info' ? 'warn' : settings.logLevel });
  await installRuntime(logger, settings.metricsAddress === 'off' ? null : settings.metricsAddress);
  const database = openDatabase({
    url: servers.databaseUrl,
    applicationName: 'personio-sync dev',
    poolSize: WORKER_POOL_SIZE,
  });
  try {
    const [temporal] = await Promise.all([
      connectTemporal(servers.temporal, CONNECT_TIMEOUT_MS),
      prepareDatabase(database),
    ]);
    await prepareTemporal(temporal);
    // The client stays open until the process ends. An interrupted first pass still waits for its runs, and a call that
    // the client retries on a closed channel throws where nothing can catch it (@temporalio/client, grpc-retry).
    return await pollUntilStopped({ ...context, logger, database, temporal }, once);
  } finally {
    await database.close();
    output.note('Stopped.');
  }
}

interface PollingContext extends DevContext {
  readonly logger: Logger;
  readonly database: Database;
  readonly temporal: TemporalClients;
}

async function prepareDatabase(database: Database): Promise<void> {
  await requireDatabase(database, CONNECT_TIMEOUT_MS);
  await migrate(database);
}

async function prepareTemporal({ connection, namespace }: TemporalClients): Promise<void> {
  const { remedy } = await registerSearchAttributes(connection, namespace);
  if (remedy !== null)
    throw new CommandError(
      'This connection may not register search attributes on the Temporal server. ' +
        `Ask an administrator to run: ${remedy}`,
    );
}

async function pollUntilStopped(context: PollingContext, once: boolean): Promise<ExitCode> {
  const { settings, servers, database, temporal, logger, stopped } = context;
  const policy = withDemoSubscriber(settings.policy);
  const credentials = servers.personio;
  const connection = await connectWorker(servers.temporal, CONNECT_TIMEOUT_MS);
  const host = await startWorkers({
    settings,
    policy,
    connections: [credentials],
    database,
    temporal,
    connection,
    logger,
  });
  const downstream = runWorkers(
    policy === settings.policy ? [] : [await createDemoWorker(connection, temporal.namespace, temporal.dataConverter)],
  );
  try {
    const connectionIds = [credentials.connectionId, ...(await listConnectionIds(database))];
    const installationId = await readInstallationId(database);
    await applySchedules({ client: temporal.client, installationId, connectionIds }, policy.schedule);
    introduce(context);
    const pass = runFirstPass(context, credentials.connectionId).then(async (code) => {
      if (!once) await previewDataError(context, credentials.connectionId);
      suggest(context);
      return code;
    });
    if (once) return await Promise.race([pass, stopped.then(() => EXIT.failed)]);
    await Promise.race([stopped, host.done, pass.then(async () => stopped)]);
    return EXIT.done;
  } finally {
    host.shutdown();
    downstream.shutdown();
    await Promise.all([host.done, downstream.done]);
    await connection.close();
  }
}

/** Prints what is running where: the first lines that a newcomer sees. */
function introduce({ output, servers, settings }: PollingContext): void {
  const address = servers.temporal.connectionOptions.address ?? 'localhost:7233';
  const ui = servers.uiUrl === null ? '' : ` — UI: ${servers.uiUrl}`;
  output.say(`Temporal   ${address}, namespace ${servers.temporal.namespace}${ui}`);
  const own = settings.databaseUrl === null ? `PGPASSWORD=$(cat ${settings.home}/postgres.password) ` : '';
  output.say(`Database   ${own}psql ${formatPsqlArguments(servers.databaseUrl)}`);
  output.say(
    servers.company === null
      ? `Personio   ${settings.personio?.baseUrl ?? ''}, connection ${settings.connectionId}; ` +
          'personio-sync never writes to it'
      : `Personio   a made-up company of ${servers.company.size} people — set PERSONIO_CLIENT_ID to use your own`,
  );
  output.say('');
}

/** Syncs every endpoint; then lets a day pass in the demo company and prints its events and who acknowledged them. */
async function runFirstPass(context: PollingContext, connectionId: string): Promise<ExitCode> {
  const { output, servers, database, settings } = context;
  const endpoints = ENDPOINTS.filter((endpoint) => settings.policy.schedule.cron[endpoint] !== null);
  const runs = [...(await Promise.all(endpoints.map(async (endpoint) => syncNow(context, connectionId, endpoint))))];
  if (servers.company !== null && endpoints.includes('employees')) {
    servers.company.advanceDay();
    output.say('');
    output.say('Simulating a day in the demo company: one employee joins, one moves, one has left.');
    runs.push(await syncNow(context, connectionId, 'employees'));
  }
  const runIds = runs.map(({ runId }) => runId);
  const until = Date.now() + ACKNOWLEDGE_TIMEOUT_MS;
  while ((await countUnacknowledged(database, runIds)) > 0 && Date.now() < until)
    await new Promise((resolve) => setTimeout(resolve, 100));
  const events = await listRunEvents(database, runIds);
  const due = events.filter((event) => event.state === 'due');
  for (const event of due) output.say(`  ${formatEvent(event)}`);
  const planned = events.filter((event) => event.state === 'planned').length;
  if (planned > 0)
    output.say(`  … and events for ${planned} upcoming starts and ends are planned; each falls due at its own time.`);
  return reportRuns(output, runs, events);
}

/** Shows what the brake would do about an HR data error, as a preview that changes nothing. */
async function previewDataError(
  { output, servers, database, temporal }: PollingContext,
  connectionId: string,
): Promise<void> {
  const undo = servers.company?.simulateDataError();
  if (undo !== undefined) {
    output.say('');
    output.say(
      'Simulating an HR data error: a third of the company is marked as having left. `preview employees` reports:',
    );
    const { runId } = await runPreview(temporal.client, connectionId, () => undefined);
    for (const sentence of (await readPreview(database, runId)).why) output.say(`  ${sentence}.`);
    undo();
    output.say('  (The error is undone; nothing has changed.)');
  }
}

function suggest({ output }: PollingContext): void {
  output.say('');
  output.say(
    'Next: look at the runs in the Temporal UI, `npx personio-sync status`, `npx personio-sync events --planned`, ' +
      '`npx personio-sync explain EVENT`, and the tables in the schema personio.',
  );
}

async function syncNow(
  context: PollingContext,
  connectionId: string,
  endpoint: (typeof ENDPOINTS)[number],
): Promise<RunReport> {
  const { database, temporal, settings } = context;
  const installation = {
    client: temporal.client,
    installationId: await readInstallationId(database),
    connectionIds: [connectionId],
  };
  const request = { connectionId, endpoint, policy: settings.policy, installation };
  const run = await runThroughSchedule(request, () => undefined);
  context.output.say(formatRun(run));
  return run;
}
