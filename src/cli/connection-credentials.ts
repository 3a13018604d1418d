import type { PersonioSettings, Settings } from '../config/settings.js';
import { keyRingOf } from '../crypto/sealing.js';
import { findConnection, listConnectionIds } from '../store/connections.js';
import type { Database } from '../store/database.js';
import { CommandFailed, EXIT } from './exit.js';
import { readRunning } from './running.js';
import { personioOf } from './servers.js';
import { withDatabase } from './with-database.js';

/** The credentials that a command works with, and where they come from. */
export interface KnownConnection {
  readonly credentials: PersonioSettings;
  readonly isStored: boolean;
}

/**
 * The environment's connection, or a stored one. Without an id: the environment's, else the only stored one.
 *
 * @throws CommandFailed (usage) that names those that there are.
 */
export async function connectionOf(settings: Settings, id: string | undefined): Promise<KnownConnection> {
  const personio = personioOf(settings);
  if (personio !== null && (id === undefined || id === personio.connectionId))
    return { credentials: personio, isStored: false };
  const hasDatabase = settings.databaseUrl !== null || readRunning(settings.home) !== null;
  if (!hasDatabase) throw unknown(id, personio === null ? [] : [personio.connectionId]);
  return withDatabase(settings, 'connections', async (database) => stored(database, settings, id));
}

async function stored(database: Database, settings: Settings, id: string | undefined): Promise<KnownConnection> {
  const ids = await listConnectionIds(database);
  const [first] = ids;
  const wanted = id ?? (ids.length === 1 ? first : undefined);
  const found = wanted === undefined ? null : await findConnection(database, keyRingOf(settings.keys), wanted);
  if (found !== null) return { credentials: found, isStored: true };
  const own = personioOf(settings);
  throw unknown(id, own === null ? ids : [own.connectionId, ...ids]);
}

function unknown(id: string | undefined, known: readonly string[]): CommandFailed {
  const names =
    known.length === 0
      ? 'there is none: set PERSONIO_CLIENT_ID and PERSONIO_CLIENT_SECRET, or use `personio-sync connections add`'
      : `known are ${known.join(', ')}`;
  if (id === undefined && known.length > 0) return new CommandFailed(`Say which connection; ${names}.`, EXIT.usage);
  return new CommandFailed(`There is no connection${id === undefined ? '' : ` ${id}`}; ${names}.`, EXIT.usage);
}
