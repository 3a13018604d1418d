import { setTimeout } from 'node:timers/promises';
import type { Client } from '@temporalio/client';
import { defineSearchAttributeKey } from '@temporalio/common';
import type { Dispatched, StoreActivities } from '../src/contracts/activities.js';
import { SEARCH_ATTRIBUTE, SIGNAL, TASK_QUEUE, WORKFLOW_TYPE, workflowId } from '../src/contracts/names.js';
import { applySubscribers } from '../src/store/delivery-plans.js';
import {
  countHandedOver,
  countOpenPersons,
  forgetHandover,
  noteHandedOver,
  openPersons,
} from '../src/store/handover.js';
import type { HandoverScope, OpenPerson } from '../src/store/handover.js';
import type { DeliverDependencies } from './deliver-dependencies.js';

/** Persons whose workflows are signalled at once: the frontend is shared with everybody else's work. */
const WAKES_IN_FLIGHT = 8;
/**
 * A server that starts thousands of workflows as fast as it can leaves a sync waiting for each of its steps (docs/decisions/0012). So it is left to
 * others sixteen times as long as it took to answer, and a third of a second at most.
 */
const RESTS = 16;
const LONGEST_REST_MS = 320;
/** Some seconds: the next ones are read anew, since who has left may have come meanwhile. */
const HANDOVER_BATCH = 100;
/** A worker has few slots for all connections' steps, and is to be gone within half a minute. */
const LONGEST_STEP_MS = 10_000;
/** What is started is counted a little later: the visibility store lags behind. */
const COUNT_PATIENCE_MS = 10_000;
const COUNT_EVERY_MS = 500;

type Dependencies = Pick<DeliverDependencies, 'database' | 'namespace' | 'clientOf'>;

/**
 * Hands people with open events to their workflows. May repeat: a workflow that knows of its agenda looks again, and finds the same.
 *
 * @param longestStepMs after which the rest is left to the next step.
 */
export function createDispatch(
  dependencies: DeliverDependencies,
  longestStepMs = LONGEST_STEP_MS,
): StoreActivities['dispatchEvents'] {
  return async ({ connectionId, onlyEmployeeId = null, left = null }) => {
    const until = Date.now() + longestStepMs;
    const known = await dependencies.namespaceId();
    if (left === null && onlyEmployeeId === null) await prepare(dependencies, connectionId, known);
    const scope = { connectionId, onlyEmployeeId };
    // Counted once: two namespaces on one database take people from each other, and would never have done.
    const open = left ?? (await countOpenPersons(dependencies.database, scope, known));
    if (open === 0) return { persons: 0, left: 0 };
    return handOverOpen(dependencies, { scope, known, until, left: open });
  };
}

async function prepare(dependencies: DeliverDependencies, connectionId: string, known: string): Promise<void> {
  const { database, policy, logger } = dependencies;
  const planned = await applySubscribers(database, connectionId, policy);
  if (planned > 0)
    logger.info({ connectionId, planned }, 'Deliveries of planned events follow the changed subscribers');
  if (!(await isAnybodyLost(dependencies, connectionId, known))) return;
  logger.warn({ connectionId }, 'Temporal counts fewer waiting persons than the database: all are handed over again');
  await forgetHandover(database, connectionId, known);
}

interface Step {
  readonly scope: HandoverScope;
  /** Id of the namespace that is told. */
  readonly known: string;
  /** In ms since 1970: the rest is left to the next step. */
  readonly until: number;
  /** How many people at most. */
  readonly left: number;
}

async function handOverOpen(
  { database, namespace, clientOf }: Dependencies,
  { scope, known, until, left }: Step,
): Promise<Dispatched> {
  const client = clientOf(namespace);
  const onWoken = async (woken: readonly OpenPerson[]): Promise<void> => noteHandedOver(database, known, woken);
  let persons = 0;
  do {
    const batch = await openPersons(database, scope, known, HANDOVER_BATCH);
    if (batch.length === 0) return { persons, left: 0 };
    persons += await wakePersons(client, scope.connectionId, batch, { onWoken, until });
  } while (persons < left && Date.now() <= until);
  // Who was opened meanwhile may have come before others. Nobody takes away whom no namespace knows of, so this comes to an end.
  return { persons, left: persons < left ? left - persons : await countOpenPersons(database, scope, null) };
}

interface Waking<Person> {
  readonly onWoken?: (woken: readonly Person[]) => Promise<void>;
  /** In ms since 1970: after it the rest is left, and only the first few are woken in any case. Default: all are woken. */
  readonly until?: number;
}

/**
 * Tells persons' workflows that their agenda has changed, and starts those that do not run: a few at a time, each time followed by `onWoken`,
 * with a rest before the next.
 *
 * @returns how many were woken.
 */
export async function wakePersons<Person extends Pick<OpenPerson, 'employeeId'>>(
  client: Client,
  connectionId: string,
  persons: readonly Person[],
  { onWoken, until = Infinity }: Waking<Person> = {},
): Promise<number> {
  let woken = 0;
  do {
    const together = persons.slice(woken, woken + WAKES_IN_FLIGHT);
    const begin = performance.now();
    const wakes = together.map(async ({ employeeId }) => wake(client, connectionId, employeeId));
    // One that fails is heard of when all have ended: nothing is under way any more, and the client may be closed.
    await Promise.allSettled(wakes);
    await Promise.all(wakes);
    const tookMs = performance.now() - begin;
    await onWoken?.(together);
    woken += together.length;
    await setTimeout(Math.min(tookMs * RESTS, LONGEST_REST_MS));
  } while (woken < persons.length && Date.now() <= until);
  return woken;
}

async function wake(client: Client, connectionId: string, employeeId: string): Promise<void> {
  const keyword = (name: string): ReturnType<typeof defineSearchAttributeKey<'KEYWORD'>> =>
    defineSearchAttributeKey(name, 'KEYWORD');
  await client.workflow.signalWithStart(WORKFLOW_TYPE.employeeLifecycle, {
    ...{ workflowId: workflowId.employee(connectionId, employeeId), taskQueue: TASK_QUEUE.lifecycle },
    ...{ args: [{ connectionId, employeeId, shown: 'waiting' }], signal: SIGNAL.agendaChanged, signalArgs: [] },
    staticSummary: `Lifecycle events of employee ${employeeId} of ${connectionId}`,
    typedSearchAttributes: [
      { key: keyword(SEARCH_ATTRIBUTE.connection), value: connectionId },
      { key: keyword(SEARCH_ATTRIBUTE.employeeId), value: employeeId },
      { key: keyword(SEARCH_ATTRIBUTE.outcome), value: 'waiting' },
    ],
  });
}

/** Whether workflows are missing of people who were handed over to this very namespace: it was restored, or somebody terminated them. */
async function isAnybodyLost(
  { database, namespace, clientOf }: Dependencies,
  connectionId: string,
  known: string,
): Promise<boolean> {
  const query = `WorkflowType = "${WORKFLOW_TYPE.employeeLifecycle}" AND ExecutionStatus = "Running" AND ${SEARCH_ATTRIBUTE.connection} = "${connectionId}"`;
  // Others may end, or be handed over, meanwhile: the former are missing for good, and the latter are not counted yet.
  let expected = Infinity;
  for (const until = Date.now() + COUNT_PATIENCE_MS; ;) {
    expected = Math.min(expected, await countHandedOver(database, connectionId, known));
    if (expected === 0) return false;
    const { count } = await clientOf(namespace).workflow.count(query);
    if (count >= expected) return false;
    if (Date.now() > until) return true;
    await setTimeout(COUNT_EVERY_MS);
  }
}
