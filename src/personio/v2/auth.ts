import { z } from 'zod';
import type { Credentials, ExchangedToken } from '../api.js';
import { PersonioError, toStatusError, createMalformedError, createNotJsonError, isWebPage } from '../errors.js';
import type { Route } from '../errors.js';
import type { Http } from '../http.js';
import { parseContent } from '../json.js';

const ROUTE: Route = { method: 'POST', template: '/v2/auth/token' };
/** Personio's specification: one day when `expires_in` is left out. */
const DEFAULT_LIFE_SECONDS = 86_400;
/**
 * After 150 exchanges in a minute Personio allows one a second for a minute
 * (developer.personio.de/v2.0/reference/authentication).
 */
const COOL_DOWN_MS = 60_000;

const tokenSchema = z.looseObject({
  access_token: z.string().min(1),
  expires_in: z.coerce.number().positive().nullish(),
});

/**
 * Exchanges the credentials for a v2 token. v2 accepts a form only. Without a `scope` the token carries all scopes of
 * the credential.
 *
 * @throws PersonioError `PersonioCredentialsRejected` for 400 (`invalid_client`, `unauthorized_client`) and for 401,
 * 403 and 422, which occur too; `PersonioEndpointRetired` when there is no v2.
 */
export async function exchangeTokenV2(http: Http, { clientId, clientSecret }: Credentials): Promise<ExchangedToken> {
  const form = { grant_type: 'client_credentials', client_id: clientId, client_secret: clientSecret };
  const response = await http({ route: ROUTE, path: ROUTE.template, form });
  // Personio refuses in JSON. A page comes from a proxy, or from another server.
  if (response.status < 500 && response.status !== 429 && isWebPage(response.text))
    throw createNotJsonError(ROUTE, response.text);
  if ([400, 401, 403, 422].includes(response.status)) throw createRejectedError(response.status);
  if (response.status === 429) throw toStatusError(ROUTE, 429, response.retryAfterMs ?? COOL_DOWN_MS);
  const parsed = tokenSchema.safeParse(parseContent(ROUTE, response));
  if (!parsed.success) throw createMalformedError(ROUTE, 'access_token is missing');
  return { token: parsed.data.access_token, expiresInSeconds: parsed.data.expires_in ?? DEFAULT_LIFE_SECONDS };
}

function createRejectedError(status: number): PersonioError {
  return new PersonioError(
    'PersonioCredentialsRejected',
    `Personio's v2 API does not accept the client id and secret (POST /v2/auth/token answered ${status}). ` +
      'In Personio, under Settings > Integrations > API credentials, create a credential with scopes of v2 ' +
      '(such as personio:attendances:read), and set PERSONIO_CLIENT_ID and PERSONIO_CLIENT_SECRET to it.',
    { status },
  );
}
