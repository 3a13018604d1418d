import { SealError, createDigester, seal, findKeyId, unseal } from '../crypto/sealing.js';
import type { KeyRing } from '../crypto/sealing.js';
import type { Database, Queries } from './database.js';

const PURPOSE = 'client-secret';

/** Stored connection without its secret: everything that may be shown. */
export interface StoredConnection {
  readonly connectionId: string;
  readonly baseUrl: string;
  readonly secretSetAt: string;
  readonly lastTestedAt: string | null;
  readonly lastTestOutcome: string | null;
}

/** Stored connection with its secret opened. Never log it. */
export interface StoredCredentials {
  readonly connectionId: string;
  readonly baseUrl: string;
  readonly clientId: string;
  readonly clientSecret: string;
}

const SEALED_COLUMNS = 'connection_id, base_url, client_id, sealed_secret';

interface SealedRow {
  readonly connection_id: string;
  readonly base_url: string;
  readonly client_id: string;
  readonly sealed_secret: string;
}

/** Returns the ids of the stored connections, sorted. */
export async function listConnectionIds(queries: Queries): Promise<readonly string[]> {
  const rows = await queries.query<{ connection_id: string }>(
    'select connection_id from personio.connections order by connection_id',
  );
  return rows.map((row) => row.connection_id);
}

export async function listConnections(queries: Queries): Promise<readonly StoredConnection[]> {
  return queries.query<StoredConnection>(
    `select
       connection_id as "connectionId",
       base_url as "baseUrl",
       secret_set_at as "secretSetAt",
       last_tested_at as "lastTestedAt",
       last_test_outcome as "lastTestOutcome"
     from personio.connections
     order by connection_id`,
  );
}

/** Stores a connection with its secret sealed. Returns false, and changes nothing, where one with this id exists. */
export async function insertConnection(
  queries: Queries,
  ring: KeyRing,
  { connectionId, baseUrl, clientId, clientSecret }: StoredCredentials,
): Promise<boolean> {
  const sealed = await seal(ring, clientSecret, { connectionId, purpose: PURPOSE });
  const inserted = await queries.run(
    `insert into personio.connections (connection_id, base_url, client_id, sealed_secret, secret_set_at)
     values ($1, $2, $3, $4, clock_timestamp())
     on conflict do nothing`,
    [connectionId, baseUrl, clientId, sealed],
  );
  return inserted > 0;
}

/** Returns the connection with its secret opened; null where none with this id is stored. @throws SealError */
export async function findConnection(
  queries: Queries,
  ring: KeyRing,
  connectionId: string,
): Promise<StoredCredentials | null> {
  const [row] = await queries.query<SealedRow>(
    `select ${SEALED_COLUMNS} from personio.connections where connection_id = $1`,
    [connectionId],
  );
  return row === undefined ? null : openCredentials(row, ring);
}

async function openCredentials(row: SealedRow, ring: KeyRing): Promise<StoredCredentials> {
  const { connection_id: connectionId, base_url: baseUrl, client_id: clientId, sealed_secret: sealed } = row;
  return {
    connectionId,
    baseUrl,
    clientId,
    clientSecret: await unseal(ring, sealed, { connectionId, purpose: PURPOSE }),
  };
}

/**
 * Checks that the ring opens every stored secret.
 *
 * @throws SealError that names the first connection whose secret it does not open.
 */
export async function requireOpenable(queries: Queries, ring: KeyRing): Promise<void> {
  const rows = await queries.query<SealedRow>(
    `select ${SEALED_COLUMNS} from personio.connections order by connection_id`,
  );
  for (const row of rows) {
    try {
      await openCredentials(row, ring);
    } catch (error) {
      if (!(error instanceof SealError)) throw error;
      const key = findKeyId(row.sealed_secret) ?? 'that sealed it';
      throw new SealError(
        `The secret of the connection ${row.connection_id} cannot be opened. ${error.message} ` +
          `Add the key ${key} to PERSONIO_SYNC_KEYS again, after the first one, ` +
          'or remove the connection and add it again.',
      );
    }
  }
}

/** Replaces the secret, whose age starts over. Returns false where the connection is gone. */
export async function replaceSecret(
  queries: Queries,
  ring: KeyRing,
  { connectionId, clientId, clientSecret }: StoredCredentials,
): Promise<boolean> {
  const sealed = await seal(ring, clientSecret, { connectionId, purpose: PURPOSE });
  const updated = await queries.run(
    `update personio.connections
     set client_id = $2,
       sealed_secret = $3,
       secret_set_at = clock_timestamp()
     where connection_id = $1`,
    [connectionId, clientId, sealed],
  );
  return updated > 0;
}

/**
 * Records the outcome of a connection's test. The connection of the environment has no row, so nothing is recorded
 * for it.
 */
export async function recordTest(queries: Queries, connectionId: string, outcome: string): Promise<void> {
  await queries.run(
    `update personio.connections
     set last_tested_at = clock_timestamp(),
       last_test_outcome = $2
     where connection_id = $1`,
    [connectionId, outcome],
  );
}

export interface ResealSummary {
  readonly resealed: number;
  readonly unchanged: number;
  /** Number of tokens that no key opens: they are deleted, since a new one costs a single request. */
  readonly forgottenTokens: number;
}

/**
 * Re-seals every stored secret and token with the first key, each in a short transaction, so that workers keep
 * running.
 */
export async function resealAll(database: Database, ring: KeyRing): Promise<ResealSummary> {
  const [secrets, tokens] = [
    { resealed: 0, unchanged: 0 },
    { resealed: 0, unchanged: 0, forgotten: 0 },
  ];
  for (const connectionId of await listConnectionIds(database))
    secrets[await resealSecret(database, ring, connectionId)] += 1;
  const rows = await database.query<{ connection_id: string }>(
    `select connection_id
     from personio.connection_state
     where sealed_token is not null
     order by connection_id`,
  );
  for (const row of rows) tokens[await resealToken(database, ring, row.connection_id)] += 1;
  return {
    resealed: secrets.resealed + tokens.resealed,
    unchanged: secrets.unchanged + tokens.unchanged,
    forgottenTokens: tokens.forgotten,
  };
}

async function resealSecret(
  database: Database,
  ring: KeyRing,
  connectionId: string,
): Promise<'resealed' | 'unchanged'> {
  return database.transaction(async (transaction) => {
    const [row] = await transaction.query<SealedRow>(
      `select ${SEALED_COLUMNS} from personio.connections where connection_id = $1 for update`,
      [connectionId],
    );
    if (row === undefined || findKeyId(row.sealed_secret) === ring[0]?.id) return 'unchanged';
    const { clientSecret } = await openCredentials(row, ring);
    const sealed = await seal(ring, clientSecret, { connectionId, purpose: PURPOSE });
    await transaction.run('update personio.connections set sealed_secret = $2 where connection_id = $1', [
      connectionId,
      sealed,
    ]);
    return 'resealed';
  });
}

async function resealToken(
  database: Database,
  ring: KeyRing,
  connectionId: string,
): Promise<'resealed' | 'unchanged' | 'forgotten'> {
  return database.transaction(async (transaction) => {
    const [row] = await transaction.query<{ sealed_token: string | null }>(
      'select sealed_token from personio.connection_state where connection_id = $1 for update',
      [connectionId],
    );
    const sealed = row?.sealed_token ?? null;
    if (sealed === null || findKeyId(sealed) === ring[0]?.id) return 'unchanged';
    const fresh = await reseal(ring, sealed, connectionId);
    await transaction.run('update personio.connection_state set sealed_token = $2 where connection_id = $1', [
      connectionId,
      fresh,
    ]);
    return fresh === null ? 'forgotten' : 'resealed';
  });
}

async function reseal(ring: KeyRing, sealed: string, connectionId: string): Promise<string | null> {
  const context = { connectionId, purpose: 'token' };
  try {
    return await seal(ring, await unseal(ring, sealed, context), context);
  } catch (error) {
    if (error instanceof SealError) return null;
    throw error;
  }
}

/** Returns the key of this installation's digests. */
export async function readDigestKey(queries: Queries): Promise<Uint8Array> {
  const [row] = await queries.query<{ digest_key: Uint8Array }>('select digest_key from personio.installation');
  if (row === undefined)
    throw new RangeError('The table personio.installation has lost its row. Restore it from a backup.');
  return row.digest_key;
}

/** Returns the id of this installation, which its schedules carry. It says nothing about the key. */
export async function readInstallationId(queries: Queries): Promise<string> {
  return createDigester(await readDigestKey(queries))('installation');
}
