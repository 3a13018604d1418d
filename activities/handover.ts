import type { Client } from '@temporalio/client';
import { defineSearchAttributeKey } from '@temporalio/common';
import type { StoreActivities } from '../src/contracts/activities.js';
import { SEARCH_ATTRIBUTE, SIGNAL, TASK_QUEUE, WORKFLOW_TYPE, workflowId } from '../src/contracts/names.js';
import { applySubscribers } from '../src/store/delivery-plans.js';
import { countHandedOver, noteHandedOver, openPersons } from '../src/store/handover.js';
import type { OpenPerson } from '../src/store/handover.js';
import type { DeliverDependencies } from './deliver-dependencies.js';

/** Persons whose workflows are signalled at once: the frontend is shared with everybody else's work. */
const WAKES_IN_FLIGHT = 8;
const HANDOVER_BATCH = 500;
/** What is started is counted a little later: the visibility store lags behind. */
const COUNT_PATIENCE_MS = 10_000;
const COUNT_EVERY_MS = 500;

type Dependencies = Omit<DeliverDependencies, 'logger'>;

/** Hands people with open events to their workflows. May repeat: a workflow that knows of its agenda looks again, and finds the same. */
export function createDispatch(dependencies: DeliverDependencies): StoreActivities['dispatchEvents'] {
  return async ({ connectionId }) => {
    const { database, policy, logger } = dependencies;
    const planned = await applySubscribers(database, connectionId, policy);
    if (planned > 0)
      logger.info({ connectionId, planned }, 'Deliveries of planned events follow the changed subscribers');
    const everybody = await isAnybodyLost(dependencies, connectionId);
    if (everybody)
      logger.warn(
        { connectionId },
        'Temporal counts fewer waiting persons than the database: all are handed over again',
      );
    return { persons: await handOverOpen(dependencies, connectionId, everybody) };
  };
}

async function handOverOpen(
  { database, namespace, clientOf, namespaceId }: Dependencies,
  connectionId: string,
  everybody: boolean,
): Promise<number> {
  const known = await namespaceId();
  let persons = 0;
  for (let after = ''; ;) {
    const batch = await openPersons(database, connectionId, known, { after, limit: HANDOVER_BATCH, everybody });
    const last = batch.at(-1);
    if (last === undefined) return persons;
    await wakePersons(clientOf(namespace), connectionId, batch, async (woken) =>
      noteHandedOver(database, known, woken),
    );
    persons += batch.length;
    after = last.employeeId;
  }
}

/**
 * Tells persons' workflows that their agenda has changed, and starts those that do not run: a few at a time, each time followed by `onWoken`.
 */
export async function wakePersons<Person extends Pick<OpenPerson, 'employeeId'>>(
  client: Client,
  connectionId: string,
  persons: readonly Person[],
  onWoken: (woken: readonly Person[]) => Promise<void> = async () => Promise.resolve(),
): Promise<void> {
  for (let index = 0; index < persons.length; index += WAKES_IN_FLIGHT) {
    const together = persons.slice(index, index + WAKES_IN_FLIGHT);
    await Promise.all(together.map(async ({ employeeId }) => wake(client, connectionId, employeeId)));
    await onWoken(together);
  }
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
  { database, namespace, clientOf, namespaceId }: Dependencies,
  connectionId: string,
): Promise<boolean> {
  const known = await namespaceId();
  const query = `WorkflowType = "${WORKFLOW_TYPE.employeeLifecycle}" AND ExecutionStatus = "Running" AND ${SEARCH_ATTRIBUTE.connection} = "${connectionId}"`;
  for (const until = Date.now() + COUNT_PATIENCE_MS; ;) {
    const expected = await countHandedOver(database, connectionId, known);
    if (expected === 0) return false;
    const { count } = await clientOf(namespace).workflow.count(query);
    if (count >= expected) return false;
    if (Date.now() > until) return true;
    await new Promise((resolve) => setTimeout(resolve, COUNT_EVERY_MS));
  }
}
