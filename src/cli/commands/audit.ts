import { readSettings } from '../../config/settings.js';
import { verifyAuditLog } from '../../store/audit-log.js';
import type { CommandDefinition } from '../command.js';
import { CommandError, EXIT } from '../exit.js';
import type { ExitCode } from '../exit.js';
import { createOutput } from '../output.js';
import { withDatabase } from '../with-database.js';

/** `audit verify` */
export const auditCommand: CommandDefinition = (program, finish) => {
  program
    .command('audit')
    .description('the chain of decisions')
    .command('verify')
    .description('check that no decision was changed or is missing; exit 1 if one was')
    .option('--json', 'print one JSON document')
    .action(async (options: { json?: boolean }) => finish(run(options.json === true)));
};

async function run(json: boolean): Promise<ExitCode> {
  const output = createOutput(json, process.stdout, process.stderr);
  const { decisions, lastHash, fault } = await withDatabase(readSettings(), 'audit verify', verifyAuditLog);
  if (fault !== null) {
    throw new CommandError(
      `${fault} The ${decisions} before it are as they were written. Compare with a backup, and find out who could write to personio.decisions.`,
    );
  }
  output.say(
    lastHash === null
      ? 'No decision was taken yet.'
      : `${decisions} decisions, none changed and none missing. The newest has the hash ${lastHash}: noted elsewhere, it proves that nobody wrote the whole chain anew.`,
  );
  output.printJson({ ok: true, exitCode: EXIT.done, decisions, lastHash });
  return EXIT.done;
}
