import { derivedKeyRing } from '../src/crypto/sealing.js';
import type { KeyRing } from '../src/crypto/sealing.js';
import type { Logger } from '../src/observability/logger.js';
import { PersonioApi } from '../src/personio/api.js';
import type { ApiDoor, ApiVersion, PersonioApiOptions } from '../src/personio/api.js';
import { exchangeToken } from '../src/personio/auth.js';
import { PersonioError } from '../src/personio/errors.js';
import { createHttp } from '../src/personio/http.js';
import type { Deadlines } from '../src/personio/http.js';
import { exchangeTokenV2 } from '../src/personio/v2/auth.js';
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
  /** Default: Personio's. */
  readonly deadlines?: Deadlines;
}

/** @returns a client of one connection, whose count of requests begins at 0. @throws PersonioError for a connection that nobody knows. */
export type PersonioAccess = (connectionId: string) => PersonioApi;

const USER_AGENT = 'personio-sync';

export function createPersonioAccess(options: PersonioAccessOptions): PersonioAccess {
  // Sockets, and the token that this process knows, are shared by all activities of a connection.
  const shared = new Map<string, PersonioApiOptions>();
  return (connectionId) => {
    const connection = options.connections.find((known) => known.connectionId === connectionId);
    if (connection === undefined) throw unknownConnection(connectionId);
    const key = credentialOf(connection);
    const api = shared.get(key) ?? apiOptions(options, connection);
    shared.set(key, api);
    return new PersonioApi(api);
  };
}

const credentialOf = ({ baseUrl, clientId, clientSecret }: ConnectionCredentials): string =>
  `${baseUrl} ${clientId} ${clientSecret}`;

function apiOptions(options: PersonioAccessOptions, connection: ConnectionCredentials): PersonioApiOptions {
  const { database, limits, logger, deadlines } = options;
  const { connectionId, baseUrl, clientId, clientSecret } = connection;
  const http = createHttp(baseUrl, USER_AGENT, deadlines);
  const ring = options.ring.length > 0 ? options.ring : derivedKeyRing(clientSecret, 'token');
  const doorOf = (version: ApiVersion, exchange: ApiDoor['exchange']): ApiDoor => ({
    tokens: createTokenKeeper(database, { connectionId, version, ring, credential: credentialOf(connection) }),
    exchange,
  });
  return {
    ...{ origin: baseUrl, http, governor: createGovernor(database, connectionId, limits) },
    doors: {
      v1: doorOf('v1', async () => exchangeToken(http, { clientId, clientSecret })),
      v2: doorOf('v2', async () => exchangeTokenV2(http, { clientId, clientSecret })),
    },
    onNotice: (route, headers) =>
      logger.warn({ route, headers, connectionId }, 'Personio announces the end of an endpoint'),
  };
}

function unknownConnection(connectionId: string): PersonioError {
  return new PersonioError(
    'PersonioCredentialsRejected',
    `This worker has no credentials for the connection ${connectionId}: set PERSONIO_CLIENT_ID and PERSONIO_CLIENT_SECRET (and PERSONIO_CONNECTION=${connectionId}) where it runs.`,
  );
}
