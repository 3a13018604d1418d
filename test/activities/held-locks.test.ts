import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { MockActivityEnvironment } from '@temporalio/testing';
import { pino } from 'pino';
import { createActivities } from '../../activities/index.js';
import type { PersonioAccess } from '../../activities/personio-access.js';
import { openDatabase } from '../../src/store/database.js';
import type { Database } from '../../src/store/database.js';
import { insertRun } from '../../src/store/runs.js';
import { beginStaging } from '../../src/store/staging.js';
import { createMigratedDatabase } from '../support/database.js';
import { createPolicy } from '../support/policy.js';

const WORKER = 'a worker at locks';
const policy = createPolicy();
/** Nobody gets as far as asking Personio. */
const personio = (async () => Promise.resolve({ requests: 0 })) as unknown as PersonioAccess;

let direct: Database;
let worker: Database;
beforeAll(async () => {
  direct = await createMigratedDatabase();
  worker = openDatabase({ url: direct.url, applicationName: WORKER, poolSize: 10 });
});
afterAll(async () => {
  await worker.close();
  await direct.close();
});

async function lockAllTables(transaction: Pick<Database, 'run'>): Promise<void> {
  await transaction.run(
    `do $$
     begin
       execute (
         select 'lock table ' || string_agg(format('%I.%I', schemaname, tablename), ', ')
         from pg_tables
         where schemaname = 'personio'
       );
     end $$`,
  );
}

test('steps that wait for a lock heartbeat, and hold one connection each', async () => {
  const { openRun, askForMissing, decideHeld, collectSegment } = createActivities({
    database: worker,
    policy,
    personio,
    digest: (text) => text,
    logger: pino({ level: 'silent' }),
    namespace: 'default',
    getClient: () => {
      throw new Error('Nobody asks Temporal here.');
    },
    readNamespaceId: async () => Promise.resolve('none'),
  });
  const run = { connectionId: 'default', endpoint: 'employees', runId: 'a run' } as const;
  const other = { ...run, runId: 'another run' };
  await insertRun(direct, run, '2026-11-20T03:00:00Z', null);
  await beginStaging(direct, run, { attempt: 1, chunk: null });
  const segment = { ...run, source: 'v1', chunk: null, attempt: 2, position: null, pages: 1 } as const;
  const verdict = { ...run, verdict: 'approved', by: 'somebody', reason: 'a test', requestId: 'one' } as const;
  const steps: Readonly<Record<string, () => Promise<unknown>>> = {
    openRun: async () => openRun({ ...other, startedAt: '2026-11-20T03:00:00Z', window: null, nominalTime: null }),
    askForMissing: async () => askForMissing({ ...run, attempt: 1 }),
    decideHeld: async () => decideHeld(verdict),
    collectSegment: async () => collectSegment(segment),
  };
  const beating = new Set<string>();
  const outcomes = await direct.transaction(async (transaction) => {
    await lockAllTables(transaction);
    const running = Object.entries(steps).map(async ([name, step]) => {
      const environment = new MockActivityEnvironment();
      environment.on('heartbeat', () => beating.add(name));
      return environment.run(step).then(
        () => `${name} is done`,
        () => `${name} failed`,
      );
    });
    // A heartbeat is due every 8 s.
    for (const deadline = Date.now() + 20_000; beating.size < running.length && Date.now() < deadline;)
      await transaction.query('select pg_sleep(0.1)');
    const held = await direct.query('select from pg_stat_activity where application_name = $1', [WORKER]);
    expect(held).toHaveLength(running.length);
    return { running };
  });
  expect([...beating].sort()).toEqual(Object.keys(steps).sort());
  const [opened, asked, decided] = await Promise.all(outcomes.running);
  expect([opened, asked, decided]).toEqual(['openRun is done', 'askForMissing is done', 'decideHeld is done']);
}, 60_000);
