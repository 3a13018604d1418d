import { PersonioApi } from './api.js';
import type { Credentials, ExchangedToken, RateLimiter, TokenCache } from './api.js';
import { createHttp } from './http.js';
import type { HttpTimeouts } from './http.js';
import { exchangeToken } from './v1/auth.js';
import { exchangeTokenV2 } from './v2/auth.js';

/** Server and credentials of one Personio account. */
export interface StandaloneConnection extends Credentials {
  readonly baseUrl: string;
  /** Default: those of `createHttp`. */
  readonly timeouts?: HttpTimeouts;
}

/** Creates a client for a few requests of one process: its token stays in memory, and it has no rate limiter. */
export function createStandaloneApi({ baseUrl, timeouts, ...credentials }: StandaloneConnection): PersonioApi {
  const http = createHttp(baseUrl, 'personio-sync', timeouts);
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

/** Creates a cache in which callers share an exchange that is under way. */
function createMemoryTokenCache(): TokenCache {
  let cached: Promise<string> | null = null;
  const exchangeInto = async (exchange: () => Promise<ExchangedToken>): Promise<string> => {
    const pending = exchange().then(({ token }) => token);
    cached = pending;
    try {
      return await pending;
    } catch (error) {
      if (cached === pending) cached = null;
      throw error;
    }
  };
  return {
    getToken: async (exchange) => cached ?? exchangeInto(exchange),
    refresh: async (refused, exchange) => {
      const before = cached;
      const token = await before;
      // Another caller may have begun an exchange during the wait.
      if (cached !== before && cached !== null) return cached;
      return token === null || token === refused ? exchangeInto(exchange) : token;
    },
  };
}
