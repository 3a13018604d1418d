import { readSettings } from '../../config/settings.js';
import type { VerdictInput } from '../../contracts/internal/sync.js';
import type { CommandDefinition } from '../command.js';
import { parseVerdictOptions, submitVerdict } from '../submit-verdict.js';
import { EXIT } from '../exit.js';
import type { ExitCode } from '../exit.js';
import { createOutput } from '../output.js';
import { openSession } from '../session.js';

interface Options extends VerdictInput {
  readonly json?: boolean;
}

/** `reject RUN --by NAME --reason TEXT` */
export const rejectCommand: CommandDefinition = (program, finish) => {
  program
    .command('reject')
    .description('reject the changes a run is holding; they stay on hold until the data changes')
    .argument('<run>', 'ID of the run, as shown by `status`')
    .requiredOption('--by <name>', 'person responsible, recorded in the audit log')
    .requiredOption('--reason <text>', 'reason, recorded in the audit log')
    .option('--json', 'print one JSON document')
    .action(async (runId: string, options: Options) => finish(run(runId, options)));
};

async function run(runId: string, options: Options): Promise<ExitCode> {
  const output = createOutput(options.json === true, process.stdout, process.stderr);
  const attribution = parseVerdictOptions(options);
  const session = await openSession(readSettings(), 'reject');
  try {
    const { connectionId, people } = await submitVerdict(session, runId, 'rejected', attribution);
    const message =
      `Rejected the changes of ${people} employees. They keep their old state until their data changes. ` +
      `To undo this, run \`personio-sync approve ${runId}\`.`;
    output.say(message);
    output.printJson({ ok: true, exitCode: EXIT.done, runId, connectionId, people, message });
    return EXIT.done;
  } finally {
    await session.close();
  }
}
