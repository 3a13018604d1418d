import type { WorkflowExecutionInfo } from '@temporalio/client';
import type { RunRef } from '../src/contracts/internal/activities.js';
import type { Database } from '../src/store/database.js';
import { closeRun, listOpenRuns } from '../src/store/runs.js';
import { dropLeftOvers } from '../src/store/staging.js';
import type { DeliveryDependencies } from './send.js';

export type TerminatedRunsDependencies = Pick<DeliveryDependencies, 'getClient' | 'namespace'> & {
  readonly database: Database;
};

const ASK_TIMEOUT_MS = 5_000;
/** Open runs that are asked about at once: older ones come first, and there are hardly ever more. */
const MAX_RUNS = 20;
/** A workflow in one of these states can no longer close the row of its run. */
const ENDED: readonly WorkflowExecutionInfo['status']['name'][] = [
  'COMPLETED',
  'FAILED',
  'CANCELLED',
  'TERMINATED',
  'TIMED_OUT',
];

/**
 * Ends runs whose workflow was terminated before it could record its end, and drops what such runs and others have left
 * in staging. A run that Temporal does not know stays open: its namespace may be another one.
 */
export async function cleanUpRuns({ database, getClient, namespace }: TerminatedRunsDependencies): Promise<void> {
  const client = getClient(namespace);
  for (const run of await listOpenRuns(database, MAX_RUNS)) {
    const ended = await client.withDeadline(Date.now() + ASK_TIMEOUT_MS, async () => {
      for await (const { status } of client.workflow.list({ query: `RunId = '${run.runId}'` }))
        return ENDED.includes(status.name);
      return false;
    });
    if (ended) await closeAsTerminated(database, run);
  }
  await dropLeftOvers(database);
}

async function closeAsTerminated(database: Database, run: RunRef): Promise<void> {
  await closeRun(database, run, {
    outcome: 'cancelled',
    failureType: null,
    message: 'The workflow of this run was terminated. Nothing more was changed.',
    source: null,
    requests: 0,
    detail: {},
    received: 0,
    inserted: 0,
    updated: 0,
    unchanged: 0,
    missing: 0,
  });
}
