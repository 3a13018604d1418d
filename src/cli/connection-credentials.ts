import type { PersonioSettings, Settings } from '../config/settings.js';
import { parseKeyRing } from '../crypto/sealing.js';
import { findConnection, listConnectionIds } from '../store/connections.js';
import type { Database } from '../store/database.js';
import { CommandError, EXIT } from './exit.js';
import { readRunningServers } from './running.js';
import { resolvePersonio } from './servers.js';
import { withDatabase } from './with-database.js';

/** The credentials that a command works with, and where they come from. */
export interface KnownConnection {
  readonly credentials: PersonioSettings;
  readonly isStored: boolean;
}

/**
 * The environment's connection, or a stored one. Without an id: the environment's, else the only stored one.
 *
 * @throws CommandError (usage) that names those that there are.
 */
export async function resolveConnection(settings: Settings, id: string | undefined): Promise<KnownConnection> {
  const personio = resolvePersonio(settings);
  if (personio !== null && (id === undefined || id === personio.connectionId))
    return { credentials: personio, isStored: false };
  const hasDatabase = settings.databaseUrl !== null || readRunningServers(settings.home) !== null;
  if (!hasDatabase) throw toUnknownConnectionError(id, personio === null ? [] : [personio.connectionId]);
  return withDatabase(settings, 'connections', async (database) => resolveStoredConnection(database, settings, id));
}

async function resolveStoredConnection(
  database: Database,
  settings: Settings,
  id: string | undefined,
): Promise<KnownConnection> {
  const ids = await listConnectionIds(database);
  const [first] = ids;
  const wanted = id ?? (ids.length === 1 ? first : undefined);
  const found = wanted === undefined ? null : await findConnection(database, parseKeyRing(settings.keys), wanted);
  if (found !== null) return { credentials: found, isStored: true };
  const own = resolvePersonio(settings);
  throw toUnknownConnectionError(id, own === null ? ids : [own.connectionId, ...ids]);
}

function toUnknownConnectionError(id: string | undefined, known: readonly string[]): CommandError {
  const names =
    known.length === 0
      ? 'there is none: set PERSONIO_CLIENT_ID and PERSONIO_CLIENT_SECRET, or use `personio-sync connections add`'
      : `known are ${known.join(', ')}`;
  if (id === undefined && known.length > 0) return new CommandError(`Say which connection; ${names}.`, EXIT.usage);
  return new CommandError(`There is no connection${id === undefined ? '' : ` ${id}`}; ${names}.`, EXIT.usage);
}
