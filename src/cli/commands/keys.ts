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
    .description('the keys under which secrets are stored')
    .command('rotate')
    .description('re-seal all that is stored under the first key of PERSONIO_SYNC_KEYS, while workers run')
    .option('--by <name>', "who answers for it; default: the operating system's user")
    .option('--reason <text>', 'why')
    .option('--json', 'print one JSON document')
    .action(async (options: Options) => finish(run(options)));
};

async function run({ by, reason, json }: Options): Promise<ExitCode> {
  const output = createOutput(json === true, process.stdout, process.stderr);
  const settings = readSettings();
  const ring = parseKeyRing(settings.keys);
  const [first] = ring;
  if (first === undefined)
    throw new CommandError('PERSONIO_SYNC_KEYS is not set, so there is no key to seal with.', EXIT.usage);
  const auditEntry = {
    actor: resolveActor(by),
    reason: reason === undefined ? 'a new first key' : requireText('--reason', reason),
  };
  return withDatabase(settings, 'keys rotate', async (database) => {
    const counts = await resealAll(database, ring);
    await database.transaction(async (transaction) =>
      appendAuditEntry(transaction, { ...auditEntry, what: 'rotate-keys', subject: `key ${first.id}` }),
    );
    const { resealed, unchanged, forgottenTokens } = counts;
    output.say(
      `Everything that is stored is sealed under the key ${first.id}: ${resealed} re-sealed, ${unchanged} were so already, ${forgottenTokens} tokens will be exchanged anew. ` +
        'The other keys can go from PERSONIO_SYNC_KEYS once every worker has the new first one.',
    );
    output.printJson({ ok: true, exitCode: EXIT.done, key: first.id, ...counts });
    return EXIT.done;
  });
}
