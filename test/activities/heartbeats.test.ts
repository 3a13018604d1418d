import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { CancelledFailure } from '@temporalio/common';
import { MockActivityEnvironment } from '@temporalio/testing';
import { withFailureTranslation, withHeartbeat } from '../../activities/failures.js';
import { openDatabase } from '../../src/store/database.js';
import type { Database } from '../../src/store/database.js';
import { createEmptyDatabase } from '../support/database.js';
import { startSilentProxy } from '../support/silent-proxy.js';
import type { SilentProxy } from '../support/silent-proxy.js';
import { waitForWaiter } from '../support/waiters.js';

const WATCH_INTERVAL_MS = 400;
const HEARTBEAT_INTERVAL_MS = 20;

let direct: Database;
let proxy: SilentProxy;
let worker: Database;
let environment: MockActivityEnvironment;
let heartbeats = 0;
const isBeating = async (): Promise<boolean> => {
  const before = heartbeats;
  await sleep(4 * HEARTBEAT_INTERVAL_MS);
  return heartbeats > before;
};

beforeEach(async () => {
  direct = await createEmptyDatabase();
  await direct.run('create table things (name text)');
  proxy = await startSilentProxy(direct.url);
  worker = openDatabase({
    url: proxy.url,
    applicationName: 'a worker',
    poolSize: 1,
    watchIntervalMs: WATCH_INTERVAL_MS,
  });
  environment = new MockActivityEnvironment();
  heartbeats = 0;
  environment.on('heartbeat', () => (heartbeats += 1));
});
afterEach(async () => {
  await worker.close();
  await proxy.close();
  await direct.close();
});

/** Runs an activity whose statement waits for a lock until `during` has ended. */
async function withActivity(during: (outcome: Promise<unknown>) => Promise<void>): Promise<unknown> {
  const activity = withFailureTranslation(
    withHeartbeat(async () => worker.run('delete from things'), HEARTBEAT_INTERVAL_MS),
  );
  const { outcome } = await direct.transaction(async (transaction) => {
    await transaction.run('lock table things');
    const running = environment.run(activity).catch((error: unknown) => error);
    await waitForWaiter(direct);
    await during(running);
    return { outcome: running };
  });
  return outcome;
}

async function waitForBeating(expected: boolean): Promise<void> {
  for (const deadline = Date.now() + 10_000; (await isBeating()) !== expected;)
    if (Date.now() > deadline) throw new Error('The heartbeats did not change.');
}

test('an activity that waits for a lock heartbeats', async () => {
  const outcome = await withActivity(async () => {
    for (let looks = 0; looks < 3; looks += 1) {
      await sleep(WATCH_INTERVAL_MS);
      await waitForBeating(true);
    }
  });
  expect(outcome).toBe(0);
});

test('an activity whose network is silent stops its heartbeats, then fails and is retried', async () => {
  const outcome = await withActivity(async () => {
    proxy.fallSilent();
    await waitForBeating(false);
  });
  expect(outcome).toMatchObject({ type: 'StoreUnavailable', nonRetryable: false });
});

test('a cancelled activity closes its connection, and the pool serves the next one', async () => {
  const outcome = await withActivity(async (running) => {
    environment.cancel('CANCELLED');
    await running;
  });
  expect(outcome).toBeInstanceOf(CancelledFailure);
  expect(await worker.query('select 1 as one')).toEqual([{ one: 1 }]);
});
