import type { Settings } from '../config/settings.js';
import { openDatabase, requireDatabase } from '../store/database.js';
import type { Database } from '../store/database.js';
import { requireSchema } from '../store/migrate.js';
import { resolveDatabaseUrl } from './servers.js';

/** Long enough for a server that is restarting; short enough for a person who is waiting. */
const CONNECT_TIMEOUT_MS = 5_000;
const POOL_SIZE = 4;

export interface DatabaseRequirements {
  /** Default: true. False for the command that creates the schema. */
  readonly requiresSchema?: boolean;
  /** Time to wait for PostgreSQL. Default: 5 s. */
  readonly connectTimeoutMs?: number;
}

/**
 * Runs `work` with the database of the settings, and closes it afterwards.
 *
 * @param command name of the command, as `pg_stat_activity` shows it.
 * @throws StoreError where PostgreSQL does not answer or the schema is not this version's; the message says what to do.
 */
export async function withDatabase<T>(
  settings: Settings,
  command: string,
  work: (database: Database) => Promise<T>,
  requirements: DatabaseRequirements = {},
): Promise<T> {
  const database = await openRequiredDatabase(settings, command, requirements);
  try {
    return await work(database);
  } finally {
    await database.close();
  }
}

/** Opens the database of the settings once PostgreSQL answers and has the schema. @throws StoreError */
export async function openRequiredDatabase(
  settings: Settings,
  command: string,
  { requiresSchema = true, connectTimeoutMs = CONNECT_TIMEOUT_MS }: DatabaseRequirements = {},
): Promise<Database> {
  const url = resolveDatabaseUrl(settings);
  const database = openDatabase({ url, applicationName: `personio-sync ${command}`, poolSize: POOL_SIZE });
  try {
    await requireDatabase(database, connectTimeoutMs);
    if (requiresSchema) await requireSchema(database);
    return database;
  } catch (error) {
    await database.close();
    throw error;
  }
}
