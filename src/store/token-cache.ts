import { computeFingerprint, seal, unseal } from '../crypto/sealing.js';
import type { KeyRing } from '../crypto/sealing.js';
import type { ApiVersion, TokenCache } from '../personio/api.js';
import type { ExchangedToken } from '../personio/auth.js';
import type { Database, Queries } from './database.js';

/** Renewed that long before its end, so that no request travels with a token that dies on the way. */
const REFRESH_BEFORE_SECONDS = 120;

/** Where a token of each API stands, and what it is sealed for. */
const PLACE = {
  v1: { purpose: 'token', token: 'sealed_token', expiresAt: 'token_expires_at', fingerprint: 'token_fingerprint' },
  v2: {
    purpose: 'token-v2',
    token: 'sealed_token_v2',
    expiresAt: 'token_v2_expires_at',
    fingerprint: 'token_v2_fingerprint',
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
  /** Seals the token where it is stored. */
  readonly ring: KeyRing;
  /** Base URL, client id and secret together: another credential makes the stored token worthless. */
  readonly credential: string;
}

/**
 * Keeps a connection's token in the database, sealed: exchanged once, by whoever comes first, while the others wait for the row. One keeper a
 * process: whoever asks while it waits shares the answer, so that waiting holds one connection of the pool.
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

/** Takes what is stored, and exchanges under the lock of the row only where that is of no use. */
async function refresh(
  database: Database,
  options: StoredTokenOptions,
  refused: string | null,
  exchange: () => Promise<ExchangedToken>,
): Promise<string> {
  const stored = await readToken(database, options, false);
  if (stored !== null && stored !== refused) return stored;
  return database.transaction(async (transaction) => {
    const { connectionId, ring, fingerprint, version } = options;
    const place = PLACE[version];
    await transaction.run('insert into personio.connection_state (connection_id) values ($1) on conflict do nothing', [
      connectionId,
    ]);
    const found = await readToken(transaction, options, true);
    if (found !== null && found !== refused) return found;
    const { token, expiresInSeconds } = await exchange();
    const sealed = await seal(ring, token, { connectionId, purpose: place.purpose });
    await transaction.run(
      `update personio.connection_state
       set ${place.token} = $2, ${place.fingerprint} = $3, ${place.expiresAt} = clock_timestamp() + $4 * interval '1 second'
       where connection_id = $1`,
      [connectionId, sealed, fingerprint, expiresInSeconds],
    );
    return token;
  });
}

async function readToken(
  queries: Queries,
  { connectionId, ring, fingerprint, version }: StoredTokenOptions,
  shouldLock: boolean,
): Promise<string | null> {
  const place = PLACE[version];
  const [row] = await queries.query<TokenRow>(
    `select ${place.token} as sealed_token, ${place.fingerprint} as token_fingerprint,
       ${place.expiresAt} > clock_timestamp() + interval '${REFRESH_BEFORE_SECONDS} seconds' as is_fresh
     from personio.connection_state where connection_id = $1${shouldLock ? ' for update' : ''}`,
    [connectionId],
  );
  if (row === undefined || row.sealed_token === null || row.token_fingerprint !== fingerprint || row.is_fresh !== true)
    return null;
  try {
    return await unseal(ring, row.sealed_token, { connectionId, purpose: place.purpose });
  } catch {
    // Sealed under a key that is gone: a token costs one request, so it is exchanged anew.
    return null;
  }
}
