import { readSettings } from '../../config/settings.js';
import { ENDPOINTS } from '../../contracts/internal/names.js';
import type { Endpoint } from '../../contracts/internal/names.js';
import { listRunEvents } from '../../store/events/queries.js';
import type { CommandDefinition } from '../command.js';
import { CommandError, EXIT, pickWorst } from '../exit.js';
import type { ExitCode } from '../exit.js';
import { createOutput } from '../output.js';
import type { Output } from '../output.js';
import { toExitCode, requireWorker, runThroughSchedule } from '../run-sync.js';
import type { RunReport } from '../run-sync.js';
import { formatRun, formatProgress } from '../run-lines.js';
import { resolveDefaultConnection, openSession, requireKnownConnection } from '../session.js';

interface Options {
  readonly connection?: string;
  readonly json?: boolean;
}

/** `sync [endpoint…]` */
export const syncCommand: CommandDefinition = (program, finish) => {
  program
    .command('sync')
    .description('run syncs now, through their schedules, and wait for their end')
    .argument('[endpoints...]', `which of ${ENDPOINTS.join(', ')}; default: all that are scheduled`)
    .option('--connection <id>', 'which connection')
    .option('--json', 'print one JSON document')
    .action(async (names: readonly string[], options: Options) => finish(run(names, options)));
};

async function run(names: readonly string[], options: Options): Promise<ExitCode> {
  const output = createOutput(options.json === true, process.stdout, process.stderr);
  const named = parseEndpoints(names);
  const settings = readSettings();
  const session = await openSession(settings, 'sync');
  try {
    const known = await session.listKnownConnectionIds();
    const connectionId = options.connection ?? resolveDefaultConnection(settings, known);
    if (options.connection !== undefined) requireKnownConnection(connectionId, known);
    const endpoints =
      named.length > 0 ? named : ENDPOINTS.filter((endpoint) => settings.policy.schedule.cron[endpoint] !== null);
    await requireWorker(session.temporal);
    const runs = await Promise.all(
      endpoints.map(async (endpoint) => {
        const report = await runThroughSchedule(session.temporal.client, connectionId, endpoint, (of, progress) =>
          output.note(formatProgress(of, progress)),
        );
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

/** Prints the document that `sync`, `backfill` and `dev` share. */
export function reportRuns(output: Output, runs: readonly RunReport[], events: readonly object[]): ExitCode {
  const exitCode = pickWorst(runs.map(toExitCode));
  output.printJson({ ok: exitCode === EXIT.done, exitCode, runs, events });
  return exitCode;
}

function parseEndpoints(names: readonly string[]): readonly Endpoint[] {
  const unknown = names.filter((name) => !ENDPOINTS.some((endpoint) => endpoint === name));
  if (unknown.length > 0) {
    throw new CommandError(
      `There is no endpoint ${unknown.join(', ')}; there are ${ENDPOINTS.join(', ')}.`,
      EXIT.usage,
    );
  }
  return ENDPOINTS.filter((endpoint) => names.includes(endpoint));
}
