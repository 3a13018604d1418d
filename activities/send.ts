import { WorkflowNotFoundError, isGrpcServiceError } from '@temporalio/client';
import type { Client } from '@temporalio/client';
import type { EmployeeRef } from '../src/contracts/internal/activities.js';
import type { LifecycleEvent } from '../src/contracts/public/events.js';
import { SIGNAL, workflowId } from '../src/contracts/internal/names.js';
import type { Subscriber } from '../src/domain/policy.js';
import type { OpenDelivery } from '../src/store/deliveries/pending.js';
import type { DeliveryDependencies } from './deliver-dependencies.js';

/** A server that does not answer counts as a refusal, so that it is tried again later and holds no slot. */
const SEND_TIMEOUT_MS = 10_000;
const REASON_CHARACTERS = 300;
/** `TASK_QUEUE_TYPE_WORKFLOW` of Temporal's API (temporal/api/enums/v1/task_queue.proto). */
const WORKFLOW_QUEUE = 1;

/** Signals a subscriber's workflow. @returns why Temporal did not accept it; null when it did. */
export async function sendDelivery(
  { getClient: getClient, namespace, logger }: DeliveryDependencies,
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
    // The row has every reason; the log tells of the first.
    const level = delivery.refusals === 0 ? 'warn' : 'debug';
    const { deliveryId } = delivery;
    logger[level](
      { connectionId: person.connectionId, deliveryId, subscriber: subscriber.name, reason },
      'Temporal did not accept a delivery; it is tried again',
    );
    return reason;
  }
}

/** @returns in a sentence what has become of the workflow that was told and has not answered. */
export async function describeSilence(
  { getClient: getClient, namespace }: Pick<DeliveryDependencies, 'getClient' | 'namespace'>,
  subscriber: Subscriber,
  person: EmployeeRef,
): Promise<string> {
  const client = getClient(subscriber.namespace ?? namespace);
  const id = toWorkflowId(subscriber, person);
  try {
    return await client.withDeadline(Date.now() + SEND_TIMEOUT_MS, async () => {
      const { status, taskQueue } = await client.workflow.getHandle(id).describe();
      if (status.name !== 'RUNNING') return `Its workflow ${id} has ended (${status.name}) without an answer.`;
      return (await isPolled(client, taskQueue))
        ? `Its workflow ${id} runs and has not answered.`
        : `Its workflow ${id} waits: no worker polls its task queue ${taskQueue}.`;
    });
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return `There is no workflow ${id} any more.`;
    return `What became of its workflow ${id} could not be found out: ${describeError(error)}`.slice(
      0,
      REASON_CHARACTERS,
    );
  }
}

async function isPolled(client: Client, name: string): Promise<boolean> {
  const { pollers } = await client.workflowService.describeTaskQueue({
    namespace: client.options.namespace,
    taskQueue: { name },
    // eslint-disable-next-line @typescript-eslint/no-unsafe-enum-assignment -- the enum is in a package that is no dependency of ours
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
  const { late, supersedes, subscriber, purpose, changes } = delivery;
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
    changes: [...changes],
    subscriber,
    purpose,
    acknowledge: { namespace, workflowId: workflowId.employee(connectionId, employeeId), signal: SIGNAL.acknowledge },
  };
}
