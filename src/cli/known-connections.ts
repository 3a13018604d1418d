import type { Settings } from '../config/settings.js';
import { DEFAULT_CONNECTION } from '../contracts/internal/names.js';
import { listConnectionIds } from '../store/connections.js';
import type { Database } from '../store/database.js';
import { CommandError, EXIT } from './exit.js';
import { resolvePersonio } from './servers.js';

/** Lists the environment's connection and the stored ones, sorted. */
export async function listKnownConnectionIds(settings: Settings, database: Database): Promise<readonly string[]> {
  const stored = await listConnectionIds(database);
  const personio = resolvePersonio(settings);
  const all = new Set(personio === null ? stored : [personio.connectionId, ...stored]);
  return [...all].sort();
}

/**
 * Returns the connection of a command that names none: the environment's, else `default`, else the only one.
 *
 * @throws CommandError (usage) where there are several.
 */
export function resolveDefaultConnection(settings: Settings, known: readonly string[]): string {
  const own = resolvePersonio(settings);
  if (own !== null) return own.connectionId;
  const [first, second] = known;
  if (first === undefined || known.includes(DEFAULT_CONNECTION)) return DEFAULT_CONNECTION;
  if (second === undefined) return first;
  throw new CommandError(`More than one connection exists; pass --connection (${known.join(', ')}).`, EXIT.usage);
}

/** @throws CommandError (usage) where the connection does not exist; the message names those that do. */
export function requireKnownConnection(connectionId: string, known: readonly string[]): void {
  if (known.includes(connectionId)) return;
  throw known.length === 0 ? createNoConnectionError() : createUnknownConnectionError(connectionId, known);
}

export function createNoConnectionError(): CommandError {
  return new CommandError(
    'No connection is configured. Set PERSONIO_CLIENT_ID and PERSONIO_CLIENT_SECRET, ' +
      'or store one with `personio-sync connections add`.',
    EXIT.usage,
  );
}

export function createUnknownConnectionError(connectionId: string, known: readonly string[]): CommandError {
  return new CommandError(`Unknown connection ${connectionId}. Known connections: ${known.join(', ')}.`, EXIT.usage);
}
