import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { Worker } from '@temporalio/worker';
import { pino } from 'pino';
import { createDispatch } from '../../activities/index.js';
import type { DeliveryDependencies } from '../../activities/index.js';
import { startDeliveryHost } from '../../src/worker/delivery-host.js';
import { runWorkers } from '../../src/worker/worker-host.js';
import type { DispatchRequest, EmployeesCommitRequest } from '../../src/contracts/internal/activities.js';
import { TASK_QUEUE, WORKFLOW_TYPE } from '../../src/contracts/internal/names.js';
import { addDays } from '../../src/domain/zones.js';
import type { Database } from '../../src/store/database.js';
import { countDispatched, countOpenPersons } from '../../src/store/deliveries/dispatch.js';
import { connectWorker } from '../../src/temporal/connection.js';
import type { TemporalClients } from '../../src/temporal/connection.js';
import { resolveWorkflowCode } from '../../src/temporal/worker.js';
import { createMigratedDatabase } from '../support/database.js';
import { createPolicy } from '../support/policy.js';
import { addCrowd, commitCompany, employee } from '../support/staging.js';
import { createNamespace, waitUntil } from '../support/worker.js';

const REQUEST: EmployeesCommitRequest = {
  connectionId: 'default',
  endpoint: 'employees',
  runId: 'run',
  source: 'v1',
  attempt: 1,
  total: 1,
  collectedAt: new Date().toISOString(),
  preview: false,
  requests: 1,
  onlyEmployeeId: '7',
};

/** Activities that only record their requests: the workflow decides how many steps there are. */
describe('dispatch in steps', () => {
  test('continues until nobody is left, even if the workflow is cancelled', async () => {
    const { temporal, target } = await createNamespace();
    const connection = await connectWorker(target, 10_000);
    const asked: DispatchRequest[] = [];
    const steps = [{ left: 500 }, { left: 250 }, { left: 0 }];
    const result = { outcome: 'succeeded', message: 'committed' };
    const handle = await temporal.client.workflow.start(WORKFLOW_TYPE.detectLifecycleTransitions, {
      taskQueue: TASK_QUEUE.sync,
      workflowId: 'lifecycle',
      args: [REQUEST],
    });
    const workers = runWorkers([
      await Worker.create({
        connection,
        namespace: target.namespace,
        taskQueue: TASK_QUEUE.sync,
        activities: {
          commitEmployees: async () => Promise.resolve({ incomplete: null, result, question: null, replaced: [] }),
          dispatchEvents: async (request: DispatchRequest) => {
            if (asked.push(request) === 1) await handle.cancel();
            return { persons: 250, ...steps[asked.length - 1] };
          },
        },
        ...resolveWorkflowCode('workflow-bundle', '../../workflows/index.js', {}),
      }),
    ]);
    try {
      await handle.result();
      expect(asked).toEqual([
        { connectionId: 'default', onlyEmployeeId: '7' },
        { connectionId: 'default', onlyEmployeeId: '7', left: 500 },
        { connectionId: 'default', onlyEmployeeId: '7', left: 250 },
      ]);
    } finally {
      workers.shutdown();
      await workers.done;
      await connection.close();
      await temporal.close();
    }
  });
});

/** The steps of a worker that starts, for people of two companies whose workflows no worker executes. */
describe('dispatch at start', () => {
  const policy = createPolicy(
    'subscribers: [{ name: it, workflowType: desk, workflowId: "it:{employeeId}", taskQueue: nobody, events: ["*"] }]',
  );
  const logger = pino({ enabled: false });
  const leaving = addDays(new Date().toISOString().slice(0, 10), 20);
  let database: Database;
  let dependencies: DeliveryDependencies;
  let temporal: TemporalClients;
  let absences = 0;

  beforeAll(async () => {
    database = await createMigratedDatabase();
    const empty = await createNamespace();
    temporal = empty.temporal;
    dependencies = {
      database,
      policy,
      logger,
      namespace: empty.target.namespace,
      getClient: temporal.getClient,
      readNamespaceId: async () => {
        if (absences-- > 0) throw new Error('Temporal is away');
        return Promise.resolve('this namespace');
      },
    };
    await commitCompany(database, policy, [employee(1)]);
    await commitCompany(database, policy, [employee(1, { terminationDate: leaving, lastWorkingDay: leaving })]);
    await addCrowd(database, 400);
    await addCrowd(database, 1, { like: '1', connection_id: 'second' });
  }, 60_000);
  afterAll(async () => {
    await temporal.close();
    await database.close();
  });

  const countWaiting = async (connectionId: string): Promise<number> =>
    countOpenPersons(database, { connectionId, onlyEmployeeId: null }, null);

  test('one person does not wait behind hundreds', async () => {
    const one = { connectionId: 'default', onlyEmployeeId: 'crowd-333' };
    expect(await createDispatch(dependencies)(one)).toEqual({ persons: 1, left: 0 });
    expect(await countWaiting('default')).toBe(400);
    expect(await createDispatch(dependencies)(one)).toEqual({ persons: 0, left: 0 });
  });

  test('a stopped worker finishes its batch and starts no other company', async () => {
    const host = startDeliveryHost(dependencies);
    await waitUntil(async () => (await countWaiting('default')) < 400);
    await host.stop();
    const left = await countWaiting('default');
    expect(left).toBeGreaterThan(0);
    expect(await countWaiting('second')).toBe(1);
    expect(await countDispatched(database, 'default', 'this namespace')).toBe(401 - left);
  });

  test('a worker retries until it reaches Temporal', async () => {
    absences = 2;
    const host = startDeliveryHost(dependencies, 10);
    await waitUntil(async () => (await countWaiting('default')) + (await countWaiting('second')) === 0);
    await host.stop();
    expect(absences).toBeLessThanOrEqual(0);
  });

  test('an event that opens again during the signal stays open', async () => {
    await database.run(`update personio.lifecycle_events set handed_over_to = null where employee_id = 'crowd-200'`);
    const { workflow } = temporal.client;
    const original = workflow.signalWithStart.bind(workflow);
    workflow.signalWithStart = async (type, options) => {
      const handle = await original(type, options);
      // As a worker with another subscriber does.
      await database.run(`update personio.lifecycle_events set handed_over_to = null where employee_id = 'crowd-200'`);
      return handle;
    };
    expect(await createDispatch(dependencies, 0)({ connectionId: 'default' })).toEqual({ persons: 1, left: 1 });
    workflow.signalWithStart = original;
    expect(await createDispatch(dependencies)({ connectionId: 'default', left: 1 })).toEqual({ persons: 1, left: 0 });
  });

  test('people whose events open meanwhile take no place of others', async () => {
    await database.run('update personio.lifecycle_events set handed_over_to = null');
    const dispatch = createDispatch(dependencies, 0);
    // As if only a few had been counted, and others had come before them since.
    const step = await dispatch({ connectionId: 'default', left: 3 });
    expect(step.left).toBe(await countWaiting('default'));
    expect(step.left).toBeGreaterThan(0);
  });
});
