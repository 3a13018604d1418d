import { AsyncLocalStorage } from 'node:async_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import type { PoolClient } from 'pg';
import { StoreError } from './errors.js';

/** Interval at which the server is asked about a statement that takes long, and the longest wait for its answer. */
export const WATCH_INTERVAL_MS = 8_000;
/** Looks in a row that find nothing: an answer may be under way during the first. A loss shows within half a minute. */
const MAX_SILENT_LOOKS = 2;

export interface WatchOptions {
  /** Connection of the pool. A probe that connects otherwise, such as without its CA, would find nobody alive. */
  readonly connection: pg.ClientConfig;
  /** The server's `host:port`, for the message. */
  readonly server: string;
  readonly intervalMs: number;
}

const scopes = new AsyncLocalStorage<StatementScope>();

/** Statements of one step. The opener of the scope learns whether the server works on them, and may end them. */
export class StatementScope {
  readonly statements = new Set<WatchedStatement>();
  private reason: Error | null = null;

  async run<T>(work: () => Promise<T>): Promise<T> {
    return scopes.run(this, work);
  }

  /** Gives up the statements under way and all that follow, and closes their connections. */
  end(reason: Error): void {
    this.reason = reason;
    for (const statement of this.statements) statement.giveUp(reason);
  }

  requireOpen(): void {
    if (this.reason !== null) throw this.reason;
  }
}

/** Returns whether no statement of the current scope is without a sign of life. */
export function areStatementsAlive(): boolean {
  return ![...(scopes.getStore()?.statements ?? [])].some(({ isSilent }) => isSilent);
}

/**
 * Waits for a statement as long as the server works on it, or waits for a lock. A network that is lost without a word,
 * or a server that has forgotten the connection, would keep it, and its place in the pool, waiting for ever.
 *
 * @throws StoreError `StoreUnavailable` when the server cannot be asked or does not work on it: the client is closed.
 */
export async function watchStatement<T>(client: PoolClient, options: WatchOptions, send: () => Promise<T>): Promise<T> {
  const scope = scopes.getStore();
  scope?.requireOpen();
  const statement = new WatchedStatement(client, options);
  scope?.statements.add(statement);
  try {
    return await Promise.race([send(), statement.watch()]);
  } finally {
    statement.stopWatching();
    scope?.statements.delete(statement);
  }
}

class WatchedStatement {
  /** True if the last look found no sign of it, or is still without an answer. */
  isSilent = false;
  private readonly client: PoolClient;
  private readonly options: WatchOptions;
  private readonly answered = new AbortController();
  private reject: (error: Error) => void = () => undefined;

  constructor(client: PoolClient, options: WatchOptions) {
    this.client = client;
    this.options = options;
  }

  /** Rejects when the statement was given up. */
  async watch(): Promise<never> {
    void this.look();
    return new Promise((_, reject) => {
      this.reject = reject;
    });
  }

  stopWatching(): void {
    this.answered.abort();
  }

  giveUp(error: Error): void {
    this.reject(error);
    // Closes the socket at once, since a statement is under way. The server notices, and ends its side.
    void this.client.end();
  }

  private async look(): Promise<void> {
    const { signal } = this.answered;
    let received = countReceived(this.client);
    for (let silentLooks = 0; silentLooks < MAX_SILENT_LOOKS;) {
      await sleep(this.options.intervalMs, undefined, { signal }).catch(() => undefined);
      if (signal.aborted) return;
      this.isSilent = true;
      const before = received;
      received = countReceived(this.client);
      this.isSilent = received === before && !(await isAtWork(this.options, findProcessId(this.client)));
      silentLooks = this.isSilent ? silentLooks + 1 : 0;
    }
    if (!signal.aborted) this.giveUp(createLostError(this.options.server));
  }
}

function createLostError(server: string): StoreError {
  return new StoreError(
    'StoreUnavailable',
    `The connection to PostgreSQL at ${server} was lost during a statement: the server cannot be asked about it, or ` +
      'does not work on it. Check that the server is running, and the network to it.',
  );
}

/** Returns the bytes that a client has received: rows that arrive are a sign of life. */
function countReceived(client: PoolClient): number {
  // The driver's typings lack its socket.
  // eslint-disable-next-line @typescript-eslint/no-unsafe-type-assertion
  return (client as unknown as { connection: { stream: { bytesRead: number } } }).connection.stream.bytesRead;
}

/** Returns the id of the client's server process, which the driver's typings lack. */
function findProcessId(client: pg.ClientBase): number | null {
  return 'processID' in client && typeof client.processID === 'number' ? client.processID : null;
}

/** Returns whether the server works on the statement of a process; behind a pooler, whether the server answers. */
async function isAtWork({ connection, intervalMs }: WatchOptions, processId: number | null): Promise<boolean> {
  const probe = new pg.Client({
    ...connection,
    application_name: 'personio-sync probe',
    connectionTimeoutMillis: intervalMs,
    query_timeout: intervalMs,
  });
  probe.on('error', () => undefined);
  try {
    await probe.connect();
    const { rows } = await probe.query<{ own: number; isAtWork: boolean | null }>(
      `select
         pg_backend_pid() as own,
         (
           select state not like 'idle%' and wait_event_type is distinct from 'Client'
           from pg_stat_activity
           where pid = $1
         ) as "isAtWork"`,
      [processId],
    );
    // A pooler makes up the ids that clients see.
    return rows[0]?.own !== findProcessId(probe) || rows[0].isAtWork === true;
  } catch (error) {
    // A refusal, such as of one connection too many, is an answer too.
    return error instanceof pg.DatabaseError;
  } finally {
    void probe.end();
  }
}
