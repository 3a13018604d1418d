import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { openDatabase } from '../../src/store/database.js';
import type { Database } from '../../src/store/database.js';
import { StatementScope, areStatementsAlive } from '../../src/store/statement-watch.js';
import { createEmptyDatabase } from '../support/database.js';
import { startSilentProxy } from '../support/silent-proxy.js';
import type { SilentProxy } from '../support/silent-proxy.js';

const POOL_SIZE = 3;
const WATCH_INTERVAL_MS = 400;

let direct: Database;
let proxy: SilentProxy;
let worker: Database;
beforeEach(async () => {
  direct = await createEmptyDatabase();
  await direct.run('create table things (name text)');
  proxy = await startSilentProxy(direct.url);
  const watchIntervalMs = WATCH_INTERVAL_MS;
  worker = openDatabase({ url: proxy.url, applicationName: 'a worker', poolSize: POOL_SIZE, watchIntervalMs });
});
afterEach(async () => {
  await worker.close();
  await proxy.close();
  await direct.close();
});

/** One of each kind, none of which ends while the table is locked. */
const STATEMENTS: readonly (() => Promise<unknown>)[] = [
  async () => worker.query('select from things'),
  async () => worker.transaction(async (transaction) => transaction.run('delete from things')),
  async () => worker.copyIn('copy things from stdin', 'a\n'),
];

async function countBackends(condition = 'true'): Promise<number> {
  const rows = await direct.query(
    `select from pg_stat_activity
     where datname = current_database()
       and application_name = 'a worker'
       and ${condition}`,
  );
  return rows.length;
}

async function waitUntil(condition: () => Promise<boolean>): Promise<void> {
  for (const deadline = Date.now() + 15_000; !(await condition());) {
    if (Date.now() > deadline) throw new Error('The condition was never met.');
    await sleep(10);
  }
}

type Outcomes = Promise<readonly PromiseSettledResult<unknown>[]>;

/** Runs one statement of each kind, which wait for a lock until `during` has ended. */
async function withStatementsInFlight(
  during: (outcomes: Outcomes) => Promise<void>,
  scope = new StatementScope(),
): Promise<void> {
  const outcomes = await direct.transaction(async (transaction) => {
    await transaction.run('lock table things');
    const settled = Promise.allSettled(STATEMENTS.map(async (send) => scope.run(send)));
    await waitUntil(async () => (await countBackends(`wait_event_type = 'Lock'`)) === POOL_SIZE);
    await during(settled);
    return { settled };
  });
  await outcomes.settled;
}

async function expectPoolToServe(): Promise<void> {
  const answers = await Promise.all(
    Array.from({ length: POOL_SIZE }, async () => worker.query<{ one: number }>('select 1 as one from pg_sleep(0.1)')),
  );
  expect(answers.flat().map(({ one }) => one)).toEqual([1, 1, 1]);
}

const LOST = {
  status: 'rejected',
  reason: {
    name: 'StoreError',
    type: 'StoreUnavailable',
    message: expect.stringMatching(/was lost during a statement/),
  },
};

describe('a network that falls silent', () => {
  test('ends the statements in flight, and the pool serves again', async () => {
    await withStatementsInFlight(async (outcomes) => {
      proxy.fallSilent();
      expect(await outcomes).toMatchObject([LOST, LOST, LOST]);
      await expect(worker.query('select 1')).rejects.toMatchObject({ type: 'StoreUnavailable' });
    });
    proxy.heal();
    await expectPoolToServe();
  }, 60_000);

  test('for these connections alone ends their statements, once the server is done with them', async () => {
    const isSettled = { value: false };
    let lost: Outcomes = Promise.resolve([]);
    await withStatementsInFlight(async (outcomes) => {
      lost = outcomes.finally(() => (isSettled.value = true));
      proxy.fallSilent();
      proxy.heal();
      await direct.query('select pg_sleep($1)', [(WATCH_INTERVAL_MS * 4) / 1_000]);
      expect(isSettled.value).toBe(false);
    });
    expect(await lost).toMatchObject([LOST, LOST, LOST]);
    await expectPoolToServe();
  }, 60_000);

  test('while connections are idle, or between two statements of a transaction, ends the next statement', async () => {
    await expectPoolToServe();
    const next = worker.transaction(async (transaction) => {
      await transaction.run('select 1');
      proxy.fallSilent();
      proxy.heal();
      await transaction.run('select 1');
    });
    await expect(next).rejects.toMatchObject(LOST.reason);
    await Promise.allSettled([1, 2, 3].map(async () => worker.query('select 1')));
    await expectPoolToServe();
  }, 60_000);
});

test('a held lock is outlasted in one attempt, which counts as alive', async () => {
  const scope = new StatementScope();
  const silences: boolean[] = [];
  let settled: Outcomes = Promise.resolve([]);
  await withStatementsInFlight(async (outcomes) => {
    for (const until = Date.now() + WATCH_INTERVAL_MS * 6; Date.now() < until;) {
      await direct.query('select pg_sleep(0.37)');
      silences.push(await scope.run(async () => Promise.resolve(!areStatementsAlive())));
    }
    expect(await countBackends()).toBe(POOL_SIZE);
    settled = outcomes;
  }, scope);
  expect((await settled).map(({ status }) => status)).toEqual(Array(POOL_SIZE).fill('fulfilled'));
  // A look that is under way has no answer yet.
  expect(silences.filter(Boolean).length).toBeLessThan(silences.length / 2);
  expect(await direct.query('select name from things')).toEqual([{ name: 'a' }]);
});

test('a statement that no network answers is no sign of life', async () => {
  const scope = new StatementScope();
  await withStatementsInFlight(async (outcomes) => {
    proxy.fallSilent();
    await waitUntil(async () => scope.run(async () => Promise.resolve(!areStatementsAlive())));
    await outcomes;
  }, scope);
  expect(await scope.run(async () => Promise.resolve(areStatementsAlive()))).toBe(true);
}, 60_000);

test('a step that ends takes its statements with it, here and on the server', async () => {
  const scope = new StatementScope();
  const reason = new Error('cancelled');
  await withStatementsInFlight(async (outcomes) => {
    scope.end(reason);
    expect(await outcomes).toEqual(Array(POOL_SIZE).fill({ status: 'rejected', reason }));
    await waitUntil(async () => (await countBackends()) === 0);
    await expect(scope.run(async () => worker.query('select 1'))).rejects.toBe(reason);
  }, scope);
  await expectPoolToServe();
}, 60_000);

test('the server ends what a lost worker has begun, unless others have set a shorter limit', async () => {
  const name = new URL(direct.url).pathname.slice(1);
  const readLimit = async (): Promise<unknown> => {
    const url = direct.url;
    const own = openDatabase({ url, applicationName: 'test', poolSize: 1 });
    const [row] = await own.query(
      `select
         current_setting('idle_in_transaction_session_timeout') as idle,
         current_setting('client_connection_check_interval') as look,
         current_setting('tcp_user_timeout') as unanswered`,
    );
    await own.close();
    return row;
  };
  expect(await readLimit()).toEqual({ idle: '2min', look: '2s', unanswered: '60000' });
  await direct.run(`alter database ${name} set idle_in_transaction_session_timeout = '5s'`);
  expect(await readLimit()).toMatchObject({ idle: '5s' });
});
