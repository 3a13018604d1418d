import { PersonioApi } from './api.js';
import type { RateLimiter, TokenCache } from './api.js';
import { exchangeToken } from './auth.js';
import type { Credentials, ExchangedToken } from './auth.js';
import { createHttp } from './http.js';
import type { HttpTimeouts } from './http.js';
import { exchangeTokenV2 } from './v2/auth.js';

/** Where a company's Personio is, and what opens it. */
export interface UnsharedConnection extends Credentials {
  readonly baseUrl: string;
  readonly timeouts?: HttpTimeouts;
}

/** An API for a handful of requests from one process: its token lives in memory, and no limits are shared with anybody. */
export function createUnsharedApi({ baseUrl, timeouts: deadlines, ...credentials }: UnsharedConnection): PersonioApi {
  const http = createHttp(baseUrl, 'personio-sync', deadlines);
  return new PersonioApi({
    origin: baseUrl,
    http,
    rateLimiter: UNLIMITED,
    auth: {
      v1: { tokens: createMemoryTokenCache(), exchange: async () => exchangeToken(http, credentials) },
      v2: { tokens: createMemoryTokenCache(), exchange: async () => exchangeTokenV2(http, credentials) },
    },
  });
}

const UNLIMITED: RateLimiter = { acquire: async () => Promise.resolve(), backOff: async () => Promise.resolve() };

/** Whoever asks while an exchange is under way waits for that one. */
function createMemoryTokenCache(): TokenCache {
  let kept: Promise<string> | null = null;
  const exchangeInto = async (exchange: () => Promise<ExchangedToken>): Promise<string> => {
    const mine = exchange().then(({ token }) => token);
    kept = mine;
    try {
      return await mine;
    } catch (error) {
      if (kept === mine) kept = null;
      throw error;
    }
  };
  return {
    getToken: async (exchange) => kept ?? exchangeInto(exchange),
    refresh: async (refused, exchange) => {
      const before = kept;
      const token = await before;
      // Somebody else may have begun to exchange while this one waited.
      if (kept !== before && kept !== null) return kept;
      return token === null || token === refused ? exchangeInto(exchange) : token;
    },
  };
}
