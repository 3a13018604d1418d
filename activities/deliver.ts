import type { Client } from '@temporalio/client';
import type {
  Agenda,
  AgendaItem,
  AgendaRequest,
  LifecycleActivities,
  StoreActivities,
} from '../src/contracts/activities.js';
import type { LifecycleEvent } from '../src/contracts/events.js';
import { SIGNAL, TASK_QUEUE, WORKFLOW_TYPE, workflowId } from '../src/contracts/names.js';
import { DEAD_AFTER_MS, repeatDelayMs, retryDelayMs } from '../src/domain/delivery.js';
import type { Subscriber } from '../src/domain/policy.js';
import type { Logger } from '../src/observability/logger.js';
import {
  addEscalation,
  fallDue,
  markOverdue,
  noteAnswer,
  noteAttempt,
  openDeliveries,
  waitingEvents,
} from '../src/store/agenda.js';
import type { OpenDelivery, WaitingEvent } from '../src/store/agenda.js';
import type { Database } from '../src/store/database.js';
import { noteHandedOver, notHandedOver } from '../src/store/handover.js';

export interface DeliverDependencies {
  readonly database: Database;
  readonly subscribers: readonly Subscriber[];
  readonly namespace: string;
  readonly clientOf: (namespace: string) => Client;
  /** Tells one namespace from a rebuilt one of the same name. */
  readonly namespaceId: () => Promise<string>;
  readonly logger: Logger;
}

/** Persons whose workflows are signalled at once: the frontend is shared with everybody else's work. */
const HANDOVERS_IN_FLIGHT = 16;
const HANDOVER_BATCH = 500;

/** Activities of `employeeLifecycle`: the truth is in the database, the waiting in the workflow. */
export function createLifecycleActivities(dependencies: DeliverDependencies): LifecycleActivities {
  const { database, logger } = dependencies;
  return {
    advanceAgenda: async (request) => advanceAgenda(dependencies, request),
    recordAcknowledgements: async ({ acknowledgements, ...person }) => {
      for (const answer of acknowledgements) {
        const isNew = await noteAnswer(database, person, answer);
        if (!isNew)
          logger.info(
            { connectionId: person.connectionId, deliveryId: answer.deliveryId },
            'An answer changed nothing: unknown, or answered before',
          );
      }
    },
  };
}

/** Hands people with open events to their workflows. May repeat: a workflow that knows of its agenda looks again, and finds the same. */
export function createDispatch(dependencies: DeliverDependencies): StoreActivities['dispatchEvents'] {
  const { database, namespace, clientOf, namespaceId } = dependencies;
  return async ({ connectionId }) => {
    const known = await namespaceId();
    let persons = 0;
    for (let after = ''; ;) {
      const batch = await notHandedOver(database, connectionId, known, { after, limit: HANDOVER_BATCH });
      const last = batch.at(-1);
      if (last === undefined) return { persons };
      for (let index = 0; index < batch.length; index += HANDOVERS_IN_FLIGHT) {
        const together = batch.slice(index, index + HANDOVERS_IN_FLIGHT);
        await Promise.all(together.map(async (employeeId) => handOver(clientOf(namespace), connectionId, employeeId)));
        await noteHandedOver(database, connectionId, known, together);
      }
      persons += batch.length;
      after = last;
    }
  };
}

async function handOver(client: Client, connectionId: string, employeeId: string): Promise<void> {
  await client.workflow.signalWithStart(WORKFLOW_TYPE.employeeLifecycle, {
    ...{ workflowId: workflowId.employee(connectionId, employeeId), taskQueue: TASK_QUEUE.lifecycle },
    ...{ args: [{ connectionId, employeeId }], signal: SIGNAL.agendaChanged, signalArgs: [] },
    staticSummary: `Lifecycle events of employee ${employeeId} of ${connectionId}`,
  });
}

async function advanceAgenda(dependencies: DeliverDependencies, request: AgendaRequest): Promise<Agenda> {
  const { database, subscribers } = dependencies;
  await fallDue(database, request);
  for (const deliveryId of await markOverdue(database, request)) await escalate(dependencies, request, deliveryId);
  const blocked = new Set<string>();
  for (const delivery of await openDeliveries(database, request)) {
    const subscriber = subscribers.find(({ name }) => name === delivery.subscriber);
    const isUnsent = delivery.sentAt === null;
    // One after the other to one subscriber: what has to wait holds back what comes after it.
    if (isUnsent && blocked.has(delivery.subscriber)) continue;
    if (!isDueNow(delivery)) {
      if (isUnsent) blocked.add(delivery.subscriber);
      continue;
    }
    const isAccepted = await attempt(dependencies, request, delivery, subscriber);
    if (!isAccepted && isUnsent) blocked.add(delivery.subscriber);
  }
  return agendaOf(await waitingEvents(database, request), await openDeliveries(database, request), subscribers);
}

/** Unsent: its moment, or the next try. Sent: the next repetition, as long as nothing was answered. */
function isDueNow({ dueAt, nextAttemptAt, state }: OpenDelivery): boolean {
  if (state === 'failed') return false;
  return Date.parse(nextAttemptAt ?? dueAt) <= Date.now() && Date.parse(dueAt) <= Date.now();
}

async function escalate(
  { database, subscribers }: DeliverDependencies,
  request: AgendaRequest,
  deliveryId: string,
): Promise<void> {
  const delivery = (await openDeliveries(database, request)).find((open) => open.deliveryId === deliveryId);
  const escalateTo = subscribers.find(({ name }) => name === delivery?.subscriber)?.escalateTo ?? null;
  if (escalateTo !== null) await addEscalation(database, deliveryId, escalateTo);
}

async function attempt(
  dependencies: DeliverDependencies,
  request: AgendaRequest,
  delivery: OpenDelivery,
  subscriber: Subscriber | undefined,
): Promise<boolean> {
  const error =
    subscriber === undefined
      ? 'The policy names no such subscriber any more.'
      : await send(dependencies, request, delivery, subscriber);
  const acknowledgeWithinSeconds = subscriber?.acknowledgeWithinSeconds ?? DEFAULT_ACKNOWLEDGE_SECONDS;
  await noteAttempt(dependencies.database, {
    ...{ deliveryId: delivery.deliveryId, error, acknowledgeWithinSeconds },
    nextAttemptInMs: error === null ? repeatDelayMs(acknowledgeWithinSeconds) : retryDelayMs(delivery.attempts + 1),
  });
  return error === null;
}

const DEFAULT_ACKNOWLEDGE_SECONDS = 86_400;

/** @returns why Temporal did not accept it; null when it did. */
async function send(
  { clientOf, namespace, logger }: DeliverDependencies,
  { connectionId, employeeId }: AgendaRequest,
  delivery: OpenDelivery,
  subscriber: Subscriber,
): Promise<string | null> {
  const signal = signalOf(connectionId, employeeId, namespace, delivery);
  const id = subscriber.workflowId.replaceAll('{connectionId}', connectionId).replaceAll('{employeeId}', employeeId);
  const client = clientOf(subscriber.namespace ?? namespace);
  try {
    if (subscriber.start) {
      await client.workflow.signalWithStart(subscriber.workflowType, {
        ...{
          workflowId: id,
          taskQueue: subscriber.taskQueue,
          args: [],
          signal: SIGNAL.lifecycle,
          signalArgs: [signal],
        },
      });
    } else {
      await client.workflow.getHandle(id).signal(SIGNAL.lifecycle, signal);
    }
    return null;
  } catch (error) {
    const reason =
      error instanceof Error ? `${error.name}: ${error.message.split('\n')[0] ?? ''}`.slice(0, 300) : 'unknown';
    logger.warn(
      { connectionId, deliveryId: delivery.deliveryId, subscriber: subscriber.name, reason },
      'Temporal did not accept a delivery',
    );
    return reason;
  }
}

function signalOf(connectionId: string, employeeId: string, namespace: string, delivery: OpenDelivery): LifecycleEvent {
  const { deliveryId, eventId, kind, episode, effectiveDate, effectiveAt, timeZone, detectedAt, late, supersedes } =
    delivery;
  return {
    ...{
      deliveryId,
      eventId,
      connectionId,
      employeeId,
      class: delivery.class,
      kind,
      episode,
      effectiveDate,
      effectiveAt,
    },
    ...{ timeZone, detectedAt, late, supersedes, changes: [...delivery.changes] },
    ...{ subscriber: delivery.subscriber, purpose: delivery.purpose },
    acknowledge: { namespace, workflowId: workflowId.employee(connectionId, employeeId), signal: SIGNAL.acknowledge },
  };
}

function agendaOf(
  waiting: readonly WaitingEvent[],
  deliveries: readonly OpenDelivery[],
  subscribers: readonly Subscriber[],
): Agenda {
  const items: AgendaItem[] = [
    ...waiting.map(({ eventId, kind, dueAt }) => ({
      deliveryId: null,
      eventId,
      kind,
      subscriber: null,
      state: 'planned',
      at: dueAt,
    })),
    ...deliveries.map(({ deliveryId, eventId, kind, subscriber, state, ...times }) => ({
      ...{ deliveryId, eventId, kind, subscriber, state, at: nextMomentOf(state, times) },
    })),
  ].sort((a, b) => (a.at < b.at ? -1 : 1));
  return { items, nextAt: items[0]?.at ?? null, sentence: sentenceOf(items, subscribers) };
}

function nextMomentOf(
  state: OpenDelivery['state'],
  times: Pick<OpenDelivery, 'dueAt' | 'nextAttemptAt' | 'deadlineAt' | 'firstAttemptAt'>,
): string {
  const { dueAt, nextAttemptAt, deadlineAt, firstAttemptAt } = times;
  if (state === 'failed') return new Date(Date.parse(firstAttemptAt ?? dueAt) + DEAD_AFTER_MS).toISOString();
  const next = nextAttemptAt ?? dueAt;
  const hasDeadline = deadlineAt !== null && state !== 'overdue';
  return hasDeadline && deadlineAt < next ? deadlineAt : next;
}

function sentenceOf(items: readonly AgendaItem[], subscribers: readonly Subscriber[]): string {
  const [first] = items;
  if (first === undefined) return 'Nothing is open: every event was told and acknowledged.';
  const rest = items.length > 1 ? ` ${items.length - 1} more open.` : '';
  if (first.deliveryId === null) return `Waiting for ${first.kind} to fall due at ${first.at ?? ''}.${rest}`;
  const verb = first.state === 'waiting' ? 'to be told to' : 'to be acknowledged by';
  const isKnown = subscribers.some(({ name }) => name === first.subscriber);
  return `Waiting for ${first.kind} ${verb} ${first.subscriber ?? ''}${isKnown ? '' : ' (not in the policy any more)'} (${first.state}).${rest}`;
}
