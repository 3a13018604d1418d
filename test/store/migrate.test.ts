import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, test } from '@jest/globals';
import type { Database } from '../../src/store/database.js';
import { migrate, requireSchema } from '../../src/store/migrate.js';
import { listMigrations } from '../../src/store/migration-files.js';
import type { Migration } from '../../src/store/migration-files.js';
import { createEmptyDatabase } from '../support/database.js';
import { waitForWaiter } from '../support/waiters.js';

const MIGRATIONS = readdirSync(fileURLToPath(new URL('../../src/store/migrations', import.meta.url)))
  .map((file) => file.replace(/\.sql$/, ''))
  .sort();
const NEWEST = Number.parseInt(MIGRATIONS.at(-1) ?? '', 10);

/** Returns the migrations of a later version, which has one more. */
function toFuture(migration: Partial<Migration> & { readonly name: string }): readonly Migration[] {
  const later = { number: 9998, sql: 'select 1', oldestSchema: null, isOutsideTransaction: false };
  return [...listMigrations(), { ...later, ...migration }];
}

describe.each(['oldest', 'newest'] as const)('the schema on the %s PostgreSQL', (which) => {
  const opened: Database[] = [];
  const open = async (): Promise<Database> => {
    const database = await createEmptyDatabase(which);
    opened.push(database);
    return database;
  };
  afterAll(async () => Promise.all(opened.map(async (database) => database.close())));

  test('is created from nothing, and a second migration changes nothing', async () => {
    const database = await open();
    expect(await migrate(database)).toEqual(MIGRATIONS);
    expect(await migrate(database)).toEqual([]);
    await expect(requireSchema(database)).resolves.toBeUndefined();
  });

  test('can be migrated by twelve processes at once', async () => {
    const database = await open();
    const applied = await Promise.all(Array.from({ length: 12 }, async () => migrate(database)));
    expect(applied.flat().sort()).toEqual(MIGRATIONS);
    const locks = await database.query(`select from pg_locks where locktype = 'advisory'`);
    expect(locks).toHaveLength(0);
  });

  test('is required, and its absence names the command to run', async () => {
    await expect(requireSchema(await open())).rejects.toThrow(/Run `personio-sync migrate`/);
  });

  test('lets older workers run beside a migration that says so', async () => {
    const database = await open();
    await migrate(database);
    await migrate(database, { migrations: toFuture({ name: '9998-additive', oldestSchema: NEWEST }) });
    await expect(requireSchema(database)).resolves.toBeUndefined();
    const older = MIGRATIONS.slice(0, -1);
    await expect(requireSchema(database, older)).rejects.toThrow(/does not know and cannot work with \(\d{4}-/);
  });

  test('refuses older workers beside a migration that does not say so', async () => {
    const database = await open();
    await migrate(database);
    await migrate(database, { migrations: toFuture({ name: '9998-breaking', oldestSchema: null }) });
    await expect(requireSchema(database)).rejects.toThrow(/cannot work with \(9998-breaking\).*Install that version/);
  });

  test('is not migrated back: an older version applies nothing to a newer schema', async () => {
    const database = await open();
    await migrate(database);
    await migrate(database, { migrations: toFuture({ name: '9998-additive', oldestSchema: NEWEST }) });
    expect(await migrate(database)).toEqual([]);
  });

  test('continues a database of a version that recorded names alone', async () => {
    const database = await open();
    await migrate(database);
    await database.run('alter table personio.pgmigrations drop column oldest_schema');
    await expect(requireSchema(database)).resolves.toBeUndefined();
    expect(await migrate(database, { migrations: toFuture({ name: '9998-x', oldestSchema: NEWEST }) })).toEqual([
      '9998-x',
    ]);
  });

  test('waits for a table shortly, gives way to others, and tries again', async () => {
    const database = await open();
    await migrate(database);
    const migrations = toFuture({ name: '9998-locks', sql: 'alter table personio.employees add column later text' });
    let isMigrating: Promise<readonly string[]> = Promise.resolve([]);
    await database.transaction(async (transaction) => {
      await transaction.query('select from personio.employees');
      await expect(migrate(database, { migrations, lockTimeoutMs: 50, lockTries: 1 })).rejects.toThrow(
        /waited 1 times for a table.*run `personio-sync migrate` again/,
      );
      isMigrating = migrate(database, { migrations, lockTimeoutMs: 50, lockTries: 10 });
      await waitForWaiter(database);
      // Queued up behind the migration until that gives way.
      await database.query('select from personio.employees');
    });
    expect(await isMigrating).toEqual(['9998-locks']);
  });

  test('can be migrated outside a transaction by six processes at once, and again after a failure', async () => {
    const database = await open();
    await migrate(database);
    const sql = [
      '-- outside a transaction',
      'drop index concurrently if exists personio.by_office;',
      'create index concurrently by_office on personio.employees (office);',
    ];
    const migrations = toFuture({ name: '9998-index', isOutsideTransaction: true, sql: sql.join('\n') });
    const broken = toFuture({ name: '9998-index', isOutsideTransaction: true, sql: [...sql, 'broken;'].join('\n') });
    await expect(migrate(database, { migrations: broken })).rejects.toThrow(/syntax/);
    const applied = await Promise.all(Array.from({ length: 6 }, async () => migrate(database, { migrations })));
    expect(applied.flat()).toEqual(['9998-index']);
    const [index] = await database.query<{ indisvalid: boolean }>(
      `select indisvalid from pg_index where indexrelid = 'personio.by_office'::regclass`,
    );
    expect(index?.indisvalid).toBe(true);
  });
});

test('each migration says which older workers may run beside it', () => {
  const silent = listMigrations().filter(({ number, oldestSchema }) => number >= 12 && oldestSchema === null);
  expect(silent.map(({ name }) => name)).toEqual([]);
});
