import { readSettings } from '../config/settings.js';
import { openDatabase } from '../store/database.js';
import type { Database } from '../store/database.js';
import { requireSchema } from '../store/migrate.js';
import { resolveServers } from './servers.js';

/** Runs a command that reads tables and needs no Temporal. */
export async function withDatabase<T>(command: string, work: (database: Database) => Promise<T>): Promise<T> {
  const { databaseUrl } = resolveServers(readSettings());
  const database = openDatabase({ url: databaseUrl, applicationName: `personio-sync ${command}`, poolSize: 2 });
  try {
    await requireSchema(database);
    return await work(database);
  } finally {
    await database.close();
  }
}
