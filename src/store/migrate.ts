import { setTimeout as sleep } from 'node:timers/promises';
import type { Database, Queries, Transaction } from './database.js';
import { openDatabase } from './database.js';
import { StoreError, createSchemaMissingError } from './errors.js';
import { tryLockMigrations } from './locks.js';
import { findNewestNumber, listMigrationNames, listMigrations, splitStatements } from './migration-files.js';
import type { Migration } from './migration-files.js';

const SCHEMA = 'personio';
const TABLE = `${SCHEMA}.pgmigrations`;
/** Longest wait for a table. Everybody who comes later queues up behind a migration that waits. */
const LOCK_TIMEOUT_MS = 3_000;
const LOCK_TRIES = 20;
const BETWEEN_TRIES_MS = 1_000;
/** Interval at which one looks whether another migration has ended. */
const POLL_INTERVAL_MS = 100;

export interface MigrateOptions {
  readonly migrations?: readonly Migration[];
  readonly lockTimeoutMs?: number;
  readonly lockTries?: number;
}

/**
 * Brings the schema up to date; safe from many places at once, and through a pooler. Returns the names of the
 * migrations that were applied here.
 */
export async function migrate(database: Database, options: MigrateOptions = {}): Promise<readonly string[]> {
  const migrations = options.migrations ?? listMigrations();
  // One connection holds the lock while the other runs what needs no transaction.
  const own = openDatabase({ url: database.url, applicationName: 'personio-sync migrate', poolSize: 2 });
  try {
    const applied: string[] = [];
    for (;;) {
      const names = await retryWhileLocked(async () => applyNext(own, migrations, options), options);
      if (names === 'busy') await sleep(POLL_INTERVAL_MS);
      else if (names.length === 0) return applied;
      else applied.push(...names);
    }
  } finally {
    await own.close();
  }
}

/** Repeats a step that waited too long for a table, or that a deadlock ended. */
async function retryWhileLocked<T>(step: () => Promise<T>, { lockTries = LOCK_TRIES }: MigrateOptions): Promise<T> {
  for (let tries = 1; ; tries++) {
    try {
      return await step();
    } catch (error) {
      if (!(error instanceof StoreError && (error.code === '55P03' || error.code === '40P01'))) throw error;
      if (tries >= lockTries) throw createLockedError(tries);
      await sleep(BETWEEN_TRIES_MS);
    }
  }
}

function createLockedError(tries: number): StoreError {
  return new StoreError(
    null,
    `A migration waited ${tries} times for a table that others use, and gave up. What it had begun was undone. ` +
      'End long transactions (see pg_stat_activity) or stop the workers, then run `personio-sync migrate` again.',
  );
}

/**
 * Applies the next migrations: as many as run in one transaction, or one that runs outside.
 *
 * @returns their names, none when the schema is up to date, or `busy` while somebody else migrates.
 */
async function applyNext(
  database: Database,
  migrations: readonly Migration[],
  { lockTimeoutMs = LOCK_TIMEOUT_MS }: MigrateOptions,
): Promise<readonly string[] | 'busy'> {
  return database.transaction(async (transaction) => {
    // Nobody waits for the lock, since a statement that waits would keep `create index concurrently` waiting.
    if (!(await tryLockMigrations(transaction))) return 'busy';
    await transaction.run(`set local lock_timeout = ${lockTimeoutMs}`);
    await transaction.run('set local statement_timeout = 0');
    await transaction.run('set local idle_in_transaction_session_timeout = 0');
    const pending = await listPending(transaction, migrations);
    const end = pending.findIndex(({ isOutsideTransaction }) => isOutsideTransaction);
    const batch = pending.slice(0, end === -1 ? undefined : Math.max(end, 1));
    for (const migration of batch) {
      if (migration.isOutsideTransaction)
        for (const statement of splitStatements(migration.sql)) await database.run(statement);
      else await transaction.run(await skipExistingSchemas(transaction, migration.sql));
      await recordMigration(transaction, migration);
    }
    return batch.map(({ name }) => name);
  });
}

/** Schemas that the migrations create, unless somebody made them beforehand and gave them to the user. */
const SCHEMAS = [SCHEMA, 'personio_read', 'personio_staging'];

/**
 * Has no parameters: the driver would leave a portal open, whose snapshot `create index concurrently` waits for.
 *
 * @throws StoreError that says which grant is missing, where the user may not make a schema or does not own it.
 */
async function requireSchemaRights(queries: Queries): Promise<void> {
  const [found] = await queries.query<{ foreign: string | null; missing: string | null }>(
    `select
       string_agg(name, ', ') filter (where not pg_has_role(present.nspowner, 'usage')) as foreign,
       string_agg(name, ', ') filter (
         where present.oid is null
           and not has_database_privilege(current_database(), 'create')
       ) as missing
     from unnest('{${SCHEMAS.join(',')}}'::text[]) as name
     left join pg_namespace as present on present.nspname = name`,
  );
  const { foreign = null, missing = null } = found ?? {};
  if (missing !== null)
    throw new StoreError(
      null,
      `The user in DATABASE_URL may not create schemas, and the database lacks ${missing}. Nothing was changed. ` +
        'Have somebody who may run `grant create on database … to …`, or `create schema … authorization …` for ' +
        'each of them, then run `personio-sync migrate` again.',
    );
  if (foreign !== null)
    throw new StoreError(
      null,
      `Schemas belong to another user than that in DATABASE_URL: ${foreign}. Nothing was changed. ` +
        'Migrate as that user, or have somebody who may run `alter schema … owner to …` for each of them.',
    );
}

/** Leaves out `create schema` for those that exist: with `if not exists`, too, it needs the right to create one. */
async function skipExistingSchemas(queries: Queries, sql: string): Promise<string> {
  const rows = await queries.query<{ name: string }>('select nspname as name from pg_namespace');
  const present = new Set(rows.map(({ name }) => name));
  return sql.replaceAll(/^create schema (?:if not exists )?(\w+);$/gm, (statement, name: string) =>
    present.has(name) ? '' : statement,
  );
}

async function listPending(transaction: Transaction, migrations: readonly Migration[]): Promise<readonly Migration[]> {
  await requireSchemaRights(transaction);
  await prepareTable(transaction);
  const applied = (await listApplied(transaction)).map(({ name }) => name);
  const pending = migrations.filter(({ name }) => !applied.includes(name));
  const newest = findNewestNumber(applied);
  const [late] = pending.filter(({ number }) => number < newest);
  if (late !== undefined) throw createOrderError(late.name);
  return pending;
}

function createOrderError(name: string): StoreError {
  return new StoreError(
    null,
    `The migration ${name} is older than what the database has, and was never applied: the schema was made by ` +
      'another line of personio-sync. Nothing was changed. Restore a backup, or migrate into an empty database.',
  );
}

async function recordMigration(transaction: Transaction, { name, oldestSchema }: Migration): Promise<void> {
  await transaction.run(`insert into ${TABLE} (name, run_on, oldest_schema) values ($1, clock_timestamp(), $2)`, [
    name,
    oldestSchema,
  ]);
}

/** Creates what migrations are recorded in, where it is missing. */
async function prepareTable(queries: Queries): Promise<void> {
  const [found] = await queries.query<{ has_schema: boolean; has_column: boolean }>(
    `select
       to_regnamespace('${SCHEMA}') is not null as has_schema,
       exists (
         select from pg_attribute
         where attrelid = to_regclass('${TABLE}')
           and attname = 'oldest_schema'
       ) as has_column`,
  );
  if (found?.has_column === true) return;
  if (found?.has_schema !== true) await queries.run(`create schema ${SCHEMA}`);
  await queries.run(
    `create table if not exists ${TABLE} (
       id serial primary key,
       name varchar(255) not null,
       run_on timestamp not null
     )`,
  );
  await queries.run(`alter table ${TABLE} add column oldest_schema integer`);
}

/**
 * Checks that this version can work with the schema. A newer schema is fine if its migrations say so.
 *
 * @throws StoreError that says what to run, where this version needs another schema.
 */
export async function requireSchema(database: Database, known = listMigrationNames()): Promise<void> {
  const present = await listApplied(database);
  const schema = findNewestNumber(known);
  const [foreign] = present.filter(
    ({ name, oldestSchema }) => !known.includes(name) && (oldestSchema === null || oldestSchema > schema),
  );
  if (foreign !== undefined) throw createTooOldError(foreign.name);
  if (present.length === 0) throw createSchemaMissingError();
  const names = present.map(({ name }) => name);
  const [missing] = known.filter((name) => !names.includes(name));
  if (missing !== undefined) {
    throw new StoreError(
      null,
      `The database lacks a migration (${missing}). Run \`personio-sync migrate\`, then try again.`,
    );
  }
}

function createTooOldError(name: string): StoreError {
  return new StoreError(
    null,
    `The database has a migration that this version does not know and cannot work with (${name}): ` +
      'it was made by a newer personio-sync. Install that version; nothing was changed.',
  );
}

interface AppliedMigration {
  readonly name: string;
  readonly oldestSchema: number | null;
}

async function listApplied(queries: Queries): Promise<readonly AppliedMigration[]> {
  const [table] = await queries.query<{ present: boolean }>(`select to_regclass('${TABLE}') is not null as present`);
  if (table?.present !== true) return [];
  // The column came later than the table.
  return queries.query<AppliedMigration>(
    `select
       name,
       (to_jsonb(applied) ->> 'oldest_schema')::integer as "oldestSchema"
     from ${TABLE} as applied
     order by name`,
  );
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
