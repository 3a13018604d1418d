import { readSettings } from '../../config/settings.js';
import { ENDPOINTS } from '../../contracts/internal/names.js';
import type { Endpoint } from '../../contracts/internal/names.js';
import { listRunEvents } from '../../store/events/queries.js';
import type { CommandDefinition } from '../command.js';
import { CommandError, EXIT } from '../exit.js';
import type { ExitCode } from '../exit.js';
import { createOutput } from '../output.js';
import { printProgress } from '../runs/progress.js';
import { formatRun, reportRuns } from '../runs/report-runs.js';
import { requireWorker } from '../runs/require-worker.js';
import { runThroughSchedule } from '../runs/start-run.js';
import { openSession, readInstallation, resolveKnownConnection } from '../session.js';

interface Options {
  readonly connection?: string;
  readonly json?: boolean;
}

/** `sync [endpoint…]` */
export const syncCommand: CommandDefinition = (program, finish) => {
  program
    .command('sync')
    .description('run syncs now, through their schedules, and wait for the result')
    .argument('[endpoints...]', `any of ${ENDPOINTS.join(', ')} (default: all that are scheduled)`)
    .option('--connection <id>', 'connection to sync (default: the only one, or that of PERSONIO_CLIENT_ID)')
    .option('--json', 'print one JSON document')
    .action(async (names: readonly string[], options: Options) => finish(run(names, options)));
};

async function run(names: readonly string[], options: Options): Promise<ExitCode> {
  const output = createOutput(options.json === true, process.stdout, process.stderr);
  const named = parseEndpoints(names);
  const settings = readSettings();
  const session = await openSession(settings, 'sync');
  try {
    const connectionId = await resolveKnownConnection(session, options.connection);
    const endpoints =
      named.length > 0 ? named : ENDPOINTS.filter((endpoint) => settings.policy.schedule.cron[endpoint] !== null);
    await requireWorker(session.temporal);
    const onProgress = printProgress(output.note);
    const request = { connectionId, policy: settings.policy, installation: await readInstallation(session) };
    const runs = await Promise.all(
      endpoints.map(async (endpoint) => {
        const report = await runThroughSchedule({ ...request, endpoint }, onProgress);
        output.say(formatRun(report));
        return report;
      }),
    );
    const events = await listRunEvents(
      session.database,
      runs.map(({ runId }) => runId),
    );
    return reportRuns(output, runs, events);
  } finally {
    await session.close();
  }
}

function parseEndpoints(names: readonly string[]): readonly Endpoint[] {
  const unknown = names.filter((name) => !ENDPOINTS.some((endpoint) => endpoint === name));
  if (unknown.length > 0) {
    throw new CommandError(
      `Unknown endpoint ${unknown.join(', ')}. Valid endpoints: ${ENDPOINTS.join(', ')}.`,
      EXIT.usage,
    );
  }
  return ENDPOINTS.filter((endpoint) => names.includes(endpoint));
}
