import { Client, Connection } from '@temporalio/client';
import type { ConnectionOptions } from '@temporalio/client';
import type { DataConverter } from '@temporalio/common';
import { NativeConnection } from '@temporalio/worker';
import { GRPC_STATUS, TemporalSetupError, getGrpcCode } from './errors.js';

export interface TemporalTarget {
  readonly connectionOptions: ConnectionOptions;
  readonly namespace: string;
  /** Shown in histories and the UI as the one who acted. Default: the SDK's. */
  readonly identity?: string;
  /** Encrypts payloads if keys are set. Default: the SDK's. */
  readonly dataConverter?: DataConverter;
}

/** Clients of one Temporal server: of one namespace, and of its others over the same connection. */
export interface TemporalClients {
  readonly connection: Connection;
  readonly client: Client;
  readonly namespace: string;
  readonly getClient: (namespace: string) => Client;
  /** The converter of these clients, for workers. */
  readonly dataConverter: DataConverter;
  readonly close: () => Promise<void>;
}

/** Thrown when the server does not respond in time. The message is a sentence for the operator. */
export class TemporalUnreachableError extends Error {
  override readonly name = 'TemporalUnreachableError';
}

/**
 * Connects the clients, retrying for a while.
 *
 * @throws TemporalUnreachableError after `timeoutMs`.
 * @throws TemporalSetupError where the server does not know the namespace.
 */
export async function connectTemporal(target: TemporalTarget, timeoutMs: number): Promise<TemporalClients> {
  const connection = await connectWithRetry(target, timeoutMs, async () =>
    Connection.connect(target.connectionOptions),
  );
  try {
    await requireNamespace(connection, target);
  } catch (error) {
    await connection.close();
    throw error;
  }
  const { dataConverter = {} } = target;
  const clients = new Map<string, Client>();
  const getClient = (namespace: string): Client => {
    const known = clients.get(namespace);
    if (known !== undefined) return known;
    const client = new Client({
      connection,
      namespace,
      dataConverter,
      ...(target.identity === undefined ? {} : { identity: target.identity }),
    });
    clients.set(namespace, client);
    return client;
  };
  return {
    connection,
    client: getClient(target.namespace),
    namespace: target.namespace,
    getClient,
    dataConverter,
    close: async () => connection.close(),
  };
}

/** Lets a server pass that does not let us look. */
async function requireNamespace(connection: Connection, target: TemporalTarget): Promise<void> {
  const { namespace } = target;
  try {
    await connection.workflowService.describeNamespace({ namespace });
  } catch (error) {
    if (getGrpcCode(error) !== GRPC_STATUS.NOT_FOUND) return;
    throw new TemporalSetupError(
      `Temporal at ${getAddress(target)} has no namespace ${namespace}. Correct TEMPORAL_NAMESPACE, ` +
        `or create it with \`temporal operator namespace create --namespace ${namespace}\`.`,
    );
  }
}

function getAddress({ connectionOptions }: TemporalTarget): string {
  return connectionOptions.address ?? 'localhost:7233';
}

/**
 * Opens the connection that workers poll over, retrying for a while.
 *
 * @throws TemporalUnreachableError after `timeoutMs`.
 */
export async function connectWorker(target: TemporalTarget, timeoutMs: number): Promise<NativeConnection> {
  const { address, tls, apiKey, metadata } = target.connectionOptions;
  return connectWithRetry(target, timeoutMs, async () =>
    NativeConnection.connect({
      ...(address === undefined ? {} : { address }),
      ...(tls === undefined ? {} : { tls }),
      ...(typeof apiKey === 'string' ? { apiKey } : {}),
      ...(metadata === undefined ? {} : { metadata }),
    }),
  );
}

async function connectWithRetry<T>(target: TemporalTarget, timeoutMs: number, connect: () => Promise<T>): Promise<T> {
  const startedAt = Date.now();
  for (let tries = 1; ; tries++) {
    try {
      return await connect();
    } catch (error) {
      const waitedMs = Date.now() - startedAt;
      if (waitedMs >= timeoutMs) throw toUnreachableError(target, tries, waitedMs, error);
      await new Promise((resolve) => setTimeout(resolve, Math.min(2_000, Math.max(50, timeoutMs - waitedMs))));
    }
  }
}

function toUnreachableError(
  target: TemporalTarget,
  tries: number,
  waitedMs: number,
  error: unknown,
): TemporalUnreachableError {
  const address = getAddress(target);
  const reason = error instanceof Error ? error.message.split('\n')[0] : 'no response';
  const waited = `${tries} attempts in ${Math.round(waitedMs / 1_000)} s`;
  return new TemporalUnreachableError(
    `Cannot connect to Temporal at ${address} (${waited}: ${reason ?? ''}). ` +
      'Start the server, or set TEMPORAL_ADDRESS (and TEMPORAL_API_KEY or TEMPORAL_TLS_… if it needs them).',
  );
}
