import { readSettings } from '../../config/settings.js';
import type { VerdictInput } from '../../contracts/internal/sync.js';
import type { CommandDefinition } from '../command.js';
import { parseVerdictOptions, submitVerdict } from '../decide-run.js';
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
    .description('keep the old state of the people whom a braked run holds, as long as Personio says the same')
    .argument('<run>', 'the run that holds them, as `status` names it')
    .requiredOption('--by <name>', 'who answers for it')
    .requiredOption('--reason <text>', 'why')
    .option('--json', 'print one JSON document')
    .action(async (runId: string, options: Options) => finish(run(runId, options)));
};

async function run(runId: string, options: Options): Promise<ExitCode> {
  const output = createOutput(options.json === true, process.stdout, process.stderr);
  const attribution = parseVerdictOptions(options);
  const session = await openSession(readSettings(), 'reject');
  try {
    const { connectionId, people } = await submitVerdict(session, runId, 'rejected', attribution);
    const message = `Rejected: ${people} people keep their old state as long as Personio says the same. \`personio-sync approve ${runId}\` still works.`;
    output.say(message);
    output.printJson({ ok: true, exitCode: EXIT.done, runId, connectionId, people, message });
    return EXIT.done;
  } finally {
    await session.close();
  }
}
