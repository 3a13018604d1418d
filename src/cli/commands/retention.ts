import { readSettings } from '../../config/settings.js';
import { applyRetention } from '../../store/retention.js';
import type { CommandDefinition } from '../command.js';
import { EXIT } from '../exit.js';
import type { ExitCode } from '../exit.js';
import { createOutput } from '../output.js';
import { withDatabase } from '../with-database.js';

/** `retention apply` */
export const retentionCommand: CommandDefinition = (program, finish) => {
  program
    .command('retention')
    .description('how long data is kept; the days are in the policy file')
    .command('apply')
    .description('forget what is past its time, now; a Temporal schedule does it daily')
    .option('--json', 'print one JSON document')
    .action(async (options: { json?: boolean }) => finish(run(options.json === true)));
};

async function run(json: boolean): Promise<ExitCode> {
  const output = createOutput(json, process.stdout, process.stderr);
  const settings = readSettings();
  const forgotten = await withDatabase(settings, 'retention apply', async (database) =>
    applyRetention(database, settings.policy.retention),
  );
  const { attendances, events, history, people, proposals, runs } = forgotten;
  output.say(
    `Forgotten: ${attendances} attendances, ${events} events with their deliveries, ${history} rows of history, ${people} people who left Personio long ago, ` +
      `${runs} runs and ${proposals} proposals.`,
  );
  output.printJson({ ok: true, exitCode: EXIT.done, forgotten });
  return EXIT.done;
}
