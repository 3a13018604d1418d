import { readSettings } from '../../config/settings.js';
import type { BrakeAnswer } from '../../contracts/sync.js';
import type { CommandDefinition } from '../command.js';
import { answerOf, decideRun } from '../decide-run.js';
import { EXIT } from '../exit.js';
import type { ExitCode } from '../exit.js';
import { createOutput } from '../output.js';
import { openSession } from '../session.js';

interface Options extends BrakeAnswer {
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
  const answer = answerOf(options);
  const session = await openSession(readSettings(), 'reject');
  try {
    const { connectionId, people } = await decideRun(session, runId, 'rejected', answer);
    const message = `Rejected: ${people} people keep their old state as long as Personio says the same. \`personio-sync approve ${runId}\` still works.`;
    output.say(message);
    output.document({ ok: true, exitCode: EXIT.done, runId, connectionId, people, message });
    return EXIT.done;
  } finally {
    await session.close();
  }
}
