import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** A numbered SQL file, and what its comments say about how to run it and what may run beside it. */
export interface Migration {
  /** The file's name without its ending. */
  readonly name: string;
  readonly number: number;
  readonly sql: string;
  /**
   * Oldest schema whose workers may run beside it: the number of the newest migration that they know. Null where only
   * workers that know this migration may.
   */
  readonly oldestSchema: number | null;
  /** For `create index concurrently` and the like. Such a file can be repeated at any statement. */
  readonly isOutsideTransaction: boolean;
}

const FOLDER = fileURLToPath(new URL('./migrations', import.meta.url));
const OLDEST_SCHEMA = /^-- oldest schema: (\d{4})$/m;
const OUTSIDE_TRANSACTION = /^-- outside a transaction$/m;

/** Lists the migrations in their order. */
export function listMigrations(folder = FOLDER): readonly Migration[] {
  return listMigrationNames(folder).map((name) => {
    const sql = readFileSync(join(folder, `${name}.sql`), 'utf8');
    const oldest = OLDEST_SCHEMA.exec(sql)?.[1];
    return {
      name,
      number: toMigrationNumber(name),
      sql,
      oldestSchema: oldest === undefined ? null : Number(oldest),
      isOutsideTransaction: OUTSIDE_TRANSACTION.test(sql),
    };
  });
}

/** Lists the names of the migrations in their order. */
export function listMigrationNames(folder = FOLDER): readonly string[] {
  const files = readdirSync(folder).filter((file) => file.endsWith('.sql'));
  return files.map((file) => file.replace(/\.sql$/, '')).sort();
}

/** Returns the number of the newest of these migrations; 0 where there are none. */
export function findNewestNumber(names: readonly string[]): number {
  return Math.max(0, ...names.map(toMigrationNumber));
}

function toMigrationNumber(name: string): number {
  return Number.parseInt(name, 10);
}

/** Returns the statements of a file that runs outside a transaction, each of which ends a line. */
export function splitStatements(sql: string): readonly string[] {
  const code = sql.replaceAll(/^--.*$/gm, '');
  return code
    .split(/;\s*$/m)
    .map((statement) => statement.trim())
    .filter((statement) => statement !== '');
}
