import { fingerprintOf, seal, unseal } from '../crypto/sealing.js';
import type { KeyRing } from '../crypto/sealing.js';
import type { TokenKeeper } from '../personio/api.js';
import type { ExchangedToken } from '../personio/auth.js';
import type { Database, Queries } from './database.js';

/** Renewed that long before its end, so that no request travels with a token that dies on the way. */
const RENEW_BEFORE_SECONDS = 120;
const PURPOSE = 'token';

interface TokenRow {
  readonly sealed_token: string | null;
  readonly token_fingerprint: string | null;
  readonly is_fresh: boolean | null;
}

export interface TokenKeeperOptions {
  readonly connectionId: string;
  /** Seals the token where it is stored. */
  readonly ring: KeyRing;
  /** Base URL, client id and secret together: another credential makes the stored token worthless. */
  readonly credential: string;
}

/** Keeps a connection's token in the database, sealed: exchanged once, by whoever comes first, while the others wait for the row. */
export function createTokenKeeper(database: Database, options: TokenKeeperOptions): TokenKeeper {
  const fingerprint = fingerprintOf(options.credential);
  let cached: { readonly token: string; readonly untilMs: number } | null = null;
  const remember = (token: string): string => {
    cached = { token, untilMs: Date.now() + (RENEW_BEFORE_SECONDS * 1_000) / 2 };
    return token;
  };

  const renew = async (refused: string | null, exchange: () => Promise<ExchangedToken>): Promise<string> =>
    database.transaction(async (transaction) => {
      const { connectionId } = options;
      await transaction.run(
        'insert into personio.connection_state (connection_id) values ($1) on conflict do nothing',
        [connectionId],
      );
      const stored = await readToken(transaction, options, fingerprint, true);
      if (stored !== null && stored !== refused) return stored;
      const { token, expiresInSeconds } = await exchange();
      const sealed = await seal(options.ring, token, { connectionId, purpose: PURPOSE });
      await transaction.run(
        `update personio.connection_state
         set sealed_token = $2, token_fingerprint = $3, token_expires_at = clock_timestamp() + $4 * interval '1 second'
         where connection_id = $1`,
        [connectionId, sealed, fingerprint, expiresInSeconds],
      );
      return token;
    });

  return {
    current: async (exchange) => {
      if (cached !== null && cached.untilMs > Date.now()) return cached.token;
      const stored = await readToken(database, options, fingerprint, false);
      return remember(stored ?? (await renew(null, exchange)));
    },
    renewed: async (refused, exchange) => {
      cached = null;
      return remember(await renew(refused, exchange));
    },
  };
}

async function readToken(
  queries: Queries,
  { connectionId, ring }: TokenKeeperOptions,
  fingerprint: string,
  forUpdate: boolean,
): Promise<string | null> {
  const [row] = await queries.rows<TokenRow>(
    `select sealed_token, token_fingerprint, token_expires_at > clock_timestamp() + interval '${RENEW_BEFORE_SECONDS} seconds' as is_fresh
     from personio.connection_state where connection_id = $1${forUpdate ? ' for update' : ''}`,
    [connectionId],
  );
  if (row === undefined || row.sealed_token === null || row.token_fingerprint !== fingerprint || row.is_fresh !== true)
    return null;
  try {
    return await unseal(ring, row.sealed_token, { connectionId, purpose: PURPOSE });
  } catch {
    // Sealed under a key that is gone: a token costs one request, so it is exchanged anew.
    return null;
  }
}
