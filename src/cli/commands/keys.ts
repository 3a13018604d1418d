import { readSettings } from '../../config/settings.js';
import { parseKeyRing } from '../../crypto/sealing.js';
import { resealAll } from '../../store/connections.js';
import { appendAuditEntry } from '../../store/audit-log.js';
import { resolveActor, requireText } from '../actor.js';
import type { CommandDefinition } from '../command.js';
import { CommandError, EXIT } from '../exit.js';
import type { ExitCode } from '../exit.js';
import { createOutput } from '../output.js';
import { withDatabase } from '../with-database.js';

interface Options {
  readonly by?: string;
  readonly reason?: string;
  readonly json?: boolean;
}

/** `keys rotate` */
export const keysCommand: CommandDefinition = (program, finish) => {
  program
    .command('keys')
    .description('manage the keys that seal stored secrets')
    .command('rotate')
    .description(
      're-seal all stored secrets and tokens with the first key of PERSONIO_SYNC_KEYS; workers may keep running',
    )
    .option('--by <name>', 'person responsible, recorded in the audit log (default: the user of the operating system)')
    .option('--reason <text>', 'reason, recorded in the audit log')
    .option('--json', 'print one JSON document')
    .action(async (options: Options) => finish(run(options)));
};

async function run({ by, reason, json }: Options): Promise<ExitCode> {
  const output = createOutput(json === true, process.stdout, process.stderr);
  const settings = readSettings();
  const ring = parseKeyRing(settings.keys);
  const [first] = ring;
  if (first === undefined) throw new CommandError('No key configured. Set PERSONIO_SYNC_KEYS.', EXIT.usage);
  const auditEntry = {
    actor: resolveActor(by),
    reason: reason === undefined ? 'new first key' : requireText('--reason', reason),
  };
  return withDatabase(settings, 'keys rotate', async (database) => {
    const counts = await resealAll(database, ring);
    await database.transaction(async (transaction) =>
      appendAuditEntry(transaction, { ...auditEntry, what: 'rotate-keys', subject: `key ${first.id}` }),
    );
    const { resealed, unchanged, forgottenTokens } = counts;
    output.say(
      `Everything stored is sealed under the key ${first.id}: ${resealed} re-sealed, ${unchanged} unchanged, ` +
        `${forgottenTokens} tokens dropped and requested again when needed. ` +
        'Remove the other keys from PERSONIO_SYNC_KEYS once every worker has the new first key.',
    );
    output.printJson({ ok: true, exitCode: EXIT.done, key: first.id, ...counts });
    return EXIT.done;
  });
}
