import { SealBroken, derivedKeyRing } from '../src/crypto/sealing.js';
import type { KeyRing } from '../src/crypto/sealing.js';
import type { Logger } from '../src/observability/logger.js';
import { PersonioApi } from '../src/personio/api.js';
import type { TokenKeeper } from '../src/personio/api.js';
import { exchangeToken } from '../src/personio/auth.js';
import { PersonioError } from '../src/personio/errors.js';
import { createHttp } from '../src/personio/http.js';
import type { Http } from '../src/personio/http.js';
import { findConnection } from '../src/store/connections.js';
import { createGovernor } from '../src/store/governor.js';
import type { RequestLimits } from '../src/store/governor.js';
import { createTokenKeeper } from '../src/store/tokens.js';
import type { Database } from '../src/store/database.js';

/** Where a connection is, and its secret. */
export interface ConnectionCredentials {
  readonly connectionId: string;
  readonly baseUrl: string;
  readonly clientId: string;
  readonly clientSecret: string;
}

export interface PersonioAccessOptions {
  readonly database: Database;
  readonly limits: RequestLimits;
  readonly logger: Logger;
  /** Opens stored secrets and seals tokens; empty: tokens are sealed under a key that is derived from the connection's own secret. */
  readonly ring: KeyRing;
  /** Those of the environment. The stored ones are looked up at each use, so that a change needs no restart. */
  readonly connections: readonly ConnectionCredentials[];
}

/** @returns a client of one connection, whose count of requests begins at 0. @throws PersonioError for a connection that nobody knows. */
export type PersonioAccess = (connectionId: string) => Promise<PersonioApi>;

const USER_AGENT = 'personio-sync';

export function createPersonioAccess(options: PersonioAccessOptions): PersonioAccess {
  const https = new Map<string, Http>();
  return async (connectionId) => {
    const credentials = new CurrentCredentials(options, await lookUp(options, connectionId));
    const { baseUrl } = credentials.current;
    const http = https.get(baseUrl) ?? createHttp(baseUrl, USER_AGENT);
    https.set(baseUrl, http);
    return new PersonioApi({
      ...{ http, tokens: credentials.tokens },
      governor: createGovernor(options.database, connectionId, options.limits),
      exchange: async () => exchangeToken(http, credentials.current),
      onNotice: (route, headers) =>
        options.logger.warn({ route, headers, connectionId }, 'Personio announces the end of an endpoint'),
    });
  };
}

/**
 * The credentials that an activity works with. When Personio refuses a token they are looked up again, since the secret may have been
 * rotated since the activity began.
 */
class CurrentCredentials {
  readonly tokens: TokenKeeper;
  private found: ConnectionCredentials;

  constructor(options: PersonioAccessOptions, found: ConnectionCredentials) {
    this.found = found;
    let keeper = keeperOf(options, found);
    this.tokens = {
      current: async (exchange) => keeper.current(exchange),
      renewed: async (refused, exchange) => {
        this.found = await lookUp(options, found.connectionId);
        keeper = keeperOf(options, this.found);
        return keeper.renewed(refused, exchange);
      },
    };
  }

  get current(): ConnectionCredentials {
    return this.found;
  }
}

function keeperOf({ database, ring }: PersonioAccessOptions, credentials: ConnectionCredentials): TokenKeeper {
  const { connectionId, baseUrl, clientId, clientSecret } = credentials;
  return createTokenKeeper(database, {
    connectionId,
    ring: ring.length > 0 ? ring : derivedKeyRing(clientSecret, 'token'),
    credential: `${baseUrl} ${clientId} ${clientSecret}`,
  });
}

async function lookUp(options: PersonioAccessOptions, connectionId: string): Promise<ConnectionCredentials> {
  const own = options.connections.find((known) => known.connectionId === connectionId);
  const found = own ?? (await findStored(options, connectionId));
  if (found === null) throw unknownConnection(connectionId);
  return found;
}

async function findStored(
  { database, ring }: PersonioAccessOptions,
  connectionId: string,
): Promise<ConnectionCredentials | null> {
  try {
    return await findConnection(database, ring, connectionId);
  } catch (error) {
    if (!(error instanceof SealBroken)) throw error;
    throw new PersonioError(
      'PersonioCredentialsRejected',
      `The stored secret of the connection ${connectionId} cannot be used by this worker. ${error.message} Correct PERSONIO_SYNC_KEYS where it runs, and restart it.`,
    );
  }
}

function unknownConnection(connectionId: string): PersonioError {
  return new PersonioError(
    'PersonioCredentialsRejected',
    `This worker has no credentials for the connection ${connectionId}: store it with \`personio-sync connections add ${connectionId}\`, ` +
      `or set PERSONIO_CLIENT_ID and PERSONIO_CLIENT_SECRET (and PERSONIO_CONNECTION=${connectionId}) where it runs.`,
  );
}
