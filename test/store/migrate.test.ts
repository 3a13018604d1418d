import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, test } from '@jest/globals';
import type { Database } from '../../src/store/database.js';
import { migrate, requireSchema } from '../../src/store/migrate.js';
import { createEmptyDatabase } from '../support/database.js';

const MIGRATIONS = readdirSync(fileURLToPath(new URL('../../src/store/migrations', import.meta.url)))
  .map((file) => file.replace(/\.sql$/, ''))
  .sort();

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
    expect(applied.flat()).toEqual(MIGRATIONS);
  });

  test('is required, and its absence names the command to run', async () => {
    await expect(requireSchema(await open())).rejects.toThrow(/Run `personio-sync migrate`/);
  });

  test('is refused by an older version than the one that migrated it', async () => {
    const database = await open();
    await migrate(database);
    await database.run(`insert into personio.pgmigrations (name, run_on) values ('9999-from-the-future', now())`);
    await expect(requireSchema(database)).rejects.toThrow(/made by a newer personio-sync/);
  });
});
