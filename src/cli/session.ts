import type { Settings } from '../config/settings.js';
import type { Database } from '../store/database.js';
import { readInstallationId } from '../store/connections.js';
import type { TemporalClients } from '../temporal/connection.js';
import type { Installation } from '../temporal/schedule-owner.js';
import { listKnownConnectionIds, requireKnownConnection, resolveDefaultConnection } from './known-connections.js';
import { resolveServers } from './servers.js';
import { openRequiredDatabase } from './with-database.js';
import { openTemporal } from './with-temporal.js';

/** Settings and both servers, connected; PostgreSQL has the schema. */
export interface Session {
  readonly settings: Settings;
  readonly database: Database;
  readonly temporal: TemporalClients;
  /** Lists the environment's connection and the stored ones, sorted. */
  readonly listKnownConnectionIds: () => Promise<readonly string[]>;
  readonly close: () => Promise<void>;
}

/** Opens both servers. @param command name of the command, as PostgreSQL and Temporal show it to operators. */
export async function openSession(settings: Settings, command: string): Promise<Session> {
  // Names every missing setting before anything is connected.
  resolveServers(settings);
  const database = await openRequiredDatabase(settings, command);
  try {
    const temporal = await openTemporal(settings, command);
    return {
      settings,
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

/**
 * Returns the connection that a command is to read: the named one, else the default one.
 *
 * @throws CommandError (usage) where it does not exist, so that no run starts that can only fail.
 */
export async function resolveKnownConnection(session: Session, named: string | undefined): Promise<string> {
  const known = await session.listKnownConnectionIds();
  const connectionId = named ?? resolveDefaultConnection(session.settings, known);
  requireKnownConnection(connectionId, known);
  return connectionId;
}

/** Returns the installation whose database the session has, for its schedules. */
export async function readInstallation({
  database,
  temporal,
  listKnownConnectionIds: listIds,
}: Session): Promise<Installation> {
  const installationId = await readInstallationId(database);
  return { client: temporal.client, installationId, connectionIds: await listIds() };
}
