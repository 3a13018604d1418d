import { describe, expect, test } from '@jest/globals';
import { Worker } from '@temporalio/worker';
import { hosted } from '../../src/cli/worker-host.js';
import type { DispatchRequest, EmployeesCommitRequest } from '../../src/contracts/activities.js';
import { TASK_QUEUE, WORKFLOW_TYPE } from '../../src/contracts/names.js';
import { connectWorker } from '../../src/temporal/connection.js';
import { workflowCode } from '../../src/temporal/worker.js';
import { emptyNamespace } from '../support/worker.js';

const REQUEST: EmployeesCommitRequest = {
  ...{ connectionId: 'default', endpoint: 'employees', runId: 'run', source: 'v1', reading: 1, total: 1 },
  ...{ collectedAt: new Date().toISOString(), preview: false, requests: 1, onlyEmployeeId: null },
};

/** Steps that only say what the workflow asks of them: how many steps there are is its own decision. */
describe('handing over in steps', () => {
  test('goes on until nobody is left, also where the workflow is cancelled in the middle', async () => {
    const { temporal, target } = await emptyNamespace();
    const connection = await connectWorker(target, 10_000);
    const asked: DispatchRequest[] = [];
    const answers = [{ left: 500 }, { left: 250 }, { left: 0 }];
    const result = { outcome: 'succeeded', message: 'committed' };
    const handle = await temporal.client.workflow.start(WORKFLOW_TYPE.detectLifecycleTransitions, {
      ...{ taskQueue: TASK_QUEUE.sync, workflowId: 'lifecycle', args: [REQUEST] },
    });
    const workers = hosted([
      await Worker.create({
        ...{ connection, namespace: target.namespace, taskQueue: TASK_QUEUE.sync },
        activities: {
          commitEmployees: async () => Promise.resolve({ incomplete: null, result, question: null, replaced: [] }),
          dispatchEvents: async (request: DispatchRequest) => {
            if (asked.push(request) === 1) await handle.cancel();
            return { persons: 250, ...answers[asked.length - 1] };
          },
        },
        ...workflowCode('workflow-bundle', '../../workflows/index.js', {}),
      }),
    ]);
    try {
      await handle.result();
      expect(asked).toEqual([
        { connectionId: 'default' },
        { connectionId: 'default', left: 500 },
        { connectionId: 'default', left: 250 },
      ]);
    } finally {
      workers.shutdown();
      await workers.done;
      await connection.close();
      await temporal.close();
    }
  });
});
