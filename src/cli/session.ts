import { hostname } from 'node:os';
import type { Settings } from '../config/settings.js';
import { DEFAULT_CONNECTION } from '../contracts/internal/names.js';
import { createLogger } from '../observability/logger.js';
import type { Logger } from '../observability/logger.js';
import { listConnectionIds } from '../store/connections.js';
import { openDatabase } from '../store/database.js';
import type { Database } from '../store/database.js';
import { connectTemporal } from '../temporal/connection.js';
import type { TemporalClients } from '../temporal/connection.js';
import { CommandError, EXIT } from './exit.js';
import { resolvePersonio, resolveServers } from './servers.js';

/** Enough for a server that is restarting; a person waits in front of a command. */
const CONNECT_TIMEOUT_MS = 5_000;

/** What most commands need: both servers, connected, and the settings. */
export interface Session {
  readonly settings: Settings;
  readonly logger: Logger;
  readonly database: Database;
  readonly temporal: TemporalClients;
  /** The environment's connection and the stored ones, sorted. */
  readonly listKnownConnectionIds: () => Promise<readonly string[]>;
  readonly close: () => Promise<void>;
}

/** @param command its name, as PostgreSQL and Temporal show it to operators. */
export async function openSession(settings: Settings, command: string): Promise<Session> {
  const servers = resolveServers(settings);
  const logger = createLogger(settings);
  const database = openDatabase({ url: servers.databaseUrl, applicationName: `personio-sync ${command}`, poolSize: 4 });
  const identity = `personio-sync ${command}@${hostname()}`;
  try {
    const temporal = await connectTemporal({ ...servers.temporal, identity }, CONNECT_TIMEOUT_MS);
    return {
      settings,
      logger,
      database,
      temporal,
      listKnownConnectionIds: async () => listKnownConnectionIds(settings, database),
      close: async () => {
        await temporal.close();
        await database.close();
      },
    };
  } catch (error) {
    await database.close();
    throw error;
  }
}

/** The connection that the environment names, and those that are stored. */
async function listKnownConnectionIds(settings: Settings, database: Database): Promise<readonly string[]> {
  const stored = await listConnectionIds(database);
  const personio = resolvePersonio(settings);
  const all = new Set(personio === null ? stored : [personio.connectionId, ...stored]);
  return [...all].sort();
}

/** Which connection is meant where a command names none: the environment's, else `default`, else the only one that there is. */
export function resolveDefaultConnection(settings: Settings, known: readonly string[]): string {
  const own = resolvePersonio(settings);
  if (own !== null) return own.connectionId;
  const [first, second] = known;
  if (first === undefined || known.includes(DEFAULT_CONNECTION)) return DEFAULT_CONNECTION;
  if (second === undefined) return first;
  throw new CommandError(`Say which with --connection; known are ${known.join(', ')}.`, EXIT.usage);
}

/** @throws CommandError when there is no such connection, naming those that there are. */
export function requireKnownConnection(connectionId: string, known: readonly string[]): void {
  if (known.includes(connectionId)) return;
  const names =
    known.length === 0
      ? 'there is none yet: set PERSONIO_CLIENT_ID and PERSONIO_CLIENT_SECRET, or use `personio-sync connections add`'
      : `known are ${known.join(', ')}`;
  throw new CommandError(`There is no connection ${connectionId}; ${names}.`, EXIT.usage);
}
