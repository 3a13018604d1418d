import type { PersonioSettings, Settings } from '../config/settings.js';
import { parseKeyRing } from '../crypto/sealing.js';
import { findConnection, listConnectionIds } from '../store/connections.js';
import type { Database } from '../store/database.js';
import { CommandError, EXIT } from './exit.js';
import { createNoConnectionError, createUnknownConnectionError } from './known-connections.js';
import { readRunningServers } from './running-servers.js';
import { resolvePersonio } from './servers.js';
import { withDatabase } from './with-database.js';

/** Credentials that a command works with. */
export interface KnownConnection {
  readonly credentials: PersonioSettings;
  /** False for the environment's connection. */
  readonly isStored: boolean;
}

/**
 * Returns the environment's connection or a stored one; without an id the environment's, else the only stored one.
 *
 * @throws CommandError (usage) that names the known connections.
 */
export async function resolveConnection(settings: Settings, id: string | undefined): Promise<KnownConnection> {
  const personio = resolvePersonio(settings);
  if (personio !== null && (id === undefined || id === personio.connectionId))
    return { credentials: personio, isStored: false };
  const hasDatabase = settings.databaseUrl !== null || readRunningServers(settings.home) !== null;
  if (!hasDatabase) throw toResolveError(id, personio === null ? [] : [personio.connectionId]);
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
  throw toResolveError(id, own === null ? ids : [own.connectionId, ...ids]);
}

function toResolveError(id: string | undefined, known: readonly string[]): CommandError {
  if (known.length === 0) return createNoConnectionError();
  if (id !== undefined) return createUnknownConnectionError(id, known);
  return new CommandError(`More than one connection exists; name one of ${known.join(', ')}.`, EXIT.usage);
}
