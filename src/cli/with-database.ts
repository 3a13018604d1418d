import type { Settings } from '../config/settings.js';
import { openDatabase, requireDatabase } from '../store/database.js';
import type { Database } from '../store/database.js';
import { requireSchema } from '../store/migrate.js';
import { resolveServers } from './servers.js';

const CONNECT_TIMEOUT_MS = 5_000;

/** For commands that need the database and no Temporal server. Closes it whatever happens. */
export async function withDatabase<T>(
  settings: Settings,
  command: string,
  work: (database: Database) => Promise<T>,
): Promise<T> {
  const { databaseUrl: url } = resolveServers(settings);
  const database = openDatabase({ url, applicationName: `personio-sync ${command}`, poolSize: 2 });
  try {
    await requireDatabase(database, CONNECT_TIMEOUT_MS);
    await requireSchema(database);
    return await work(database);
  } finally {
    await database.close();
  }
}
