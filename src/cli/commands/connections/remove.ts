import { readSettings } from '../../../config/settings.js';
import { listConnectionIds } from '../../../store/connections.js';
import { removeConnection } from '../../../store/removal.js';
import { cancelSyncs, endLifecycles } from '../../../temporal/open-workflows.js';
import { deleteConnectionSchedules } from '../../../temporal/schedules.js';
import type { CommandDefinition } from '../../command.js';
import { EXIT } from '../../exit.js';
import type { ExitCode } from '../../exit.js';
import { createOutput } from '../../output.js';
import { openSession, readInstallation } from '../../session.js';
import { addAuditOptions, createAuditEntry, createNotStoredError } from './stored-connection.js';
import type { StoredConnectionOptions } from './stored-connection.js';

interface Options extends StoredConnectionOptions {
  readonly eraseData?: boolean;
}

/** `connections remove ID [--erase-data]` */
export const removeCommand: CommandDefinition = (connections, finish) => {
  addAuditOptions(
    connections
      .command('remove')
      .description('delete a connection with its secret and schedules; its data stays')
      .argument('<id>', 'ID of the connection')
      .option('--erase-data', 'also delete all data that was read from it'),
  ).action(async (id: string, options: Options) => finish(run(id, options)));
};

async function run(id: string, options: Options): Promise<ExitCode> {
  const output = createOutput(options.json === true, process.stdout, process.stderr);
  const settings = readSettings();
  const session = await openSession(settings, 'connections remove');
  try {
    const { database, temporal } = session;
    const stored = await listConnectionIds(database);
    if (!stored.includes(id)) throw createNotStoredError(settings, id, stored);
    const schedules = await deleteConnectionSchedules(await readInstallation(session), id);
    const cancelled = await cancelSyncs(temporal.client, id);
    const erase = options.eraseData === true;
    const reason = erase ? 'no longer read; its data was erased' : 'no longer read';
    const entry = createAuditEntry('remove-connection', id, options, reason);
    const rows = await removeConnection(database, id, entry, erase);
    if (erase) await endLifecycles(temporal.client, id, 'The data of this connection was erased.');
    for (const schedule of schedules) output.say(`deleted  ${schedule}`);
    output.say(
      `Deleted the connection ${id} and its secret. ${erase ? `Deleted ${rows} rows of its data.` : 'Its data stays.'}`,
    );
    output.printJson({ ok: true, exitCode: EXIT.done, connectionId: id, schedules, cancelled, deletedRows: rows });
    return EXIT.done;
  } finally {
    await session.close();
  }
}
