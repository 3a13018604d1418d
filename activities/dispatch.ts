import { setTimeout } from 'node:timers/promises';
import type { Client } from '@temporalio/client';
import type { DispatchOutcome, StoreActivities } from '../src/contracts/internal/activities.js';
import {
  SEARCH_ATTRIBUTE,
  SIGNAL,
  TASK_QUEUE,
  WORKFLOW_TYPE,
  toSearchAttributeKey,
  workflowId,
} from '../src/contracts/internal/names.js';
import { applySubscribers } from '../src/store/deliveries/plans.js';
import {
  countDispatched,
  countOpenPersons,
  resetDispatched,
  markDispatched,
  listOpenPersons,
} from '../src/store/deliveries/dispatch.js';
import type { DispatchScope, OpenPerson } from '../src/store/deliveries/dispatch.js';
import type { DeliveryDependencies } from './send.js';

/** Workflows signalled at once: the server's frontend is shared with all other work. */
const DISPATCHES_IN_FLIGHT = 8;
/**
 * A server that starts thousands of workflows as fast as it can delays every step of a sync (docs/decisions/0012). So
 * each batch is followed by a rest of sixteen times as long as the server took, at most a third of a second.
 */
const REST_FACTOR = 16;
const MAX_REST_MS = 320;
/** People read at once, for some seconds of work: leavers who come meanwhile are first in the next batch. */
const DISPATCH_BATCH = 100;
/** A worker has few slots for the steps of all connections, and must stop within half a minute. */
const MAX_STEP_MS = 10_000;
/** Workflows are counted a little after they start: the visibility store lags behind. */
const COUNT_TIMEOUT_MS = 10_000;
const COUNT_INTERVAL_MS = 500;

type Dependencies = Pick<DeliveryDependencies, 'database' | 'namespace' | 'getClient'>;

/**
 * Creates the activity that dispatches open events to their employees' workflows. Safe to repeat: a workflow that is
 * signalled twice finds the same pending work.
 *
 * @param maxStepMs time after which the rest is left to the next step.
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
    // Counted once: two namespaces on one database take people from each other, and would never finish.
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
    logger.info({ connectionId, planned }, 'Deliveries of planned events were updated for changed subscribers');
  if (!(await isAnyWorkflowLost(dependencies, connectionId, namespaceId))) return;
  logger.warn(
    { connectionId },
    'Temporal has fewer employee workflows than the database expects: dispatching all again',
  );
  await resetDispatched(database, connectionId, namespaceId);
}

interface Step {
  readonly scope: DispatchScope;
  /** Id of the namespace whose workflows are signalled. */
  readonly namespaceId: string;
  /** In ms since 1970: the rest is left to the next step. */
  readonly until: number;
  /** Maximum number of people. */
  readonly left: number;
}

async function dispatchOpen(
  { database, namespace, getClient }: Dependencies,
  { scope, namespaceId, until, left }: Step,
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
  // People with newer events may have come first. Those that no namespace knows are never taken away, so this ends.
  return { persons, left: persons < left ? left - persons : await countOpenPersons(database, scope, null) };
}

interface DispatchOptions<Person> {
  /** Called after each batch. */
  readonly onDispatched?: (dispatched: readonly Person[]) => Promise<void>;
  /** In ms since 1970: after it the rest is left, except for the first batch. Default: no limit. */
  readonly until?: number;
}

/**
 * Signals employees' workflows that their pending work has changed, and starts those that do not run: in small batches,
 * with a rest after each.
 *
 * @returns the number of people dispatched.
 */
export async function dispatchPersons<Person extends Pick<OpenPerson, 'employeeId'>>(
  client: Client,
  connectionId: string,
  persons: readonly Person[],
  { onDispatched, until = Infinity }: DispatchOptions<Person> = {},
): Promise<number> {
  let dispatched = 0;
  do {
    const batch = persons.slice(dispatched, dispatched + DISPATCHES_IN_FLIGHT);
    const begin = performance.now();
    const dispatches = batch.map(async ({ employeeId }) => dispatchPerson(client, connectionId, employeeId));
    // A failure is thrown once all have ended: nothing is under way then, and the client may be closed.
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

/**
 * Returns whether workflows are missing that were dispatched to this namespace: it was restored, or they were
 * terminated.
 */
async function isAnyWorkflowLost(
  { database, namespace, getClient }: Dependencies,
  connectionId: string,
  namespaceId: string,
): Promise<boolean> {
  const query =
    `WorkflowType = "${WORKFLOW_TYPE.employeeLifecycle}" AND ExecutionStatus = "Running" ` +
    `AND ${SEARCH_ATTRIBUTE.connection} = "${connectionId}"`;
  // Meanwhile others may end, which lowers the expected count, or be dispatched, which Temporal does not count yet.
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
