import { z } from 'zod';
import { PersonioError, toStatusError, createMalformedError } from './errors.js';
import type { Route } from './errors.js';
import { parseContent } from './json.js';
import type { Http } from './http.js';

export interface Credentials {
  readonly clientId: string;
  readonly clientSecret: string;
}

export interface ExchangedToken {
  readonly token: string;
  /** What is left of its life. Personio gives the same token again within its 24 hours, so this may be little. */
  readonly expiresInSeconds: number;
}

const ROUTE: Route = { method: 'POST', template: '/v1/auth' };
/** Older answers name no life; Personio documents 24 hours. */
const DEFAULT_LIFE_SECONDS = 86_400;

const tokenSchema = z.object({
  data: z.object({
    token: z.string().min(1),
    expires_in: z.coerce.number().positive().nullish(),
  }),
});

/**
 * Exchanges the credentials for a token, in a JSON body only: credentials in the query string are refused from 2026-12-04 on
 * (developer.personio.de, changelog "Deprecated: query-string credentials on POST /v1/auth").
 *
 * @throws PersonioError `PersonioCredentialsRejected` for 400, 401, 403 and 422 alike, since Personio specifies none of them.
 */
export async function exchangeToken(http: Http, credentials: Credentials): Promise<ExchangedToken> {
  const { clientId, clientSecret } = credentials;
  const response = await http({
    route: ROUTE,
    path: ROUTE.template,
    json: { client_id: clientId, client_secret: clientSecret },
  });
  if ([400, 401, 403, 422].includes(response.status)) throw createRejectedError(response.status);
  if (response.status === 429) throw toStatusError(ROUTE, 429, response.retryAfterMs ?? COOL_DOWN_MS);
  const parsed = tokenSchema.safeParse(parseContent(ROUTE, response));
  if (!parsed.success) throw createMalformedError(ROUTE, 'it has no data.token');
  const { token, expires_in: life } = parsed.data.data;
  return { token, expiresInSeconds: life ?? DEFAULT_LIFE_SECONDS };
}

/** After 60 exchanges in a minute Personio asks for a pause of 60 s (developer.personio.de/reference/auth). */
const COOL_DOWN_MS = 60_000;

function createRejectedError(status: number): PersonioError {
  return new PersonioError(
    'PersonioCredentialsRejected',
    `Personio does not accept the client id and secret (POST /v1/auth answered ${status}). In Personio, under Settings > Integrations > API credentials, ` +
      'check that the credential exists and is active, generate a new secret if in doubt, and set PERSONIO_CLIENT_ID and PERSONIO_CLIENT_SECRET to it.',
    { status },
  );
}
