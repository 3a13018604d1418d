import { SealBroken, derivedKeyRing } from '../src/crypto/sealing.js';
import type { KeyRing } from '../src/crypto/sealing.js';
import type { Logger } from '../src/observability/logger.js';
import { PersonioApi } from '../src/personio/api.js';
import type { ApiDoor, ApiVersion, PersonioApiOptions } from '../src/personio/api.js';
import { exchangeToken } from '../src/personio/auth.js';
import { PersonioError } from '../src/personio/errors.js';
import { createHttp } from '../src/personio/http.js';
import type { Deadlines } from '../src/personio/http.js';
import { exchangeTokenV2 } from '../src/personio/v2/auth.js';
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
  /** Default: Personio's. */
  readonly deadlines?: Deadlines;
}

/** @returns a client of one connection, whose count of requests begins at 0. @throws PersonioError for a connection that nobody knows. */
export type PersonioAccess = (connectionId: string) => Promise<PersonioApi>;

const USER_AGENT = 'personio-sync';

export function createPersonioAccess(options: PersonioAccessOptions): PersonioAccess {
  // Sockets, and the token that this process knows, are shared by all activities of a connection.
  const shared = new Map<string, SharedApi>();
  const currentApi = async (connectionId: string): Promise<SharedApi> => {
    const credentials = await lookUp(options, connectionId);
    const credential = credentialOf(credentials);
    const known = shared.get(connectionId);
    if (known?.credential === credential) return known;
    const fresh = { credential, api: apiOptions(options, credentials) };
    shared.set(connectionId, fresh);
    return fresh;
  };
  return async (connectionId) => {
    let used = await currentApi(connectionId);
    // When Personio refuses a token, the secret may have been rotated since the activity began.
    const doorOf = (version: ApiVersion): ApiDoor => ({
      exchange: async () => used.api.doors[version].exchange(),
      tokens: {
        current: async (exchange) => used.api.doors[version].tokens.current(exchange),
        renewed: async (refused, exchange) => {
          used = await currentApi(connectionId);
          return used.api.doors[version].tokens.renewed(refused, exchange);
        },
      },
    });
    return new PersonioApi({ ...used.api, doors: { v1: doorOf('v1'), v2: doorOf('v2') } });
  };
}

interface SharedApi {
  /** Another one, and everything that was shared is worthless. */
  readonly credential: string;
  readonly api: PersonioApiOptions;
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
