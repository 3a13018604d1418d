import { derivedKeyRing } from '../src/crypto/sealing.js';
import type { KeyRing } from '../src/crypto/sealing.js';
import type { Logger } from '../src/observability/logger.js';
import { PersonioApi } from '../src/personio/api.js';
import { exchangeToken } from '../src/personio/auth.js';
import { PersonioError } from '../src/personio/errors.js';
import { createHttp } from '../src/personio/http.js';
import type { Http } from '../src/personio/http.js';
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
  /** Seals tokens; empty: under a key that is derived from the connection's own secret. */
  readonly ring: KeyRing;
  readonly connections: readonly ConnectionCredentials[];
}

/** @returns a client of one connection, whose count of requests begins at 0. @throws PersonioError for a connection that nobody knows. */
export type PersonioAccess = (connectionId: string) => PersonioApi;

const USER_AGENT = 'personio-sync';

export function createPersonioAccess(options: PersonioAccessOptions): PersonioAccess {
  const https = new Map<string, Http>();
  return (connectionId) => {
    const connection = options.connections.find((known) => known.connectionId === connectionId);
    if (connection === undefined) throw unknownConnection(connectionId);
    const { baseUrl, clientId, clientSecret } = connection;
    const http = https.get(baseUrl) ?? createHttp(baseUrl, USER_AGENT);
    https.set(baseUrl, http);
    return new PersonioApi({
      http,
      tokens: createTokenKeeper(options.database, {
        connectionId,
        ring: options.ring.length > 0 ? options.ring : derivedKeyRing(clientSecret, 'token'),
        credential: `${baseUrl} ${clientId} ${clientSecret}`,
      }),
      governor: createGovernor(options.database, connectionId, options.limits),
      exchange: async () => exchangeToken(http, { clientId, clientSecret }),
      onNotice: (route, headers) =>
        options.logger.warn({ route, headers, connectionId }, 'Personio announces the end of an endpoint'),
    });
  };
}

function unknownConnection(connectionId: string): PersonioError {
  return new PersonioError(
    'PersonioCredentialsRejected',
    `This worker has no credentials for the connection ${connectionId}: set PERSONIO_CLIENT_ID and PERSONIO_CLIENT_SECRET (and PERSONIO_CONNECTION=${connectionId}) where it runs.`,
  );
}
