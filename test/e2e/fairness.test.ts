import { randomBytes } from 'node:crypto';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { parseKeyRing } from '../../src/crypto/sealing.js';
import { TASK_QUEUE, WORKFLOW_TYPE, workflowId } from '../../src/contracts/internal/names.js';
import type { SyncResult } from '../../src/contracts/internal/sync.js';
import { startFakePersonio } from '../../src/fake-personio/server.js';
import type { FakePersonio } from '../../src/fake-personio/server.js';
import { insertConnection } from '../../src/store/connections.js';
import type { Database } from '../../src/store/database.js';
import type { TemporalClients } from '../../src/temporal/connection.js';
import { startCommand } from '../support/cli.js';
import type { RunningCommand } from '../support/cli.js';
import { createMigratedDatabase } from '../support/database.js';
import { getScale } from '../support/scale.js';
import { readTestServers } from '../support/servers-file.js';
import { createNamespace, waitUntil } from '../support/worker.js';

/**
 * Many connections on two workers, a tenth of them slow and a tenth broken, all started at once. The figures in
 * docs/performance.md come from this test with PERSONIO_SYNC_TEST_CONNECTIONS=200.
 */
const CONNECTIONS = getScale('CONNECTIONS', 10);
const SLOW_MS = 3_000;
const KEY = `k1:${randomBytes(32).toString('base64')}`;

type Kind = 'healthy' | 'slow' | 'broken';
const getKind = (index: number): Kind => (index % 10 === 3 ? 'slow' : index % 10 === 7 ? 'broken' : 'healthy');

let database: Database;
let temporal: TemporalClients;
let fakes: Readonly<Record<Kind, FakePersonio>>;
let workers: readonly RunningCommand[] = [];

beforeAll(async () => {
  database = await createMigratedDatabase();
  const space = await createNamespace();
  temporal = space.temporal;
  const company = { employees: 60, seed: 12, foundedOn: new Date().toISOString().slice(0, 10) };
  const [healthy, slow, broken] = await Promise.all([
    startFakePersonio(company),
    startFakePersonio(company),
    startFakePersonio(company),
  ]);
  fakes = { healthy, slow, broken };
  slow.behaviour.fault = async () => {
    await new Promise((resolve) => setTimeout(resolve, SLOW_MS));
    return undefined;
  };
  broken.behaviour.fault = () => ({ status: 503, body: 'Service Unavailable' });
  for (let index = 0; index < CONNECTIONS; index++) {
    const connection = { connectionId: `company-${index}`, baseUrl: fakes[getKind(index)].url };
    await insertConnection(database, parseKeyRing([KEY]), {
      ...connection,
      clientId: 'id',
      clientSecret: `secret-${index}`,
    });
  }
  const folder = mkdtempSync(join(tmpdir(), 'personio-sync-fairness-'));
  writeFileSync(
    join(folder, 'personio-sync.yaml'),
    'reading: { requestsPerMinute: 1000000, requestsPerSecond: 100000 }\n',
  );
  const environment = {
    DATABASE_URL: database.url,
    METRICS_ADDRESS: 'off',
    PERSONIO_SYNC_KEYS: KEY,
    TEMPORAL_ADDRESS: readTestServers().temporalAddress,
    TEMPORAL_NAMESPACE: space.target.namespace,
  };
  workers = [startCommand(['worker'], environment, folder), startCommand(['worker'], environment, folder)];
  await waitUntil(
    async () => Promise.resolve(workers.every((one) => one.output().includes('The worker polls'))),
    60_000,
  );
}, 120_000);
afterAll(async () => {
  for (const worker of workers) worker.child.kill('SIGKILL');
  await Promise.all(workers.map(async (worker) => worker.ended));
  await temporal.close();
  await Promise.all(Object.values(fakes).map(async (fake) => fake.close()));
  await database.close();
});

interface SyncTiming {
  readonly kind: Kind;
  readonly seconds: number;
  readonly outcome: string;
}

async function sync(index: number, round: string): Promise<SyncTiming> {
  const startedAt = Date.now();
  const connection = `company-${index}`;
  const outcome = await temporal.client.workflow
    .execute(WORKFLOW_TYPE.employees, {
      taskQueue: TASK_QUEUE.sync,
      workflowId: `${workflowId.sync(connection, 'employees')}-${round}`,
      args: [{ connection }],
    })
    .then(
      (result) => (result as SyncResult).outcome,
      () => 'failed',
    );
  return { kind: getKind(index), seconds: (Date.now() - startedAt) / 1_000, outcome };
}

function findSlowest(ended: readonly SyncTiming[], kind: Kind): number {
  return Math.max(...ended.filter((one) => one.kind === kind).map(({ seconds }) => seconds));
}

test('slow and broken companies do not delay healthy ones', async () => {
  const all = Array.from({ length: CONNECTIONS }, (_, index) => index);
  const healthy = all.filter((index) => getKind(index) === 'healthy');
  const alone = await Promise.all(healthy.map(async (index) => sync(index, 'alone')));
  const concurrent = await Promise.all(all.map(async (index) => sync(index, 'concurrent')));
  for (const { kind, outcome } of [...alone, ...concurrent])
    expect(outcome).toBe(kind === 'broken' ? 'failed' : 'succeeded');
  const figures = {
    connections: CONNECTIONS,
    healthyAlone: findSlowest(alone, 'healthy'),
    healthy: findSlowest(concurrent, 'healthy'),
    slow: findSlowest(concurrent, 'slow'),
    broken: findSlowest(concurrent, 'broken'),
  };
  process.stderr.write(`fairness: ${JSON.stringify(figures)}\n`);
  // Broken ones are retried for a minute, slow ones take three seconds per request; no healthy one waits for them.
  expect(figures.healthy).toBeLessThan(figures.broken);
}, 900_000);
