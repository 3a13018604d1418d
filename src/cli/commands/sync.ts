import { readSettings } from '../../config/settings.js';
import { ENDPOINTS } from '../../contracts/names.js';
import type { Endpoint } from '../../contracts/names.js';
import { eventsOfRuns } from '../../store/event-queries.js';
import type { CommandDefinition } from '../command.js';
import { CommandFailed, EXIT, worst } from '../exit.js';
import type { ExitCode } from '../exit.js';
import { createOutput } from '../output.js';
import type { Output } from '../output.js';
import { exitCodeOf, requireWorker, runThroughSchedule } from '../run-sync.js';
import type { RunReport } from '../run-sync.js';
import { lineOf, progressLine } from '../run-lines.js';
import { defaultConnection, openSession, requireKnown } from '../session.js';

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
  const named = endpointsOf(names);
  const settings = readSettings();
  const session = await openSession(settings, 'sync');
  try {
    const known = await session.connectionIds();
    const connectionId = options.connection ?? defaultConnection(settings, known);
    if (options.connection !== undefined) requireKnown(connectionId, known);
    const endpoints =
      named.length > 0 ? named : ENDPOINTS.filter((endpoint) => settings.policy.schedule.cron[endpoint] !== null);
    await requireWorker(session.temporal);
    const runs = await Promise.all(
      endpoints.map(async (endpoint) => {
        const report = await runThroughSchedule(session.temporal.client, connectionId, endpoint, (of, progress) =>
          output.note(progressLine(of, progress)),
        );
        output.say(lineOf(report));
        return report;
      }),
    );
    const events = await eventsOfRuns(
      session.database,
      runs.map(({ runId }) => runId),
    );
    return report(output, runs, events);
  } finally {
    await session.close();
  }
}

/** Prints the document that `sync`, `backfill` and `dev` share. */
export function report(output: Output, runs: readonly RunReport[], events: readonly object[]): ExitCode {
  const exitCode = worst(runs.map(exitCodeOf));
  output.document({ ok: exitCode === EXIT.done, exitCode, runs, events });
  return exitCode;
}

function endpointsOf(names: readonly string[]): readonly Endpoint[] {
  const unknown = names.filter((name) => !ENDPOINTS.some((endpoint) => endpoint === name));
  if (unknown.length > 0) {
    throw new CommandFailed(
      `There is no endpoint ${unknown.join(', ')}; there are ${ENDPOINTS.join(', ')}.`,
      EXIT.usage,
    );
  }
  return ENDPOINTS.filter((endpoint) => names.includes(endpoint));
}
