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
    .description('apply retention rules; the policy file sets the days')
    .command('apply')
    .description('delete data past its retention period now; a Temporal schedule does this daily')
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
    `Deleted ${attendances} attendances, ${events} events with their deliveries, ${history} history rows, ` +
      `${people} former employees, ${runs} runs and ${proposals} held or previewed events.`,
  );
  output.printJson({ ok: true, exitCode: EXIT.done, forgotten });
  return EXIT.done;
}
