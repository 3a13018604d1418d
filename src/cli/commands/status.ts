import { readSettings } from '../../config/settings.js';
import type { CommandDefinition } from '../command.js';
import { EXIT } from '../exit.js';
import type { ExitCode } from '../exit.js';
import { createOutput } from '../output.js';
import { openSession } from '../session.js';
import { collectStatus } from '../status/collect-status.js';
import { formatStatus } from '../status/format-status.js';

/** `status` */
export const statusCommand: CommandDefinition = (program, finish) => {
  program
    .command('status')
    .description('show what ran, what is stuck, why, and what to do; exits with 1 if action is needed')
    .option('--json', 'print one JSON document')
    .action(async (options: { json?: boolean }) => finish(run(options.json === true)));
};

async function run(json: boolean): Promise<ExitCode> {
  const output = createOutput(json, process.stdout, process.stderr);
  const session = await openSession(readSettings(), 'status');
  try {
    const status = await collectStatus(session);
    output.printJson(status);
    for (const line of formatStatus(status)) output.say(line);
    return status.healthy ? EXIT.done : EXIT.failed;
  } finally {
    await session.close();
  }
}
