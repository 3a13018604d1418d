import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { listConnectionIds } from '../../src/store/connections.js';
import { openDatabase, requireDatabase } from '../../src/store/database.js';
import type { Database } from '../../src/store/database.js';
import { translateError } from '../../src/store/errors.js';
import { migrate } from '../../src/store/migrate.js';
import { describeFailure } from '../../src/observability/failure.js';
import { createEmptyDatabase } from '../support/database.js';

let database: Database;
beforeAll(async () => (database = await createEmptyDatabase()));
afterAll(async () => database.close());

test('a broken connection fails its transaction and no other statement', async () => {
  const broken = database.transaction(async (transaction) => {
    const [own] = await transaction.query<{ pid: number }>('select pg_backend_pid() as pid');
    await database.run('select pg_terminate_backend($1, 10000)', [own?.pid]);
    // Until the end of the connection has arrived here too.
    for (;;) await transaction.run('select pg_sleep(0.01)');
  });
  await expect(broken).rejects.toMatchObject({ name: 'StoreError', type: 'StoreUnavailable' });
  expect(await database.query('select 1 as one')).toEqual([{ one: 1 }]);
});

describe('without PostgreSQL', () => {
  const sentence =
    'Cannot connect to PostgreSQL at 127.0.0.1:1 (ECONNREFUSED). ' +
    'Check that it is running and that DATABASE_URL is correct.';
  let absent: Database;
  beforeAll(() => {
    const url = 'postgresql://somebody:s3cret@127.0.0.1:1/confidential?options=hidden';
    absent = openDatabase({ url, applicationName: 'test', poolSize: 1 });
  });
  afterAll(async () => absent.close());

  test.each([
    { name: 'a query', act: async () => absent.query('select 1') },
    { name: 'a transaction', act: async () => absent.transaction(async (transaction) => transaction.run('select 1')) },
    { name: 'a copy', act: async () => absent.copyIn('copy somewhere from stdin', '') },
  ])('$name names the address, and nothing else of the URL', async ({ act }) => {
    await expect(act()).rejects.toMatchObject({ name: 'StoreError', type: 'StoreUnavailable', message: sentence });
  });

  test('waiting for it ends with what was tried', async () => {
    await expect(requireDatabase(absent, 100)).rejects.toThrow(`${sentence} Tried 2 times in 0 s.`);
  });
});

test('a database without the schema names the command to run', async () => {
  const remedy = /Run `personio-sync migrate`, then try again\.$/;
  await expect(listConnectionIds(database)).rejects.toMatchObject({
    name: 'StoreError',
    type: null,
    message: expect.stringMatching(remedy),
  });
  await expect(database.run('select personio.grant_roles()')).rejects.toThrow(remedy);
});

test('a missing staging table is not a missing schema', async () => {
  await database.run('create schema personio_staging');
  await expect(database.run('select from personio_staging.gone')).rejects.toMatchObject({ code: '42P01' });
});

describe('errors of PostgreSQL', () => {
  test.each([
    ['53300', /^Cannot connect to PostgreSQL at db:5432 \(53300\)\./],
    ['57P03', /^Cannot connect to PostgreSQL at db:5432 \(57P03\)\./],
    ['40P01', /^PostgreSQL at db:5432 could not complete a statement \(40P01\)\. Try again\.$/],
    ['28P01', /^PostgreSQL at db:5432 rejected the user or the password in DATABASE_URL\.$/],
    ['3D000', /^PostgreSQL at db:5432 has no database of the name in DATABASE_URL\.$/],
  ])('%s is a sentence, and may be retried', (code, sentence) => {
    const error = Object.assign(new Error('with a row of somebody'), { code });
    expect(translateError(error, 'db:5432')).toMatchObject({
      type: 'StoreUnavailable',
      message: expect.stringMatching(sentence),
    });
  });

  test('an error that nobody can act on stays as it is', () => {
    const error = Object.assign(new Error('a violated constraint'), { code: '23505' });
    expect(translateError(error, 'db:5432')).toBe(error);
  });
});

describe('what a debug log says of an error of PostgreSQL', () => {
  beforeAll(async () => database.run('create table named (id int constraint is_small check (id < 10), day date)'));
  const describeErrorFrom = async (sql: string, ...values: readonly unknown[]): Promise<Record<string, unknown>> =>
    database.run(sql, values).then(
      () => ({}),
      (error: unknown) => ({ ...describeFailure(error) }),
    );

  test('is the statement, the constraint and the code, never a value', async () => {
    const broken = await describeErrorFrom('insert into named (id) values ($1)', 4_711);
    expect(broken).toMatchObject({ code: '23514', constraint: 'is_small', statement: 'insert into named' });
    const unreadable = await describeErrorFrom('select id from named where day = $1', 'Ada Lovelace');
    expect(unreadable).toMatchObject({ code: '22007', statement: 'select from named' });
    expect(JSON.stringify([broken, unreadable])).not.toMatch(/4711|Ada|Lovelace/);
    expect(JSON.stringify(broken)).toMatch(/database\.ts/);
  });

  test('is there for an error that has become a sentence', async () => {
    expect(await describeErrorFrom('select from personio.employees')).toMatchObject({
      failure: 'StoreError',
      cause: { code: '42P01', statement: 'select from personio.employees' },
    });
  });
});

describe('a database that somebody else set up', () => {
  const createSetUp = async (...settings: readonly string[]): Promise<Database> => {
    const own = await createEmptyDatabase();
    const name = new URL(own.url).pathname.slice(1);
    for (const setting of settings) await own.run(`alter database ${name} set ${setting}`);
    await own.close();
    return openDatabase({ url: own.url, applicationName: 'test', poolSize: 1 });
  };

  test('with other styles, zone, path, isolation and limits works as any other', async () => {
    const other = await createSetUp(
      `DateStyle = 'SQL, DMY'`,
      `TimeZone = 'Africa/Monrovia'`,
      `IntervalStyle = 'sql_standard'`,
      'search_path = nowhere',
      `default_transaction_isolation = 'serializable'`,
      'statement_timeout = 50',
      'standard_conforming_strings = off',
    );
    await requireDatabase(other, 0);
    const [row] = await other.query(
      `select
         date '2026-12-31' as day,
         timestamptz '1971-01-01 00:00:00Z' as moment,
         '\\' as text,
         current_setting('transaction_isolation') as isolation
       from pg_sleep(0.2)`,
    );
    const moment = '1971-01-01T00:00:00.000Z';
    expect(row).toEqual({ day: '2026-12-31', moment, text: '\\', isolation: 'read committed' });
    expect(await migrate(other)).not.toEqual([]);
    await other.close();
  });

  test('that is read-only is refused with the remedy', async () => {
    const other = await createSetUp('default_transaction_read_only = on');
    await expect(requireDatabase(other, 0)).rejects.toThrow(/is read-only for this user .* Switch it off/);
    await other.close();
  });

  test.each(['LATIN1', 'SQL_ASCII'])('with the encoding %s is refused with the remedy', async (encoding) => {
    const name = `encoded_${encoding.toLowerCase()}_${process.pid}_${Date.now()}`;
    await database.run(`create database ${name} encoding '${encoding}' locale 'C' template template0`);
    const url = new URL(database.url);
    url.pathname = `/${name}`;
    const other = openDatabase({ url: url.href, applicationName: 'test', poolSize: 1 });
    await expect(requireDatabase(other, 0)).rejects.toThrow(new RegExp(`has the encoding ${encoding}, .* 'UTF8'`));
    await other.close();
  });
});
