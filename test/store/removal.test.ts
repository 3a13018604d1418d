import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { Database, Transaction } from '../../src/store/database.js';
import { lockEndpoint } from '../../src/store/locks.js';
import { removeConnection } from '../../src/store/removal.js';
import { dropLeftOvers } from '../../src/store/staging.js';
import { createMigratedDatabase } from '../support/database.js';
import { createPolicy } from '../support/policy.js';
import { SteppedRead, commitCompany, employee } from '../support/staging.js';
import { SteppedCollection } from '../support/stepped-collection.js';
import { waitForWaiter } from '../support/waiters.js';

const policy = createPolicy();
const company = [employee(1), employee(2), employee(3)];
const ENTRY = { actor: 'Ada', what: 'remove-connection', subject: 'connection default', reason: 'no longer read' };

let database: Database;
beforeEach(async () => {
  database = await createMigratedDatabase();
});
afterEach(async () => database.close());

async function remove(): Promise<number> {
  return removeConnection(database, 'default', ENTRY, true);
}

/** Lists the tables that have rows of a connection, and the staging tables. */
async function listRemains(): Promise<readonly string[]> {
  const tables = await database.query<{ name: string; schema: string }>(
    `select table_name as name, table_schema as schema
     from information_schema.columns
     join information_schema.tables using (table_schema, table_name)
     where (table_schema = 'personio' and column_name = 'connection_id' and table_type = 'BASE TABLE')
       or (table_schema = 'personio_staging' and column_name = 'record_id')`,
  );
  const remains: string[] = [];
  for (const { name, schema } of tables) {
    const rows = await database.query(`select from ${schema}."${name}"`);
    if (schema === 'personio_staging' || rows.length > 0) remains.push(name);
  }
  return remains;
}

describe('removing a connection with its data', () => {
  test('leaves nothing at whatever step its syncs are, and they end as cancelled', async () => {
    await commitCompany(database, policy, company);
    const read = await new SteppedRead(database, policy, { runId: 'read' }).begin();
    await read.stage([...company, employee(4)]);
    const departments = new SteppedCollection(database, 'departments', 'default');
    await departments.begin();
    await remove();
    expect(await listRemains()).toEqual([]);
    expect((await read.commit()).result).toMatchObject({ outcome: 'cancelled', inserted: 0 });
    expect((await departments.commit()).incomplete).toBe('the run has already ended as cancelled');
    expect(await listRemains()).toEqual([]);
  });

  test('drops what a step has staged after the removal, with the next run', async () => {
    const read = await new SteppedRead(database, policy, { runId: 'read' }).begin();
    await database.run(`delete from personio.sync_runs`);
    await read.stage(company);
    expect(await listRemains()).toEqual(['read_starts', 'employees_read']);
    await dropLeftOvers(database);
    expect(await listRemains()).toEqual([]);
  });

  test('holds nothing that a commit needs while it waits for the commit', async () => {
    await commitCompany(database, policy, company);
    let removing: Promise<unknown> = Promise.resolve();
    await database.transaction(async (transaction) => {
      await lockEndpoint(transaction, 'default', 'employees');
      removing = remove();
      await waitForWaiter(database);
      await transaction.run(`set local lock_timeout = '1s'`);
      for (const table of ['connection_state', 'employees', 'sync_runs', 'lifecycle_feed', 'decision_chain'])
        await transaction.query(`select from personio.${table} for update`);
    });
    await removing;
    expect(await listRemains()).toEqual([]);
  });
});

describe('a transaction', () => {
  const people = ['1', '2'] as const;
  const touch = async (transaction: Transaction, id: string): Promise<number> =>
    transaction.run('update personio.employees set version = version + 1 where employee_id = $1', [id]);

  test('is repeated after a deadlock', async () => {
    await commitCompany(database, policy, company);
    let begun = 0;
    const update = async (first: string, second: string): Promise<void> =>
      database.transaction(async (transaction) => {
        await touch(transaction, first);
        begun += 1;
        for (const deadline = Date.now() + 5_000; begun < 2 && Date.now() < deadline;)
          await transaction.query('select pg_sleep(0.01)');
        await touch(transaction, second);
      });
    await Promise.all([update(...people), update('2', '1')]);
    expect(begun).toBeGreaterThan(2);
    expect(await database.query('select version from personio.employees order by employee_id')).toEqual([
      { version: 3 },
      { version: 3 },
      { version: 1 },
    ]);
  });

  test('is repeated after a serialization failure', async () => {
    await commitCompany(database, policy, company);
    let tries = 0;
    await database.transaction(async (transaction) => {
      tries += 1;
      await transaction.run('set transaction isolation level repeatable read');
      await transaction.query('select from personio.employees');
      if (tries === 1) await database.run('update personio.employees set version = 7');
      await touch(transaction, '1');
    });
    expect(tries).toBe(2);
    expect(await database.query(`select version from personio.employees where employee_id = '1'`)).toEqual([
      { version: 8 },
    ]);
  });
});
