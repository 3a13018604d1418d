import { isGrpcServiceError } from '@temporalio/client';
import type { Connection } from '@temporalio/client';
import type { Subscriber } from '../domain/policy.js';

/** Status code of gRPC (grpc.io, "Status codes and their use in gRPC"). */
const grpcStatus = { NOT_FOUND: 5 } as const;

/** @returns a fault for each subscriber whose namespace the server does not know; one that it lets nobody ask for is taken on trust. */
export async function findUnknownNamespaces(
  connection: Connection,
  subscribers: readonly Subscriber[],
): Promise<readonly string[]> {
  const faults: string[] = [];
  for (const [index, { namespace }] of subscribers.entries()) {
    if (namespace === null || (await isKnown(connection, namespace))) continue;
    faults.push(
      `Policy file: subscribers[${index}].namespace names a namespace that the Temporal server does not know; create it, or correct the name.`,
    );
  }
  return faults;
}

async function isKnown(connection: Connection, namespace: string): Promise<boolean> {
  try {
    await connection.workflowService.describeNamespace({ namespace });
    return true;
  } catch (error) {
    const code: number = isGrpcServiceError(error) ? error.code : -1;
    return code !== grpcStatus.NOT_FOUND;
  }
}
