import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { runner } from 'node-pg-migrate';
import type { Database, Queries } from './database.js';
import { StoreError, createSchemaMissingError } from './errors.js';

const FOLDER = fileURLToPath(new URL('./migrations', import.meta.url));
const SCHEMA = 'personio';
const TABLE = 'pgmigrations';

/**
 * Brings the schema up to date; safe from many places at once. Returns the names of the migrations that were applied.
 */
export async function migrate(database: Database): Promise<readonly string[]> {
  const applied = await runner({
    databaseUrl: database.url,
    dir: FOLDER,
    direction: 'up',
    migrationsTable: TABLE,
    schema: SCHEMA,
    createSchema: true,
    checkOrder: true,
    singleTransaction: true,
    // Of several at once, one does the work, and the others wait and find it done.
    advisoryLockMode: 'wait',
    log: () => undefined,
  });
  return applied.map(({ name }) => name);
}

/** Checks the version of the schema. @throws StoreError that says what to run, where this version needs another one. */
export async function requireSchema(database: Database): Promise<void> {
  const known = listKnownMigrations();
  const present = await listAppliedMigrations(database);
  const [missing] = known.filter((name) => !present.includes(name));
  const [foreign] = present.filter((name) => !known.includes(name));
  if (foreign !== undefined) {
    throw new StoreError(
      null,
      `The database has a migration that this version does not know (${foreign}): ` +
        'it was made by a newer personio-sync. Install that version; nothing was changed.',
    );
  }
  if (present.length === 0) throw createSchemaMissingError();
  if (missing !== undefined) {
    throw new StoreError(
      null,
      `The database lacks a migration (${missing}). Run \`personio-sync migrate\`, then try again.`,
    );
  }
}

function listKnownMigrations(): readonly string[] {
  const files = readdirSync(FOLDER).filter((name) => name.endsWith('.sql'));
  return files.map((name) => name.replace(/\.sql$/, '')).sort();
}

async function listAppliedMigrations(database: Database): Promise<readonly string[]> {
  const [table] = await database.query<{ present: boolean }>(
    `select to_regclass('${SCHEMA}.${TABLE}') is not null as present`,
  );
  if (table?.present !== true) return [];
  const rows = await database.query<{ name: string }>(`select name from ${SCHEMA}.${TABLE} order by name`);
  return rows.map(({ name }) => name);
}

/**
 * Creates the database roles where this user may, and grants them their rights on every table that exists now.
 *
 * @returns null, or a sentence that says why not and what to do.
 */
export async function grantRoles(queries: Queries): Promise<string | null> {
  const [row] = await queries.query<{ sentence: string | null }>('select personio.grant_roles() as sentence');
  return row?.sentence ?? null;
}
