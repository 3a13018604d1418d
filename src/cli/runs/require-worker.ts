import { TASK_QUEUE } from '../../contracts/internal/names.js';
import type { TemporalClients } from '../../temporal/connection.js';
import { CommandError } from '../exit.js';

/** `TASK_QUEUE_TYPE_WORKFLOW` of Temporal's API (temporal/api/enums/v1/task_queue.proto). */
const WORKFLOW_QUEUE = 1;
const TIMEOUT_MS = 10_000;
const POLL_MS = 500;

/** Returns true where a worker takes workflow tasks of the sync queue. */
export async function isPolled({ connection, namespace }: TemporalClients): Promise<boolean> {
  const { pollers } = await connection.workflowService.describeTaskQueue({
    namespace,
    taskQueue: { name: TASK_QUEUE.sync },
    // eslint-disable-next-line @typescript-eslint/no-unsafe-enum-assignment -- the enum is no dependency of ours
    taskQueueType: WORKFLOW_QUEUE,
  });
  return pollers.length > 0;
}

/** Waits up to 10 s for a worker of the sync queue. @throws CommandError where there is none. */
export async function requireWorker(temporal: TemporalClients): Promise<void> {
  const until = Date.now() + TIMEOUT_MS;
  while (!(await isPolled(temporal))) {
    if (Date.now() > until) {
      throw new CommandError(
        `No worker polls the task queue ${TASK_QUEUE.sync} in the namespace ${temporal.namespace}, ` +
          'so the run would not start. Start a worker with `personio-sync worker`, then try again.',
      );
    }
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}
