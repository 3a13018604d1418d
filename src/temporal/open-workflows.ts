import { WorkflowNotFoundError } from '@temporalio/client';
import type { Client } from '@temporalio/client';
import { ENDPOINTS, workflowId } from '../contracts/internal/names.js';

/** Cancels the running syncs of a connection: each closes its row and ends. Returns their number. */
export async function cancelSyncs(client: Client, connectionId: string): Promise<number> {
  let cancelled = 0;
  for (const endpoint of ENDPOINTS) {
    for (const id of await listOpenIds(client, workflowId.sync(connectionId, endpoint))) {
      if (await endIfRunning(async () => client.workflow.getHandle(id).cancel())) cancelled += 1;
    }
  }
  return cancelled;
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
