import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { deriveKeyRing } from '../../src/crypto/sealing.js';
import type { ExchangedToken, TokenCache } from '../../src/personio/api.js';
import { openDatabase } from '../../src/store/database.js';
import type { Database } from '../../src/store/database.js';
import { createTokenCache } from '../../src/store/token-cache.js';
import { createMigratedDatabase } from '../support/database.js';
import { createPolicy } from '../support/policy.js';
import { SteppedRead, commitCompany, employee } from '../support/staging.js';
import { waitForWaiter } from '../support/waiters.js';

const policy = createPolicy();
const LEFT = { status: 'inactive', terminationDate: '2024-01-31', lastWorkingDay: '2024-01-31' } as const;
const company = [employee(1), employee(2), employee(3)];
const withLeaver = [employee(1, LEFT), employee(2), employee(3)];

const opened: Database[] = [];
let database: Database;
beforeEach(async () => {
  database = await createMigratedDatabase();
  opened.push(database);
});
afterEach(async () => {
  await Promise.all(opened.splice(0).map(async ({ close }) => close()));
});

/** Opens the database as a worker of its own. */
function openWorker(): Database {
  const worker = openDatabase({ url: database.url, applicationName: 'a worker', poolSize: 3 });
  opened.push(worker);
  return worker;
}

async function setForDatabase(setting: string): Promise<void> {
  await database.run(`do $$ begin execute format('alter database %I set ${setting}', current_database()); end $$`);
}

describe('while Personio is asked for a token', () => {
  const openCache = (worker = openWorker(), version: 'v1' | 'v2' = 'v1'): TokenCache =>
    createTokenCache(worker, {
      connectionId: 'slow',
      version,
      ring: deriveKeyRing('secret', 'token'),
      credential: 'one',
    });

  let exchanges = 0;
  let respond: () => void = () => undefined;
  /** Answers when `respond` is called. */
  const exchangeSlowly = async (): Promise<ExchangedToken> => {
    exchanges += 1;
    await new Promise<void>((resolve) => {
      respond = resolve;
    });
    return { token: `token-${exchanges}`, expiresInSeconds: 3_600 };
  };
  const exchangeAtOnce = async (): Promise<ExchangedToken> => {
    exchanges += 1;
    return Promise.resolve({ token: `token-${exchanges}`, expiresInSeconds: 3_600 });
  };
  const waitForExchange = async (): Promise<void> => {
    for (const deadline = Date.now() + 5_000; exchanges === 0 && Date.now() < deadline;)
      await database.query('select pg_sleep(0.01)');
  };
  beforeEach(() => {
    exchanges = 0;
  });

  test('no lock is held and no transaction is open, so a commit of the connection passes', async () => {
    await commitCompany(database, policy, company, { connectionId: 'slow' });
    await setForDatabase('idle_in_transaction_session_timeout = 50');
    const token = openCache().getToken(exchangeSlowly);
    await waitForExchange();
    await database.query('select pg_sleep(0.1)');
    const held = await database.query(
      `select from pg_stat_activity
       where datname = current_database()
         and application_name = 'a worker'
         and (state <> 'idle' or xact_start is not null)`,
    );
    expect(held).toEqual([]);
    await setForDatabase('lock_timeout = 1000');
    expect((await commitCompany(openWorker(), policy, withLeaver, { connectionId: 'slow' })).result?.outcome).toBe(
      'succeeded',
    );
    respond();
    expect(await token).toBe('token-1');
  });

  test('others wait for the token and do not ask for one of their own', async () => {
    const first = openCache().getToken(exchangeSlowly);
    await waitForExchange();
    const others = [1, 2, 3].map(async () => openCache().getToken(exchangeSlowly));
    const other = openCache(openWorker(), 'v2').getToken(exchangeAtOnce);
    expect(await other).toBe('token-2');
    respond();
    expect(await Promise.all([first, ...others])).toEqual(Array(4).fill('token-2'));
    expect(exchanges).toBe(2);
  });

  test('a failure lets the next one try at once, and a killed worker delays the others for a minute', async () => {
    const refuse = async (): Promise<ExchangedToken> => Promise.reject(new Error('refused'));
    await expect(openCache().getToken(refuse)).rejects.toThrow('refused');
    expect(await openCache().getToken(exchangeAtOnce)).toBe('token-1');
    await database.run(
      `update personio.connection_state
       set sealed_token = null,
         token_lease_until = clock_timestamp() + interval '300 milliseconds'`,
    );
    const started = Date.now();
    expect(await openCache().getToken(exchangeAtOnce)).toBe('token-2');
    expect(Date.now() - started).toBeGreaterThanOrEqual(250);
  });
});

test('the commit of one connection waits for no lock of another, while it has events that are due', async () => {
  for (const connectionId of ['slow', 'fast']) await commitCompany(database, policy, company, { connectionId });
  const slow = await new SteppedRead(database, policy, { connectionId: 'slow' }).begin();
  await slow.stage(withLeaver);
  let committed: Promise<unknown> = Promise.resolve();
  await database.transaction(async (transaction) => {
    await transaction.query(`select from personio.connection_state where connection_id = 'slow' for update`);
    committed = slow.commit();
    await waitForWaiter(database);
    await setForDatabase('lock_timeout = 1000');
    const fast = await commitCompany(openWorker(), policy, withLeaver, { connectionId: 'fast' });
    expect(fast.result?.outcome).toBe('succeeded');
  });
  await committed;
  const sequences = await database.query<{ connection_id: string }>(
    'select connection_id from personio.lifecycle_events where sequence is not null order by sequence',
  );
  expect(sequences.map((row) => row.connection_id)).toEqual(['fast', 'slow']);
});
