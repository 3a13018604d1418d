import { setTimeout } from 'node:timers/promises';
import type { Client } from '@temporalio/client';
import { defineSearchAttributeKey } from '@temporalio/common';
import type { DispatchOutcome, StoreActivities } from '../src/contracts/internal/activities.js';
import { SEARCH_ATTRIBUTE, SIGNAL, TASK_QUEUE, WORKFLOW_TYPE, workflowId } from '../src/contracts/internal/names.js';
import { applySubscribers } from '../src/store/deliveries/plans.js';
import {
  countDispatched,
  countOpenPersons,
  resetDispatched,
  markDispatched,
  listOpenPersons,
} from '../src/store/deliveries/dispatch.js';
import type { DispatchScope, OpenPerson } from '../src/store/deliveries/dispatch.js';
import type { DeliveryDependencies } from './deliver-dependencies.js';

/** Persons whose workflows are signalled at once: the frontend is shared with everybody else's work. */
const DISPATCHES_IN_FLIGHT = 8;
/**
 * A server that starts thousands of workflows as fast as it can leaves a sync waiting for each of its steps (docs/decisions/0012). So it is left to
 * others sixteen times as long as it took to answer, and a third of a second at most.
 */
const REST_FACTOR = 16;
const MAX_REST_MS = 320;
/** Some seconds: the next ones are read anew, since who has left may have come meanwhile. */
const DISPATCH_BATCH = 100;
/** A worker has few slots for all connections' steps, and is to be gone within half a minute. */
const MAX_STEP_MS = 10_000;
/** What is started is counted a little later: the visibility store lags behind. */
const COUNT_TIMEOUT_MS = 10_000;
const COUNT_INTERVAL_MS = 500;

type Dependencies = Pick<DeliveryDependencies, 'database' | 'namespace' | 'getClient'>;

/**
 * Hands people with open events to their workflows. May repeat: a workflow that knows of its agenda looks again, and finds the same.
 *
 * @param maxStepMs after which the rest is left to the next step.
 */
export function createDispatch(
  dependencies: DeliveryDependencies,
  maxStepMs = MAX_STEP_MS,
): StoreActivities['dispatchEvents'] {
  return async ({ connectionId, onlyEmployeeId = null, left = null }) => {
    const until = Date.now() + maxStepMs;
    const namespaceId = await dependencies.readNamespaceId();
    if (left === null && onlyEmployeeId === null) await prepareDispatch(dependencies, connectionId, namespaceId);
    const scope = { connectionId, onlyEmployeeId };
    // Counted once: two namespaces on one database take people from each other, and would never have done.
    const open = left ?? (await countOpenPersons(dependencies.database, scope, namespaceId));
    if (open === 0) return { persons: 0, left: 0 };
    return dispatchOpen(dependencies, { scope, namespaceId, until, left: open });
  };
}

async function prepareDispatch(
  dependencies: DeliveryDependencies,
  connectionId: string,
  namespaceId: string,
): Promise<void> {
  const { database, policy, logger } = dependencies;
  const planned = await applySubscribers(database, connectionId, policy);
  if (planned > 0)
    logger.info({ connectionId, planned }, 'Deliveries of planned events follow the changed subscribers');
  if (!(await isAnyWorkflowLost(dependencies, connectionId, namespaceId))) return;
  logger.warn({ connectionId }, 'Temporal counts fewer waiting persons than the database: all are handed over again');
  await resetDispatched(database, connectionId, namespaceId);
}

interface Step {
  readonly scope: DispatchScope;
  /** Id of the namespace that is told. */
  readonly namespaceId: string;
  /** In ms since 1970: the rest is left to the next step. */
  readonly until: number;
  /** How many people at most. */
  readonly left: number;
}

async function dispatchOpen(
  { database, namespace, getClient: getClient }: Dependencies,
  { scope, namespaceId: namespaceId, until, left }: Step,
): Promise<DispatchOutcome> {
  const client = getClient(namespace);
  const onDispatched = async (dispatched: readonly OpenPerson[]): Promise<void> =>
    markDispatched(database, namespaceId, dispatched);
  let persons = 0;
  do {
    const batch = await listOpenPersons(database, scope, namespaceId, DISPATCH_BATCH);
    if (batch.length === 0) return { persons, left: 0 };
    persons += await dispatchPersons(client, scope.connectionId, batch, { onDispatched, until });
  } while (persons < left && Date.now() <= until);
  // Who was opened meanwhile may have come before others. Nobody takes away whom no namespace knows of, so this comes to an end.
  return { persons, left: persons < left ? left - persons : await countOpenPersons(database, scope, null) };
}

interface DispatchOptions<Person> {
  readonly onDispatched?: (dispatched: readonly Person[]) => Promise<void>;
  /** In ms since 1970: after it the rest is left, and only the first few are woken in any case. Default: all are woken. */
  readonly until?: number;
}

/**
 * Tells persons' workflows that their agenda has changed, and starts those that do not run: a few at a time, each time followed by `onWoken`,
 * with a rest before the next.
 *
 * @returns how many were woken.
 */
export async function dispatchPersons<Person extends Pick<OpenPerson, 'employeeId'>>(
  client: Client,
  connectionId: string,
  persons: readonly Person[],
  { onDispatched: onDispatched, until = Infinity }: DispatchOptions<Person> = {},
): Promise<number> {
  let dispatched = 0;
  do {
    const batch = persons.slice(dispatched, dispatched + DISPATCHES_IN_FLIGHT);
    const begin = performance.now();
    const dispatches = batch.map(async ({ employeeId }) => dispatchPerson(client, connectionId, employeeId));
    // One that fails is heard of when all have ended: nothing is under way any more, and the client may be closed.
    await Promise.allSettled(dispatches);
    await Promise.all(dispatches);
    const tookMs = performance.now() - begin;
    await onDispatched?.(batch);
    dispatched += batch.length;
    await setTimeout(Math.min(tookMs * REST_FACTOR, MAX_REST_MS));
  } while (dispatched < persons.length && Date.now() <= until);
  return dispatched;
}

async function dispatchPerson(client: Client, connectionId: string, employeeId: string): Promise<void> {
  const toSearchAttributeKey = (name: string): ReturnType<typeof defineSearchAttributeKey<'KEYWORD'>> =>
    defineSearchAttributeKey(name, 'KEYWORD');
  await client.workflow.signalWithStart(WORKFLOW_TYPE.employeeLifecycle, {
    workflowId: workflowId.employee(connectionId, employeeId),
    taskQueue: TASK_QUEUE.lifecycle,
    args: [{ connectionId, employeeId, shown: 'waiting' }],
    signal: SIGNAL.agendaChanged,
    signalArgs: [],
    staticSummary: `Lifecycle events of employee ${employeeId} of ${connectionId}`,
    typedSearchAttributes: [
      { key: toSearchAttributeKey(SEARCH_ATTRIBUTE.connection), value: connectionId },
      { key: toSearchAttributeKey(SEARCH_ATTRIBUTE.employeeId), value: employeeId },
      { key: toSearchAttributeKey(SEARCH_ATTRIBUTE.outcome), value: 'waiting' },
    ],
  });
}

/** Whether workflows are missing of people who were handed over to this very namespace: it was restored, or somebody terminated them. */
async function isAnyWorkflowLost(
  { database, namespace, getClient: getClient }: Dependencies,
  connectionId: string,
  namespaceId: string,
): Promise<boolean> {
  const query = `WorkflowType = "${WORKFLOW_TYPE.employeeLifecycle}" AND ExecutionStatus = "Running" AND ${SEARCH_ATTRIBUTE.connection} = "${connectionId}"`;
  // Others may end, or be handed over, meanwhile: the former are missing for good, and the latter are not counted yet.
  let expected = Infinity;
  for (const until = Date.now() + COUNT_TIMEOUT_MS; ;) {
    expected = Math.min(expected, await countDispatched(database, connectionId, namespaceId));
    if (expected === 0) return false;
    const { count } = await getClient(namespace).workflow.count(query);
    if (count >= expected) return false;
    if (Date.now() > until) return true;
    await setTimeout(COUNT_INTERVAL_MS);
  }
}
