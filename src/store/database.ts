import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { from } from 'pg-copy-streams';
import type { PoolClient, QueryResultRow } from 'pg';
import { parsePostgresUrl, toServerAddress } from '../network/postgres-url.js';
import type { PostgresTarget } from '../network/postgres-url.js';
import { StoreError, isConflict, translateError } from './errors.js';
import { SESSION_SETTINGS } from './session-settings.js';
import { nameStatement } from './statement-name.js';
import { WATCH_INTERVAL_MS, watchStatement } from './statement-watch.js';
import type { WatchOptions } from './statement-watch.js';

export interface DatabaseOptions {
  readonly url: string;
  /** Shown in `pg_stat_activity`. */
  readonly applicationName: string;
  readonly poolSize: number;
  /** Interval at which the server is asked about a statement that takes long. Default: 8 s. */
  readonly watchIntervalMs?: number;
}

/** Runs statements, inside a transaction or outside of one. */
export interface Queries {
  /** Returns the rows. The caller names their shape, since it wrote the statement. */
  readonly query: <T extends QueryResultRow>(sql: string, values?: readonly unknown[]) => Promise<readonly T[]>;
  /** Returns how many rows the statement touched. */
  readonly run: (sql: string, values?: readonly unknown[]) => Promise<number>;
}

/** Statements of one transaction. */
export type Transaction = Queries;

export interface Database extends Queries {
  /** Commits when `work` resolves, rolls back when it throws. Repeats `work` when another transaction interfered. */
  readonly transaction: <T>(work: (transaction: Transaction) => Promise<T>) => Promise<T>;
  /** Writes rows in the text format of COPY with a `COPY … FROM STDIN`: all of them or none. */
  readonly copyIn: (sql: string, text: string) => Promise<void>;
  readonly url: string;
  readonly close: () => Promise<void>;
}

const CONNECT_TIMEOUT_MS = 10_000;
/** The system then asks ten times, a second apart, whether the other end is still there. */
const KEEP_ALIVE_DELAY_MS = 10_000;
/** The pool's limit for connecting does not cover this statement. */
const SESSION_SETUP = { text: SESSION_SETTINGS, query_timeout: CONNECT_TIMEOUT_MS };
const CONFLICT_TRIES = 6;
const CONFLICT_PAUSE_MS = 100;
/** PostgreSQL 15, the oldest version that has what the merges are written in. */
const MINIMUM_VERSION = 150_000;

/** Parsers by type: dates stay `YYYY-MM-DD`, moments become ISO 8601 in UTC, counts become numbers. */
const PARSERS: Readonly<Record<number, (text: string) => unknown>> = {
  [pg.types.builtins.DATE]: (text) => text,
  [pg.types.builtins.TIMESTAMPTZ]: (text) => new Date(text).toISOString(),
  [pg.types.builtins.INT8]: Number,
};

/** Opens a pool; nothing is connected before the first statement. */
export function openDatabase(options: DatabaseOptions): Database {
  const { url, applicationName, poolSize, watchIntervalMs = WATCH_INTERVAL_MS } = options;
  const connection = toClientConfig(url);
  const pool = new pg.Pool({
    ...connection,
    application_name: applicationName,
    max: poolSize,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    keepAlive: true,
    keepAliveInitialDelayMillis: KEEP_ALIVE_DELAY_MS,
    // eslint-disable-next-line @typescript-eslint/no-misused-promises -- the pool awaits it, which its typings omit
    onConnect: async (client) => client.query(SESSION_SETUP),
    types: {
      getTypeParser: (oid: number, format?: 'text' | 'binary') => PARSERS[oid] ?? getDefaultParser(oid, format),
    },
  });
  // The next statement replaces a connection that breaks while idle.
  pool.on('error', () => undefined);
  // One that breaks between two statements of a transaction would end the process; the next statement reports it.
  pool.on('connect', (client) => client.on('error', () => undefined));
  const server = toServerAddress(url);
  const connections: Connections = { pool, server, connection, intervalMs: watchIntervalMs };
  return {
    ...createQueries(async (sql, values) => retryConflicts(async () => queryOnce(connections, sql, values)), server),
    transaction: async (work) => retryConflicts(async () => runInTransaction(connections, work)),
    copyIn: async (sql, text) => copyIn(connections, sql, text),
    url,
    close: async () => pool.end(),
  };
}

/** Returns the connection for the driver, whose own parser of URLs throws, and guesses, where ours refuses. */
function toClientConfig(url: string): pg.ClientConfig {
  const parsed = parsePostgresUrl(url);
  if ('fault' in parsed) throw new StoreError(null, `DATABASE_URL ${parsed.fault}.`);
  const { host, user, password, database, options, ssl, ...rest }: PostgresTarget = parsed.target;
  return {
    port: rest.port,
    enableChannelBinding: rest.bindsChannel,
    ...(rest.isDirectTls ? { sslnegotiation: 'direct' } : {}),
    ...(host === null ? {} : { host }),
    ...(user === null ? {} : { user }),
    ...(password === null ? {} : { password }),
    ...(database === null ? {} : { database }),
    ...(options === null ? {} : { options }),
    ...(ssl === null ? {} : { ssl }),
  };
}

/** A pool, and how its statements are watched. */
interface Connections extends WatchOptions {
  readonly pool: pg.Pool;
}

/** Returns the driver's parser. The pool only asks for the format `text`. */
function getDefaultParser(oid: number, format: 'text' | 'binary' = 'text'): (value: string) => unknown {
  // The driver's typings only know its built-in ids.
  // eslint-disable-next-line @typescript-eslint/no-unsafe-type-assertion, @typescript-eslint/no-unsafe-enum-assignment
  return pg.types.getTypeParser(oid, format) as (value: string) => unknown;
}

type QuerySender = (sql: string, values: unknown[]) => Promise<pg.QueryResult>;

function createQueries(send: QuerySender, server: string): Queries {
  const query: QuerySender = async (sql, values) => {
    try {
      return await send(sql, values);
    } catch (error) {
      if (error instanceof Error) Object.assign(error, { statement: nameStatement(sql) });
      throw translateError(error, server);
    }
  };
  return {
    query: async <T extends QueryResultRow>(sql: string, values: readonly unknown[] = []) =>
      (await query(sql, [...values])).rows as readonly T[],
    run: async (sql, values = []) => (await query(sql, [...values])).rowCount ?? 0,
  };
}

/** Repeats what a deadlock or a conflict between transactions ended: nothing of it was done. */
async function retryConflicts<T>(step: () => Promise<T>): Promise<T> {
  for (let tries = 1; ; tries++) {
    try {
      return await step();
    } catch (error) {
      if (!isConflict(error) || tries >= CONFLICT_TRIES) throw error;
      // Two that met once would meet again.
      await sleep(Math.random() * CONFLICT_PAUSE_MS * tries);
    }
  }
}

async function queryOnce(connections: Connections, sql: string, values: unknown[]): Promise<pg.QueryResult> {
  const client = await connect(connections);
  let broken: unknown;
  try {
    return await watchStatement(client, connections, async () => client.query(sql, values));
  } catch (error) {
    broken = error;
    throw error;
  } finally {
    client.release(broken !== undefined);
  }
}

async function runInTransaction<T>(
  connections: Connections,
  work: (transaction: Transaction) => Promise<T>,
): Promise<T> {
  const { server } = connections;
  const client = await connect(connections);
  const queries = createQueries(
    async (sql, values) => watchStatement(client, connections, async () => client.query(sql, values)),
    server,
  );
  let broken: Error | undefined;
  try {
    await queries.run('begin');
    const result = await work(queries);
    await queries.run('commit');
    return result;
  } catch (error) {
    try {
      await queries.run('rollback');
    } catch (rollbackError) {
      // The connection is unusable: the pool has to drop it, and the server rolls back by itself.
      broken = rollbackError instanceof Error ? rollbackError : new Error('The rollback failed.');
    }
    throw translateError(error, server);
  } finally {
    client.release(broken);
  }
}

async function copyIn(connections: Connections, sql: string, text: string): Promise<void> {
  const { server } = connections;
  const client = await connect(connections);
  let broken: Error | undefined;
  try {
    await watchStatement(client, connections, async () => {
      const copy = client.query(from(sql));
      const written = once(copy, 'finish');
      // Written in one piece: row by row, half of a worker's time went into the socket.
      copy.end(text);
      await written;
    });
  } catch (error) {
    // Nobody knows where in the protocol it stopped, so the pool drops the connection.
    broken = error instanceof Error ? error : new Error('The copy failed.');
    Object.assign(broken, { statement: nameStatement(sql) });
    throw translateError(error, server);
  } finally {
    client.release(broken);
  }
}

async function connect({ pool, server }: Connections): Promise<PoolClient> {
  try {
    return await pool.connect();
  } catch (error) {
    throw translateError(error, server);
  }
}

/**
 * Waits for the server, for a limited time.
 *
 * @throws StoreError that says what was tried, when nobody answers within `timeoutMs` or the server is too old.
 */
export async function requireDatabase(database: Database, timeoutMs: number): Promise<void> {
  const startedAt = Date.now();
  for (let tries = 1; ; tries++) {
    try {
      await requireUsable(database);
      return;
    } catch (error) {
      const waitedMs = Date.now() - startedAt;
      const isTemporary = error instanceof StoreError && error.type === 'StoreUnavailable';
      if (!isTemporary) throw error;
      if (waitedMs >= timeoutMs) throw createUnreachableError(error, tries, waitedMs);
      await new Promise((resolve) => setTimeout(resolve, Math.min(1_000, Math.max(50, timeoutMs - waitedMs))));
    }
  }
}

interface ServerState {
  readonly version: number;
  readonly encoding: string;
  readonly isStandby: boolean;
  readonly isReadOnly: boolean;
}

/** @throws StoreError that says what is wrong with a database that was set up otherwise than we need it. */
async function requireUsable(database: Database): Promise<void> {
  const [state] = await database.query<ServerState>(
    `select
       current_setting('server_version_num')::int as version,
       current_setting('server_encoding') as encoding,
       pg_is_in_recovery() as "isStandby",
       current_setting('transaction_read_only')::boolean as "isReadOnly"`,
  );
  const server = `PostgreSQL at ${toServerAddress(database.url)}`;
  if ((state?.version ?? 0) < MINIMUM_VERSION) {
    throw new StoreError(
      null,
      `${server} is too old: personio-sync needs version 15 or newer. Upgrade it, or change DATABASE_URL.`,
    );
  }
  if (state?.encoding !== 'UTF8') {
    throw new StoreError(
      null,
      `The database in DATABASE_URL has the encoding ${state?.encoding ?? ''}, which cannot hold every name. ` +
        "Create one with `create database … encoding 'UTF8' template template0`, and change DATABASE_URL.",
    );
  }
  // Both may pass, when a standby is promoted or maintenance ends.
  if (state.isStandby) {
    throw new StoreError(
      'StoreUnavailable',
      `${server} is a standby, which is read-only. Change DATABASE_URL to the primary server.`,
    );
  }
  if (state.isReadOnly) {
    throw new StoreError(
      'StoreUnavailable',
      `${server} is read-only for this user (default_transaction_read_only is on). ` +
        'Switch it off for the role or the database, then try again.',
    );
  }
}

function createUnreachableError({ message }: StoreError, tries: number, waitedMs: number): StoreError {
  const times = tries === 1 ? 'once' : `${tries} times`;
  return new StoreError('StoreUnavailable', `${message} Tried ${times} in ${Math.round(waitedMs / 1_000)} s.`);
}
