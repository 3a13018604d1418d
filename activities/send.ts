import { WorkflowNotFoundError, isGrpcServiceError } from '@temporalio/client';
import type { Client } from '@temporalio/client';
import type { EmployeeRef } from '../src/contracts/internal/activities.js';
import type { LifecycleEvent } from '../src/contracts/public/events.js';
import { SIGNAL, workflowId } from '../src/contracts/internal/names.js';
import type { Policy, Subscriber } from '../src/domain/policy.js';
import type { Logger } from '../src/observability/logger.js';
import type { Database } from '../src/store/database.js';
import type { OpenDelivery } from '../src/store/deliveries/pending.js';

/** Parts of the worker process that the delivery activities need. */
export interface DeliveryDependencies {
  readonly database: Database;
  readonly policy: Policy;
  /** Namespace of personio-sync itself. */
  readonly namespace: string;
  readonly getClient: (namespace: string) => Client;
  /** Returns an id that differs between a namespace and a rebuilt one of the same name. */
  readonly readNamespaceId: () => Promise<string>;
  readonly logger: Logger;
}

/** A server that does not respond counts as a refusal: the delivery is repeated later and occupies no slot. */
const SEND_TIMEOUT_MS = 10_000;
const REASON_CHARACTERS = 300;
/** `TASK_QUEUE_TYPE_WORKFLOW` of Temporal's API (temporal/api/enums/v1/task_queue.proto). */
const WORKFLOW_QUEUE = 1;

/** Signals a subscriber's workflow. Returns why Temporal did not accept the signal; null if it did. */
export async function sendDelivery(
  { getClient, namespace, logger }: DeliveryDependencies,
  person: EmployeeRef,
  delivery: OpenDelivery,
  subscriber: Subscriber,
): Promise<string | null> {
  const signal = toSignal(person, namespace, delivery);
  const client = getClient(subscriber.namespace ?? namespace);
  const id = toWorkflowId(subscriber, person);
  try {
    await client.withDeadline(Date.now() + SEND_TIMEOUT_MS, async () => {
      if (!subscriber.start) {
        await client.workflow.getHandle(id).signal(SIGNAL.lifecycle, signal);
        return;
      }
      await client.workflow.signalWithStart(subscriber.workflowType, {
        workflowId: id,
        taskQueue: subscriber.taskQueue,
        args: [],
        signal: SIGNAL.lifecycle,
        signalArgs: [signal],
      });
    });
    return null;
  } catch (error) {
    const reason = describeError(error);
    // The row keeps every reason; the log warns of the first.
    const level = delivery.refusals === 0 ? 'warn' : 'debug';
    const { deliveryId } = delivery;
    logger[level](
      { connectionId: person.connectionId, deliveryId, subscriber: subscriber.name, reason },
      'Temporal did not accept a delivery; it is retried',
    );
    return reason;
  }
}

/** Returns a sentence about the state of a workflow that was signalled and has not acknowledged. */
export async function describeSilence(
  { getClient, namespace }: Pick<DeliveryDependencies, 'getClient' | 'namespace'>,
  subscriber: Subscriber,
  person: EmployeeRef,
): Promise<string> {
  const client = getClient(subscriber.namespace ?? namespace);
  const id = toWorkflowId(subscriber, person);
  try {
    return await client.withDeadline(Date.now() + SEND_TIMEOUT_MS, async () => {
      const { status, taskQueue } = await client.workflow.getHandle(id).describe();
      if (status.name !== 'RUNNING') return `Its workflow ${id} ended (${status.name}) without an acknowledgement.`;
      return (await isPolled(client, taskQueue))
        ? `Its workflow ${id} is running and has not acknowledged.`
        : `Its workflow ${id} is waiting: no worker polls its task queue ${taskQueue}.`;
    });
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return `Its workflow ${id} no longer exists.`;
    return `The state of its workflow ${id} is unknown: ${describeError(error)}`.slice(0, REASON_CHARACTERS);
  }
}

async function isPolled(client: Client, name: string): Promise<boolean> {
  const { pollers } = await client.workflowService.describeTaskQueue({
    namespace: client.options.namespace,
    taskQueue: { name },
    // The enum is in a package that is not a dependency of ours.
    // eslint-disable-next-line @typescript-eslint/no-unsafe-enum-assignment -- see above
    taskQueueType: WORKFLOW_QUEUE,
  });
  return pollers.length > 0;
}

function describeError(error: unknown): string {
  if (!(error instanceof Error)) return 'unknown';
  const detail = isGrpcServiceError(error.cause) ? ` (${error.cause.details})` : '';
  return `${error.name}: ${error.message.split('\n')[0] ?? ''}${detail}`.slice(0, REASON_CHARACTERS);
}

function toWorkflowId(subscriber: Subscriber, { connectionId, employeeId }: EmployeeRef): string {
  const values = { connectionId, employeeId };
  return subscriber.workflowId.replaceAll(
    /\{(connectionId|employeeId)\}/g,
    (_, name: keyof typeof values) => values[name],
  );
}

function toSignal(
  { connectionId, employeeId }: EmployeeRef,
  namespace: string,
  delivery: OpenDelivery,
): LifecycleEvent {
  const { deliveryId, eventId, kind, episode, effectiveDate, effectiveAt, timeZone, detectedAt } = delivery;
  const { late, supersedes, relatedEmployeeId, subscriber, purpose, changes } = delivery;
  return {
    deliveryId,
    eventId,
    connectionId,
    employeeId,
    class: delivery.class,
    kind,
    episode,
    effectiveDate,
    effectiveAt,
    timeZone,
    detectedAt,
    late,
    supersedes,
    relatedEmployeeId,
    changes: [...changes],
    subscriber,
    purpose,
    acknowledge: { namespace, workflowId: workflowId.employee(connectionId, employeeId), signal: SIGNAL.acknowledge },
  };
}
