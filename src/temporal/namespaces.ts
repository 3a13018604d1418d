import type { Connection } from '@temporalio/client';
import type { Subscriber } from '../domain/policy.js';
import { GRPC_STATUS, getGrpcCode } from './errors.js';

/**
 * Returns a fault for each subscriber whose namespace is unknown. If the server does not let us look, it counts as
 * known.
 */
export async function findUnknownNamespaces(
  connection: Connection,
  subscribers: readonly Subscriber[],
): Promise<readonly string[]> {
  const faults: string[] = [];
  for (const [index, { namespace }] of subscribers.entries()) {
    if (namespace === null || (await isKnown(connection, namespace))) continue;
    faults.push(
      `Policy file: subscribers[${index}].namespace does not exist on the Temporal server. ` +
        'Create it, or correct the name.',
    );
  }
  return faults;
}

async function isKnown(connection: Connection, namespace: string): Promise<boolean> {
  try {
    await connection.workflowService.describeNamespace({ namespace });
    return true;
  } catch (error) {
    return getGrpcCode(error) !== GRPC_STATUS.NOT_FOUND;
  }
}
