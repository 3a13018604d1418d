import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { Database } from '../../src/store/database.js';
import { createEmptyDatabase } from '../support/database.js';

let database: Database;
beforeAll(async () => (database = await createEmptyDatabase()));
afterAll(async () => database.close());

test('a connection that breaks between two statements of a transaction fails the next one, and nothing else', async () => {
  const broken = database.transaction(async (transaction) => {
    const [own] = await transaction.query<{ pid: number }>('select pg_backend_pid() as pid');
    await database.run('select pg_terminate_backend($1, 10000)', [own?.pid]);
    // Until the end of the connection has arrived here too.
    for (;;) await transaction.run('select pg_sleep(0.01)');
  });
  await expect(broken).rejects.toMatchObject({ name: 'StoreError', type: 'StoreUnavailable' });
  expect(await database.query('select 1 as one')).toEqual([{ one: 1 }]);
});
