import { setTimeout as sleep } from 'node:timers/promises';
import { WorkflowNotFoundError } from '@temporalio/client';
import type { Client } from '@temporalio/client';
import { ENDPOINTS, workflowId } from '../contracts/internal/names.js';

/** Longest wait for a cancelled sync to close its row. Without a worker nobody closes it. */
const CLOSING_MS = 10_000;

/**
 * Cancels the running syncs of a connection, its refreshes and its waiting questions, and waits a little: each closes
 * its row and ends. Returns their number.
 */
export async function cancelSyncs(client: Client, connectionId: string): Promise<number> {
  const prefixes = [
    ...ENDPOINTS.map((endpoint) => workflowId.sync(connectionId, endpoint)),
    workflowId.refresh(connectionId, ''),
    workflowId.lifecycle(connectionId, ''),
  ];
  const cancelled: Promise<unknown>[] = [];
  for (const prefix of prefixes) {
    for (const id of await listOpenIds(client, prefix)) {
      const handle = client.workflow.getHandle(id);
      if (await endIfRunning(async () => handle.cancel())) cancelled.push(handle.result().catch(() => undefined));
    }
  }
  const timer = new AbortController();
  const limit = sleep(CLOSING_MS, undefined, { signal: timer.signal }).catch(() => undefined);
  await Promise.race([Promise.all(cancelled), limit]);
  timer.abort();
  return cancelled.length;
}

/** Terminates the workflows of all employees of a connection. */
export async function endLifecycles(client: Client, connectionId: string, reason: string): Promise<void> {
  for (const id of await listOpenIds(client, workflowId.employee(connectionId, '')))
    await endIfRunning(async () => client.workflow.getHandle(id).terminate(reason));
}

/** Terminates the workflow of one employee. Returns whether it was running. */
export async function endLifecycle(
  client: Client,
  person: { readonly connectionId: string; readonly employeeId: string },
  reason: string,
): Promise<boolean> {
  const handle = client.workflow.getHandle(workflowId.employee(person.connectionId, person.employeeId));
  return endIfRunning(async () => handle.terminate(reason));
}

async function listOpenIds(client: Client, prefix: string): Promise<readonly string[]> {
  const ids: string[] = [];
  // The prefix consists of names that our own rules allow, so it contains no quote.
  const query = `WorkflowId STARTS_WITH '${prefix}' AND ExecutionStatus = 'Running'`;
  for await (const { workflowId: id } of client.workflow.list({ query })) ids.push(id);
  return ids;
}

async function endIfRunning(end: () => Promise<unknown>): Promise<boolean> {
  try {
    await end();
    return true;
  } catch (error) {
    // It ended by itself meanwhile.
    if (error instanceof WorkflowNotFoundError) return false;
    throw error;
  }
}
