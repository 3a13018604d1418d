import { chmodSync, chownSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { startPostgresServer } from '../../src/embedded/postgres-server.js';
import type { PostgresServer } from '../../src/embedded/postgres-server.js';
import { startGuard } from '../../src/embedded/processes.js';
import { ensureUser } from '../../src/embedded/server-user.js';
import { openDatabase, requireDatabase } from '../../src/store/database.js';
import type { Database } from '../../src/store/database.js';
import { StoreError } from '../../src/store/errors.js';
import { grantRoles, migrate, requireSchema } from '../../src/store/migrate.js';
import { createCertificate } from '../support/certificates.js';
import { testEnvironment } from '../support/environment.js';
import { readTestServers } from '../support/servers-file.js';

const folder = mkdtempSync(join(tmpdir(), 'foreign-'));
const guard = startGuard();
const PASSWORD = 'p@ss#w:rd';
const outcomes: string[] = [];
let server: PostgresServer;
let admin: Database;
let port: string;
let count = 0;

const open = (url: string, watchIntervalMs?: number): Database =>
  openDatabase({
    url,
    applicationName: 'test',
    poolSize: 2,
    ...(watchIntervalMs === undefined ? {} : { watchIntervalMs }),
  });
const toPath = (name: string): string => join(folder, name);

/** Returns `works`, or the sentence that a command would print. */
async function explain(
  url: string,
  act = async (own: Database): Promise<unknown> => requireDatabase(own, 0),
): Promise<string> {
  let database: Database | null = null;
  try {
    database = open(url);
    await act(database);
    outcomes.push('works');
  } catch (error) {
    outcomes.push(error instanceof StoreError ? error.message : `unexpected error: ${String(error)}`);
  } finally {
    await database?.close();
  }
  return outcomes.at(-1) ?? '';
}

const HBA = `
hostnossl only_tls all all reject
hostssl with_certificate all all scram-sha-256 clientcert=verify-ca
local all all scram-sha-256
host all all all scram-sha-256
`;

beforeAll(async () => {
  const ca = createCertificate('authority.test');
  const files = {
    'ca.pem': ca.certificate,
    'other-ca.pem': createCertificate('elsewhere.test').certificate,
    'hba.conf': HBA,
  };
  const own = createCertificate('db.test', ca);
  const client = createCertificate('client.test', ca);
  const pairs = { 'server.pem': own.certificate, 'client.pem': client.certificate };
  const keys = { 'server.key': own.key, 'client.key': client.key };
  const user = process.getuid?.() === 0 ? await ensureUser('postgres') : null;
  chmodSync(folder, 0o755);
  mkdirSync(toPath('socket'));
  for (const [name, text] of Object.entries({ ...files, ...pairs, ...keys })) writeFileSync(toPath(name), text);
  for (const name of Object.keys(keys)) chmodSync(toPath(name), 0o600);
  if (user !== null) for (const name of ['socket', 'server.key']) chownSync(toPath(name), user.uid, user.gid);
  mkdirSync(toPath('home'));
  const tls = ['ssl=on', `ssl_cert_file=${toPath('server.pem')}`, `ssl_key_file=${toPath('server.key')}`];
  const settings = [
    ...tls,
    `ssl_ca_file=${toPath('ca.pem')}`,
    `hba_file=${toPath('hba.conf')}`,
    `unix_socket_directories=${toPath('socket')}`,
  ];
  const say = (): void => undefined;
  server = await startPostgresServer({ home: toPath('home'), guard, environment: testEnvironment, say, settings });
  ({ port } = new URL(server.url));
  admin = open(server.url);
  await admin.run(`create role ada login password '${PASSWORD}'`);
  for (const name of ['only_tls', 'with_certificate', 'closed']) await admin.run(`create database ${name}`);
  await admin.run('revoke connect on database closed from public');
});
afterAll(async () => {
  await admin.close();
  await server.stop();
  guard.release();
  rmSync(folder, { recursive: true, force: true });
});

const toUrl = (query: string, database = 'only_tls', host = 'db.test'): string =>
  `postgresql://ada:${PASSWORD}@${host}:${port}/${database}?hostaddr=127.0.0.1&${query}`.replaceAll('FOLDER', folder);

describe('a server with TLS and a private CA', () => {
  test.each([
    ['sslmode=require', 'works'],
    ['sslmode=require&sslrootcert=FOLDER/ca.pem', 'works'],
    ['sslmode=verify-ca&sslrootcert=FOLDER/ca.pem', 'works'],
    ['sslmode=verify-full&sslrootcert=FOLDER/ca.pem', 'works'],
    ['sslmode=verify-full&sslrootcert=FOLDER/ca.pem&channel_binding=prefer', 'works'],
    ['sslmode=disable', /accepts no unencrypted connection\. Set sslmode=/],
    ['sslmode=require&sslrootcert=FOLDER/other-ca.pem', /cannot be verified .* Set sslrootcert/],
    ['sslmode=verify-ca&sslrootcert=FOLDER/other-ca.pem', /cannot be verified .* Set sslrootcert/],
    ['sslmode=verify-full&sslrootcert=FOLDER/other-ca.pem', /cannot be verified .* Set sslrootcert/],
    ['sslmode=verify-full', /cannot be verified .* Set sslrootcert/],
    ['sslmode=verify-full&sslrootcert=FOLDER/hba.conf', /sslrootcert that holds no certificate/],
    ['sslmode=require&sslcert=FOLDER/client.pem&sslkey=FOLDER/server.key', /sslcert and sslkey that do not fit/],
  ])('%s', async (query, outcome) => {
    expect(await explain(toUrl(query))).toMatch(outcome);
  });

  test('a long statement is watched over a connection that is made alike', async () => {
    const database = open(toUrl('sslmode=verify-full&sslrootcert=FOLDER/ca.pem'), 50);
    expect(await database.query('select pg_sleep(0.5), 1 as one')).toMatchObject([{ one: 1 }]);
    await database.close();
  });

  test('another name is refused by verify-full only', async () => {
    const query = 'sslrootcert=FOLDER/ca.pem&sslmode=';
    expect(await explain(toUrl(`${query}verify-ca`, 'only_tls', 'other.test'))).toBe('works');
    const mismatch = /is for another host\. .* sslmode=verify-ca/;
    expect(await explain(toUrl(`${query}verify-full`, 'only_tls', 'other.test'))).toMatch(mismatch);
  });

  test('a certificate of the client is sent, and its absence is a sentence', async () => {
    const files = 'sslcert=FOLDER/client.pem&sslkey=FOLDER/client.key';
    expect(await explain(toUrl(`sslmode=require&${files}`, 'with_certificate'))).toBe('works');
    expect(await explain(toUrl('sslmode=require', 'with_certificate'))).toMatch(/Set sslcert and sslkey/);
  });
});

test('a server without TLS is refused where sslmode asks for it', async () => {
  const url = `${readTestServers().mainPostgres}?sslmode=require`;
  expect(await explain(url)).toMatch(/offers no TLS, .* set sslmode=disable/);
});

describe('a URL', () => {
  test.each([
    [
      'with the folder of a Unix socket',
      () => `postgresql:///postgres?host=${folder}/socket&port=${port}&user=ada&password=p%40ss%23w:rd`,
      'works',
    ],
    [
      'with an encoded socket',
      () => `postgresql://ada:${PASSWORD}@${encodeURIComponent(`${folder}/socket`)}:${port}/postgres`,
      'works',
    ],
    [
      'of a socket with sslmode',
      () => `host=${folder}/socket port=${port} dbname=postgres user=ada password=${PASSWORD} sslmode=require`,
      'works',
    ],
    ['with a list of hosts', () => 'postgresql://a,b/db', /several hosts/],
    [
      'with a wrong password',
      () => `postgresql://ada:s3cret@127.0.0.1:${port}/postgres`,
      /rejected the user or the pass/,
    ],
    ['without a password', () => `postgresql://ada@127.0.0.1:${port}/postgres`, /asks for a password/],
    [
      'of a database that is missing',
      () => `postgresql://ada:${PASSWORD}@127.0.0.1:${port}/gone`,
      /no database of the/,
    ],
    ['of a database that is closed to the user', () => toUrl('', 'closed'), /Run: grant connect on database/],
    ['with an unknown option', () => toUrl('options=-c%20unknown=1', 'postgres'), /Check the user, .* options/],
    [
      'of a socket that is missing',
      () => 'postgresql:///db?host=/nowhere',
      /Cannot connect .* \/nowhere:5432 \(ENOENT\)/,
    ],
  ])('%s', async (_name, getUrl, outcome) => {
    expect(await explain(getUrl())).toMatch(outcome);
  });
});

describe('a user that may not create schemas', () => {
  const SCHEMAS = ['personio', 'personio_read', 'personio_staging'];

  async function createFor(schemas: readonly string[], owner: string): Promise<{ own: Database; url: string }> {
    count += 1;
    await admin.run(`create database foreign_${count}`);
    const own = open(server.url.replace(/[^/]*$/, `foreign_${count}`));
    for (const name of schemas) await own.run(`create schema ${name} authorization ${owner}`);
    return { own, url: `postgresql://ada:${PASSWORD}@127.0.0.1:${port}/foreign_${count}` };
  }

  test('migrates where the three schemas are its own, again and again', async () => {
    const { own, url } = await createFor(SCHEMAS, 'ada');
    const act = async (database: Database): Promise<void> => {
      await migrate(database);
      await requireSchema(database);
      await grantRoles(database);
      expect(await migrate(database)).toEqual([]);
    };
    expect(await explain(url, act)).toBe('works');
    await own.close();
  });

  test.each([
    ['none exists', [], 'ada', /may not create schemas, and the database lacks personio, .*grant create on database/],
    ['one is missing', SCHEMAS.slice(0, 2), 'ada', /lacks personio_staging\. .*grant create on database/],
    ['they belong to another', SCHEMAS, 'postgres', /Schemas belong to another user .*alter schema … owner to/],
  ])('is told which grant is missing where %s', async (_name, schemas, owner, outcome) => {
    const { own, url } = await createFor(schemas, owner);
    expect(await explain(url, async (database) => migrate(database))).toMatch(outcome);
    await own.close();
  });

  test('works as a worker with the role of workers alone, and is told of it without', async () => {
    const { own, url } = await createFor([], 'ada');
    await migrate(own);
    expect(await explain(url, async (database) => requireSchema(database))).toMatch(/grant the role personio_sync_w/);
    await own.run('grant personio_sync_worker to ada');
    expect(await explain(url, async (database) => requireSchema(database))).toBe('works');
    await own.close();
  });
});

test('no case ends in an unexpected error, or shows a part of a password', () => {
  expect(outcomes.length).toBeGreaterThan(25);
  expect(outcomes.join('\n')).not.toMatch(/unexpected|p@ss|s3cret|w:rd/);
});
