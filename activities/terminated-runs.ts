import type { Client, WorkflowExecutionInfo } from '@temporalio/client';
import type { RunRef } from '../src/contracts/internal/activities.js';
import { ZERO_COUNTS } from '../src/contracts/internal/sync.js';
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
  const runs = await listOpenRuns(database, MAX_RUNS);
  const ended = runs.length === 0 ? [] : await listEnded(getClient(namespace), runs);
  for (const run of runs) if (ended.includes(run.runId)) await closeAsTerminated(database, run);
  await dropLeftOvers(database);
}

/** Asks Temporal once about all runs, since every run that starts asks. */
async function listEnded(client: Client, runs: readonly RunRef[]): Promise<readonly string[]> {
  const ids = runs.map(({ runId }) => `'${runId}'`).join(', ');
  return client.withDeadline(Date.now() + ASK_TIMEOUT_MS, async () => {
    const ended: string[] = [];
    for await (const { runId, status } of client.workflow.list({ query: `RunId IN (${ids})` }))
      if (ENDED.includes(status.name)) ended.push(runId);
    return ended;
  });
}

async function closeAsTerminated(database: Database, run: RunRef): Promise<void> {
  await closeRun(database, run, {
    outcome: 'cancelled',
    failureType: null,
    message: 'The workflow of this run was terminated. Nothing more was changed.',
    source: null,
    requests: 0,
    detail: {},
    ...ZERO_COUNTS,
  });
}
