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
    .description('verify the audit log')
    .command('verify')
    .description('check that no entry was changed or is missing; exits with 1 otherwise')
    .option('--json', 'print one JSON document')
    .action(async (options: { json?: boolean }) => finish(run(options.json === true)));
};

async function run(json: boolean): Promise<ExitCode> {
  const output = createOutput(json, process.stdout, process.stderr);
  const { decisions, lastHash, fault } = await withDatabase(readSettings(), 'audit verify', verifyAuditLog);
  if (fault !== null) {
    throw new CommandError(
      `${fault} The ${decisions} entries before it are intact. ` +
        'Compare with a backup, and check who can write to personio.decisions.',
    );
  }
  output.say(
    lastHash === null
      ? 'The audit log is empty.'
      : `${decisions} entries, none changed and none missing. Keep the hash of the newest, ${lastHash}, ` +
          'in another place: it proves later that nobody has rewritten the whole log.',
  );
  output.printJson({ ok: true, exitCode: EXIT.done, decisions, lastHash });
  return EXIT.done;
}
