import { setTimeout as sleep } from 'node:timers/promises';
import { computeFingerprint, seal, unseal } from '../crypto/sealing.js';
import type { KeyRing } from '../crypto/sealing.js';
import type { ApiVersion, ExchangedToken, TokenCache } from '../personio/api.js';
import type { Database, Queries } from './database.js';

/** Time before its end at which a token is refreshed, so that none expires while a request is under way. */
const REFRESH_BEFORE_SECONDS = 120;
/** Longer than any exchange. When a worker is killed during one, the others wait no longer than this. */
const LEASE_SECONDS = 60;
const LEASE_POLL_MS = 250;

/** Columns of each API's token, and the purpose it is sealed for. */
const TOKEN_COLUMNS = {
  v1: {
    purpose: 'token',
    token: 'sealed_token',
    expiresAt: 'token_expires_at',
    fingerprint: 'token_fingerprint',
    leaseUntil: 'token_lease_until',
  },
  v2: {
    purpose: 'token-v2',
    token: 'sealed_token_v2',
    expiresAt: 'token_v2_expires_at',
    fingerprint: 'token_v2_fingerprint',
    leaseUntil: 'token_v2_lease_until',
  },
} as const satisfies Record<ApiVersion, Readonly<Record<string, string>>>;

interface TokenRow {
  readonly sealed_token: string | null;
  readonly token_fingerprint: string | null;
  readonly is_fresh: boolean | null;
}

export interface TokenCacheOptions {
  readonly connectionId: string;
  readonly version: ApiVersion;
  /** Keys that the stored token is sealed with. */
  readonly ring: KeyRing;
  /** Base URL, client id and secret together: with another credential, the stored token is worthless. */
  readonly credential: string;
}

/**
 * Caches a connection's token, sealed, in the database. The first caller takes a lease and exchanges the token, while
 * the others look for it now and then: no lock and no transaction is held over the request. Create one cache
 * per process: callers that ask while a refresh is under way share its result.
 */
export function createTokenCache(database: Database, options: TokenCacheOptions): TokenCache {
  const fingerprint = computeFingerprint(options.credential);
  let cached: { readonly token: string; readonly untilMs: number } | null = null;
  let refreshing: { readonly refused: string | null; readonly token: Promise<string> } | null = null;

  const refreshOnce = async (refused: string | null, exchange: () => Promise<ExchangedToken>): Promise<string> => {
    if (refreshing?.refused === refused) return refreshing.token;
    const mine = { refused, token: refresh(database, { ...options, fingerprint }, refused, exchange) };
    refreshing = mine;
    try {
      const token = await mine.token;
      cached = { token, untilMs: Date.now() + (REFRESH_BEFORE_SECONDS * 1_000) / 2 };
      return token;
    } finally {
      if (refreshing === mine) refreshing = null;
    }
  };

  return {
    getToken: async (exchange) => {
      if (cached !== null && cached.untilMs > Date.now()) return cached.token;
      return refreshOnce(null, exchange);
    },
    refresh: async (refused, exchange) => {
      if (cached?.token === refused) cached = null;
      return cached?.token ?? refreshOnce(refused, exchange);
    },
  };
}

type StoredTokenOptions = TokenCacheOptions & { readonly fingerprint: string };

/** Returns the stored token, or exchanges a new one under the lease where the stored one cannot be used. */
async function refresh(
  database: Database,
  options: StoredTokenOptions,
  refused: string | null,
  exchange: () => Promise<ExchangedToken>,
): Promise<string> {
  for (;;) {
    const stored = await readToken(database, options);
    if (stored !== null && stored !== refused) return stored;
    const lease = await takeLease(database, options);
    if (lease !== null) {
      try {
        // Another worker may have exchanged it between the two statements above.
        const found = await readToken(database, options);
        return found !== null && found !== refused ? found : await exchangeAndStore(database, options, exchange);
      } finally {
        await releaseLease(database, options, lease);
      }
    }
    await sleep(LEASE_POLL_MS);
  }
}

async function exchangeAndStore(
  queries: Queries,
  { connectionId, ring, fingerprint, version }: StoredTokenOptions,
  exchange: () => Promise<ExchangedToken>,
): Promise<string> {
  const columns = TOKEN_COLUMNS[version];
  const { token, expiresInSeconds } = await exchange();
  const sealed = await seal(ring, token, { connectionId, purpose: columns.purpose });
  await queries.run(
    `update personio.connection_state
     set ${columns.token} = $2,
       ${columns.fingerprint} = $3,
       ${columns.expiresAt} = clock_timestamp() + $4 * interval '1 second'
     where connection_id = $1`,
    [connectionId, sealed, fingerprint, expiresInSeconds],
  );
  return token;
}

/** Takes the lease to exchange the token. Returns its end; null while another worker has it. */
async function takeLease(queries: Queries, { connectionId, version }: StoredTokenOptions): Promise<string | null> {
  const { leaseUntil } = TOKEN_COLUMNS[version];
  const [lease] = await queries.query<{ until: string }>(
    `insert into personio.connection_state as stored (connection_id, ${leaseUntil})
     values ($1, clock_timestamp() + interval '${LEASE_SECONDS} seconds')
     on conflict (connection_id) do update
     set ${leaseUntil} = excluded.${leaseUntil}
     where stored.${leaseUntil} is null
       or stored.${leaseUntil} < clock_timestamp()
     returning ${leaseUntil}::text as until`,
    [connectionId],
  );
  return lease?.until ?? null;
}

async function releaseLease(
  queries: Queries,
  { connectionId, version }: StoredTokenOptions,
  until: string,
): Promise<void> {
  const { leaseUntil } = TOKEN_COLUMNS[version];
  try {
    await queries.run(
      `update personio.connection_state
       set ${leaseUntil} = null
       where connection_id = $1
         and ${leaseUntil} = $2::timestamptz`,
      [connectionId, until],
    );
  } catch {
    // The database is gone, and the lease ends by itself.
  }
}

async function readToken(
  queries: Queries,
  { connectionId, ring, fingerprint, version }: StoredTokenOptions,
): Promise<string | null> {
  const columns = TOKEN_COLUMNS[version];
  const [row] = await queries.query<TokenRow>(
    `select
       ${columns.token} as sealed_token,
       ${columns.fingerprint} as token_fingerprint,
       ${columns.expiresAt} > clock_timestamp() + interval '${REFRESH_BEFORE_SECONDS} seconds' as is_fresh
     from personio.connection_state
     where connection_id = $1`,
    [connectionId],
  );
  if (row === undefined || row.sealed_token === null || row.token_fingerprint !== fingerprint || row.is_fresh !== true)
    return null;
  try {
    return await unseal(ring, row.sealed_token, { connectionId, purpose: columns.purpose });
  } catch {
    // Sealed with a key that is gone. A new token costs one request.
    return null;
  }
}
