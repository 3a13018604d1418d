import { readSettings } from '../../../config/settings.js';
import { appendAuditEntry } from '../../../store/audit-log.js';
import { findConnection, listConnectionIds, recordTest, replaceSecret } from '../../../store/connections.js';
import type { CommandDefinition } from '../../command.js';
import { CommandError, EXIT } from '../../exit.js';
import type { ExitCode } from '../../exit.js';
import { createOutput } from '../../output.js';
import { readSecret, requireUsableText } from '../../secret-input.js';
import { withDatabase } from '../../with-database.js';
import { getTokenCheck, runChecks, toTestOutcome, warnOfFailures } from './connection-checks.js';
import {
  SECRET_FILE_HELP,
  addAuditOptions,
  createAuditEntry,
  createNotStoredError,
  requireKeyRing,
} from './stored-connection.js';
import type { StoredConnectionOptions } from './stored-connection.js';

interface Options extends StoredConnectionOptions {
  readonly clientId?: string;
  readonly secretFile?: string;
}

/** `connections rotate ID [--client-id ID] [--secret-file F]` */
export const rotateCommand: CommandDefinition = (connections, finish) => {
  addAuditOptions(
    connections
      .command('rotate')
      .description('test a new secret and replace the old one if Personio accepts it')
      .argument('<id>', 'ID of the connection')
      .option('--client-id <id>', 'new client ID, if it changes too')
      .option('--secret-file <file>', SECRET_FILE_HELP),
  ).action(async (id: string, options: Options) => finish(run(id, options)));
};

async function run(id: string, options: Options): Promise<ExitCode> {
  const output = createOutput(options.json === true, process.stdout, process.stderr);
  const settings = readSettings();
  const ring = requireKeyRing(settings);
  return withDatabase(settings, 'connections rotate', async (database) => {
    const current = await findConnection(database, ring, id);
    if (current === null) throw createNotStoredError(settings, id, await listConnectionIds(database));
    const clientId = requireUsableText('The client ID', options.clientId ?? current.clientId);
    const renewed = { ...current, clientId, clientSecret: await readSecret(options.secretFile) };
    const checks = await runChecks(settings, renewed);
    const token = getTokenCheck(checks);
    if (!token.ok)
      throw new CommandError(`The old secret stays in place: ${token.sentence} ${token.action ?? ''}`.trim());
    await database.transaction(async (transaction) => {
      if (!(await replaceSecret(transaction, ring, renewed))) throw createNotStoredError(settings, id, []);
      const entry = createAuditEntry('rotate-secret', id, options, 'new secret, accepted by Personio');
      await appendAuditEntry(transaction, entry);
      await recordTest(transaction, id, toTestOutcome(checks));
    });
    warnOfFailures(output, checks);
    output.say(`Personio accepts the new secret of ${id}; it replaces the old one. Delete the old one in Personio.`);
    output.printJson({ ok: true, exitCode: EXIT.done, connectionId: id, checks });
    return EXIT.done;
  });
}
