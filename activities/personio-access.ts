import { SealError, deriveKeyRing } from '../src/crypto/sealing.js';
import type { KeyRing } from '../src/crypto/sealing.js';
import type { Logger } from '../src/observability/logger.js';
import { PersonioApi } from '../src/personio/api.js';
import type { ApiAuth, ApiVersion, Credentials, PersonioApiOptions } from '../src/personio/api.js';
import { PersonioError } from '../src/personio/errors.js';
import { createHttp } from '../src/personio/http.js';
import type { HttpTimeouts } from '../src/personio/http.js';
import { exchangeToken } from '../src/personio/v1/auth.js';
import { exchangeTokenV2 } from '../src/personio/v2/auth.js';
import { findConnection } from '../src/store/connections.js';
import { createRateLimiter } from '../src/store/rate-limiter.js';
import type { RequestLimits } from '../src/store/rate-limiter.js';
import { createTokenCache } from '../src/store/token-cache.js';
import type { Database } from '../src/store/database.js';

/** Server and credentials of a connection. */
export interface ConnectionCredentials extends Credentials {
  readonly connectionId: string;
  readonly baseUrl: string;
}

export interface PersonioAccessOptions {
  readonly database: Database;
  readonly limits: RequestLimits;
  readonly logger: Logger;
  /** Opens stored secrets and seals tokens. When empty, a key derived from the connection's secret seals tokens. */
  readonly ring: KeyRing;
  /** Connections of the environment. Stored ones are looked up at each use, so that a change needs no restart. */
  readonly connections: readonly ConnectionCredentials[];
  /** Default: those of `createHttp`. */
  readonly timeouts?: HttpTimeouts;
}

/**
 * Returns a client of one connection, whose count of requests begins at 0.
 *
 * @throws PersonioError `PersonioCredentialsRejected` for an unknown connection.
 */
export type PersonioAccess = (connectionId: string) => Promise<PersonioApi>;

const USER_AGENT = 'personio-sync';

export function createPersonioAccess(options: PersonioAccessOptions): PersonioAccess {
  // All activities of a connection share its sockets and the token that this process has cached.
  const shared = new Map<string, SharedApi>();
  const getSharedApi = async (connectionId: string): Promise<SharedApi> => {
    const credentials = await findCredentials(options, connectionId);
    const credential = toCredentialKey(credentials);
    const known = shared.get(connectionId);
    if (known?.credential === credential) return known;
    const fresh = { credential, api: createApiOptions(options, credentials) };
    shared.set(connectionId, fresh);
    return fresh;
  };
  return async (connectionId) => {
    let used = await getSharedApi(connectionId);
    // When Personio refuses a token, the secret may have been rotated since the activity began.
    const createTokenAccess = (version: ApiVersion): ApiAuth => ({
      exchange: async () => used.api.auth[version].exchange(),
      tokens: {
        getToken: async (exchange) => used.api.auth[version].tokens.getToken(exchange),
        refresh: async (refused, exchange) => {
          used = await getSharedApi(connectionId);
          return used.api.auth[version].tokens.refresh(refused, exchange);
        },
      },
    });
    return new PersonioApi({ ...used.api, auth: { v1: createTokenAccess('v1'), v2: createTokenAccess('v2') } });
  };
}

interface SharedApi {
  /** Identifies server and credentials. When they change, the shared client is replaced. */
  readonly credential: string;
  readonly api: PersonioApiOptions;
}

const toCredentialKey = ({ baseUrl, clientId, clientSecret }: ConnectionCredentials): string =>
  `${baseUrl} ${clientId} ${clientSecret}`;

function createApiOptions(options: PersonioAccessOptions, connection: ConnectionCredentials): PersonioApiOptions {
  const { database, limits, logger, timeouts } = options;
  const { connectionId, baseUrl, clientId, clientSecret } = connection;
  const http = createHttp(baseUrl, USER_AGENT, timeouts);
  const ring = options.ring.length > 0 ? options.ring : deriveKeyRing(clientSecret, 'token');
  const createTokenAccess = (version: ApiVersion, exchange: ApiAuth['exchange']): ApiAuth => ({
    tokens: createTokenCache(database, { connectionId, version, ring, credential: toCredentialKey(connection) }),
    exchange,
  });
  return {
    origin: baseUrl,
    http,
    rateLimiter: createRateLimiter(database, connectionId, limits),
    auth: {
      v1: createTokenAccess('v1', async () => exchangeToken(http, { clientId, clientSecret })),
      v2: createTokenAccess('v2', async () => exchangeTokenV2(http, { clientId, clientSecret })),
    },
    onNotice: (route, headers) =>
      logger.warn({ route, headers, connectionId }, 'Personio announces the end of an endpoint'),
  };
}

async function findCredentials(options: PersonioAccessOptions, connectionId: string): Promise<ConnectionCredentials> {
  const own = options.connections.find((known) => known.connectionId === connectionId);
  const found = own ?? (await findStored(options, connectionId));
  if (found === null) throw createUnknownConnectionError(connectionId);
  return found;
}

async function findStored(
  { database, ring }: PersonioAccessOptions,
  connectionId: string,
): Promise<ConnectionCredentials | null> {
  try {
    return await findConnection(database, ring, connectionId);
  } catch (error) {
    if (!(error instanceof SealError)) throw error;
    throw new PersonioError(
      'PersonioCredentialsRejected',
      `This worker cannot open the stored secret of connection ${connectionId}. ${error.message} ` +
        'Correct PERSONIO_SYNC_KEYS in its environment and restart it.',
    );
  }
}

function createUnknownConnectionError(connectionId: string): PersonioError {
  return new PersonioError(
    'PersonioCredentialsRejected',
    `This worker has no credentials for connection ${connectionId}. ` +
      `Store them with \`personio-sync connections add ${connectionId}\`, or set PERSONIO_CLIENT_ID and ` +
      `PERSONIO_CLIENT_SECRET (and PERSONIO_CONNECTION=${connectionId}) in its environment.`,
  );
}
