import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { PendingWork } from '../../src/contracts/internal/activities.js';
import { QUERY, TASK_QUEUE, UPDATE, WORKFLOW_TYPE, workflowId } from '../../src/contracts/internal/names.js';
import type { SyncResult } from '../../src/contracts/internal/sync.js';
import { addDays } from '../../src/domain/zones.js';
import { getStatus } from '../../src/fake-personio/company.js';
import { startFakePersonio } from '../../src/fake-personio/server.js';
import type { FakePersonio } from '../../src/fake-personio/server.js';
import type { Database } from '../../src/store/database.js';
import { createMigratedDatabase } from '../support/database.js';
import { createPolicy, createSubscriber } from '../support/policy.js';
import { startTestWorker, waitUntil } from '../support/worker.js';
import type { TestWorker } from '../support/worker.js';

const TODAY = new Date().toISOString().slice(0, 10);
const policy = { ...createPolicy(), subscribers: [createSubscriber({ events: ['leaver.left'] })] };
let database: Database;
let fake: FakePersonio;
let worker: TestWorker;

beforeAll(async () => {
  database = await createMigratedDatabase();
  fake = await startFakePersonio({ employees: 120, seed: 11, foundedOn: TODAY });
  worker = await startTestWorker({ database, fake, policy });
}, 120_000);
afterAll(async () => {
  await worker.stop();
  await fake.close();
  await database.close();
});

async function sync(): Promise<SyncResult> {
  return worker.temporal.client.workflow.execute<() => Promise<SyncResult>>(WORKFLOW_TYPE.employees, {
    taskQueue: TASK_QUEUE.sync,
    args: [],
    workflowId: workflowId.sync('default', 'employees'),
  });
}

test('leavings withdrawn for many wait beyond their time, visibly, and are sent once that is rejected', async () => {
  const people = fake.company.employees
    .filter((person) => getStatus(person, TODAY) === 'active' && person.terminationDate === null)
    .slice(-8);
  const ids = people.map(({ id }) => String(id));
  const end = (day: string | null): void =>
    people.forEach((person) => Object.assign(person, { terminationDate: day, lastWorkingDay: day }));
  end(addDays(TODAY, 20));
  await sync();
  end(null);
  await sync();
  await database.run(
    `update personio.lifecycle_events
     set due_at = clock_timestamp(), handed_over_to = null
     where employee_id = any($1)`,
    [ids],
  );
  await database.run('update personio.deliveries set due_at = clock_timestamp() where employee_id = any($1)', [ids]);
  const { runId, outcome } = await sync();
  expect(outcome).toBe('braked');
  const { client } = worker.temporal;
  await waitUntil(async () => {
    const handle = client.workflow.getHandle(workflowId.employee('default', ids[0] ?? ''));
    const { items } = await handle.query<PendingWork>(QUERY.state);
    return items.some(({ sentence }) => sentence.startsWith('On hold until its withdrawal is approved or rejected'));
  });
  const listSent = async (): Promise<readonly unknown[]> =>
    database.query('select from personio.deliveries where employee_id = any($1) and sent_at is not null', [ids]);
  expect(await listSent()).toEqual([]);
  const question = client.workflow.getHandle(workflowId.lifecycle('default', runId));
  await waitUntil(async () =>
    question.executeUpdate(UPDATE.reject, { args: [{ by: 'Ada', reason: 'they leave' }] }).then(
      () => true,
      () => false,
    ),
  );
  await waitUntil(async () => (await listSent()).length === 8, 60_000);
}, 180_000);
