import { Client, Connection } from '@temporalio/client';
import type { ConnectionOptions } from '@temporalio/client';
import type { DataConverter } from '@temporalio/common';
import { NativeConnection } from '@temporalio/worker';

export interface TemporalTarget {
  readonly connectionOptions: ConnectionOptions;
  readonly namespace: string;
  /** As histories and the UI show who acted. */
  readonly identity?: string;
  /** Encrypts payloads where keys are set. */
  readonly dataConverter?: DataConverter;
}

/** A client of one Temporal server, and of its other namespaces over the same connection. */
export interface TemporalClients {
  readonly connection: Connection;
  readonly client: Client;
  readonly namespace: string;
  readonly getClient: (namespace: string) => Client;
  /** The same for the workers. */
  readonly dataConverter: DataConverter;
  readonly close: () => Promise<void>;
}

/** The server could not be reached in the time that was given. */
export class TemporalUnreachableError extends Error {
  override readonly name = 'TemporalUnreachableError';
}

/** @throws TemporalUnreachableError with what was tried, after `timeoutMs`. */
export async function connectTemporal(target: TemporalTarget, timeoutMs: number): Promise<TemporalClients> {
  const connection = await connectWithRetry(target, timeoutMs, async () =>
    Connection.connect(target.connectionOptions),
  );
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

/** The connection that workers poll over. @throws TemporalUnreachableError after `timeoutMs`. */
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
  const address = target.connectionOptions.address ?? 'localhost:7233';
  const reason = error instanceof Error ? error.message.split('\n')[0] : 'no answer';
  return new TemporalUnreachableError(
    `No Temporal server answered at ${address}: tried ${tries} times in ${Math.round(waitedMs / 1_000)} s, the last time: ${reason ?? ''}. ` +
      'Start the server, or set TEMPORAL_ADDRESS (and TEMPORAL_API_KEY or TEMPORAL_TLS_… where it needs them).',
  );
}
