import type { DataConverter } from '@temporalio/common';
import { Worker } from '@temporalio/worker';
import type { NativeConnection } from '@temporalio/worker';
import { EVENT_KINDS } from '../../contracts/public/events.js';
import type { Policy, Subscriber } from '../../domain/policy.js';
import { resolveWorkflowCode } from '../../temporal/worker.js';

const TASK_QUEUE = 'demo-it';

/** Stands in for another team where the policy names no subscriber: `workflows/demo-downstream.ts` on its own queue. */
const DEMO_SUBSCRIBER: Subscriber = {
  name: 'demo-it',
  workflowType: 'demoDownstream',
  workflowId: 'demo-it:{connectionId}:{employeeId}',
  taskQueue: TASK_QUEUE,
  namespace: null,
  start: true,
  events: EVENT_KINDS,
  when: 'effective',
  acknowledgeWithinSeconds: 86_400,
  escalateTo: null,
};

/** Returns the policy, with the demo subscriber where it has none of its own. */
export function withDemoSubscriber(policy: Policy): Policy {
  return policy.subscribers.length > 0 ? policy : { ...policy, subscribers: [DEMO_SUBSCRIBER] };
}

/** Creates the worker of the demo subscriber, with its activity. */
export async function createDemoWorker(
  connection: NativeConnection,
  namespace: string,
  dataConverter: DataConverter = {},
): Promise<Worker> {
  return Worker.create({
    connection,
    namespace,
    taskQueue: TASK_QUEUE,
    maxCachedWorkflows: 50,
    dataConverter,
    activities: {
      applyToDirectory: async (kind: string) => Promise.resolve(`noted ${kind}`),
    },
    ...resolveWorkflowCode('demo-workflow-bundle', '../../workflows/demo-downstream.js', dataConverter),
  });
}
