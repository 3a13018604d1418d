import pg from 'pg';
import { openDatabase } from '../../src/store/database.js';
import type { Database } from '../../src/store/database.js';
import { migrate } from '../../src/store/migrate.js';
import { readTestServers } from './servers-file.js';

/** Server of the tests. `main` is the newest unless TEST_POSTGRES_MAJOR says otherwise. */
type PostgresChoice = 'main' | 'newest' | 'oldest';

let databases = 0;

/** Creates an empty database, so that test files do not see each other's rows. */
export async function createEmptyDatabase(which: PostgresChoice = 'main'): Promise<Database> {
  const server = readTestServers()[`${which}Postgres`];
  databases += 1;
  const name = `test_${process.pid}_${Date.now()}_${databases}`;
  const admin = new pg.Client({ connectionString: server });
  await admin.connect();
  await admin.query(`create database ${name}`);
  await admin.end();
  const url = new URL(server);
  url.pathname = `/${name}`;
  return openDatabase({ url: url.href, applicationName: 'personio-sync test', poolSize: 20 });
}

export async function createMigratedDatabase(which: PostgresChoice = 'main'): Promise<Database> {
  const database = await createEmptyDatabase(which);
  await migrate(database);
  return database;
}

/** Counts the inserts, updates and deletes of a table, as `pg_stat_user_tables` does. */
export async function countWrites(database: Database, table: string): Promise<number> {
  await database.run('select pg_stat_force_next_flush()');
  const [row] = await database.query<{ writes: number }>(
    `select n_tup_ins + n_tup_upd + n_tup_del as writes
     from pg_stat_user_tables
     where schemaname = 'personio'
       and relname = $1`,
    [table],
  );
  return row?.writes ?? -1;
}
