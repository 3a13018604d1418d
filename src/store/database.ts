import { once } from 'node:events';
import pg from 'pg';
import { from } from 'pg-copy-streams';
import type { PoolClient, QueryResultRow } from 'pg';
import { StoreError, translateError } from './errors.js';

export interface DatabaseOptions {
  readonly url: string;
  /** As `pg_stat_activity` shows it. */
  readonly applicationName: string;
  readonly poolSize: number;
}

/** Runs statements, inside a transaction or out of it. */
export interface Queries {
  /** @returns the rows; the caller names their shape, since it wrote the statement. */
  readonly query: <T extends QueryResultRow>(sql: string, values?: readonly unknown[]) => Promise<readonly T[]>;
  /** @returns how many rows the statement touched. */
  readonly run: (sql: string, values?: readonly unknown[]) => Promise<number>;
}

/** Statements of one transaction. */
export type Transaction = Queries;

export interface Database extends Queries {
  /** Commits when `work` resolves, rolls back when it throws. */
  readonly transaction: <T>(work: (transaction: Transaction) => Promise<T>) => Promise<T>;
  /** Writes rows, in the text format of COPY, by a `COPY … FROM STDIN`: all of them or none. */
  readonly copyIn: (sql: string, text: string) => Promise<void>;
  readonly url: string;
  readonly close: () => Promise<void>;
}

const CONNECT_TIMEOUT_MS = 10_000;
/** Beyond that the oldest supported version lacks what the merges are written in. */
const MINIMUM_VERSION = 150_000;

/** Dates stay `YYYY-MM-DD`, moments become ISO 8601 in UTC, counts become numbers. */
const PARSERS: Readonly<Record<number, (text: string) => unknown>> = {
  [pg.types.builtins.DATE]: (text) => text,
  [pg.types.builtins.TIMESTAMPTZ]: (text) => new Date(text).toISOString(),
  [pg.types.builtins.INT8]: Number,
};

/** Opens a pool; nothing is connected before the first statement. */
export function openDatabase({ url, applicationName, poolSize }: DatabaseOptions): Database {
  const pool = new pg.Pool({
    connectionString: url,
    application_name: applicationName,
    max: poolSize,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    types: {
      getTypeParser: (oid: number, format?: 'text' | 'binary') => PARSERS[oid] ?? getDefaultParser(oid, format),
    },
  });
  // A connection that breaks while idle is replaced by the next statement.
  pool.on('error', () => undefined);
  // One that breaks between two statements of a transaction would end the process; the next statement says so.
  pool.on('connect', (client) => client.on('error', () => undefined));
  return {
    ...createQueries(async (sql, values) => pool.query(sql, values)),
    transaction: async (work) => runInTransaction(pool, work),
    copyIn: async (sql, text) => copyIn(pool, sql, text),
    url,
    close: async () => pool.end(),
  };
}

/** `text` is the only format that the pool asks for. */
function getDefaultParser(oid: number, format: 'text' | 'binary' = 'text'): (value: string) => unknown {
  // eslint-disable-next-line @typescript-eslint/no-unsafe-type-assertion, @typescript-eslint/no-unsafe-enum-assignment -- the driver's typings know its built-in ids only
  return pg.types.getTypeParser(oid, format) as (value: string) => unknown;
}

type QuerySender = (sql: string, values: unknown[]) => Promise<pg.QueryResult>;

function createQueries(send: QuerySender): Queries {
  const query: QuerySender = async (sql, values) => {
    try {
      return await send(sql, values);
    } catch (error) {
      throw translateError(error);
    }
  };
  return {
    query: async <T extends QueryResultRow>(sql: string, values: readonly unknown[] = []) =>
      (await query(sql, [...values])).rows as readonly T[],
    run: async (sql, values = []) => (await query(sql, [...values])).rowCount ?? 0,
  };
}

async function runInTransaction<T>(pool: pg.Pool, work: (transaction: Transaction) => Promise<T>): Promise<T> {
  const client = await connect(pool);
  const queries = createQueries(async (sql, values) => client.query(sql, values));
  let broken: Error | undefined;
  try {
    await queries.run('begin');
    const result = await work(queries);
    await queries.run('commit');
    return result;
  } catch (error) {
    try {
      await client.query('rollback');
    } catch (rollbackError) {
      // The connection is of no use any more: the pool has to drop it, and the server rolls back by itself.
      broken = rollbackError instanceof Error ? rollbackError : new Error('The rollback failed.');
    }
    throw translateError(error);
  } finally {
    client.release(broken);
  }
}

async function copyIn(pool: pg.Pool, sql: string, text: string): Promise<void> {
  const client = await connect(pool);
  let broken: Error | undefined;
  try {
    const copy = client.query(from(sql));
    const written = once(copy, 'finish');
    // In one piece: written row by row, half of a worker's time went into the socket.
    copy.end(text);
    await written;
  } catch (error) {
    // Where in the protocol it stopped is not known, so the pool drops the connection.
    broken = error instanceof Error ? error : new Error('The copying failed.');
    throw translateError(error);
  } finally {
    client.release(broken);
  }
}

async function connect(pool: pg.Pool): Promise<PoolClient> {
  try {
    return await pool.connect();
  } catch (error) {
    throw translateError(error);
  }
}

/** @throws StoreError when nobody answers within `timeoutMs`, or the server is too old; the message says what was tried. */
export async function requireDatabase(database: Database, timeoutMs: number): Promise<void> {
  const startedAt = Date.now();
  for (let tries = 1; ; tries++) {
    try {
      const [row] = await database.query<{ version: number }>(
        `select current_setting('server_version_num')::int as version`,
      );
      if ((row?.version ?? 0) < MINIMUM_VERSION) throw createTooOldError();
      return;
    } catch (error) {
      const waitedMs = Date.now() - startedAt;
      const isTemporary = error instanceof StoreError && error.type === 'StoreUnavailable';
      if (!isTemporary) throw error;
      if (waitedMs >= timeoutMs) throw createUnreachableError(database.url, tries, waitedMs, error);
      await new Promise((resolve) => setTimeout(resolve, Math.min(1_000, Math.max(50, timeoutMs - waitedMs))));
    }
  }
}

function createTooOldError(): StoreError {
  return new StoreError(
    null,
    'The PostgreSQL of DATABASE_URL is older than 15, which personio-sync needs. Upgrade it, or name another one.',
  );
}

function createUnreachableError(url: string, tries: number, waitedMs: number, { message }: StoreError): StoreError {
  const { hostname, port } = new URL(url);
  return new StoreError(
    'StoreUnavailable',
    `No PostgreSQL answered at ${hostname}:${port === '' ? '5432' : port}: tried ${tries} times in ${Math.round(waitedMs / 1_000)} s. ${message} ` +
      'Start it, or correct DATABASE_URL.',
  );
}
