import { z } from 'zod';
import type { Credentials, ExchangedToken } from '../api.js';
import { PersonioError, toStatusError, createMalformedError, createNotJsonError, isWebPage } from '../errors.js';
import type { Route } from '../errors.js';
import type { Http } from '../http.js';
import { parseContent } from '../json.js';

const ROUTE: Route = { method: 'POST', template: '/v1/auth' };
/** Older responses have no `expires_in`; Personio documents 24 hours. */
const DEFAULT_LIFE_SECONDS = 86_400;
/** After 60 exchanges in a minute Personio asks for a pause of 60 s (developer.personio.de/reference/auth). */
const COOL_DOWN_MS = 60_000;

const tokenSchema = z.object({
  data: z.object({
    token: z.string().min(1),
    expires_in: z.coerce.number().positive().nullish(),
  }),
});

/**
 * Exchanges the credentials for a v1 token. They travel in a JSON body only: Personio refuses credentials in the query
 * string from 2026-12-04 (developer.personio.de, changelog "Deprecated: query-string credentials on POST /v1/auth").
 *
 * @throws PersonioError `PersonioCredentialsRejected` for 400, 401, 403 and 422 alike, since Personio documents none of
 * them.
 */
export async function exchangeToken(http: Http, credentials: Credentials): Promise<ExchangedToken> {
  const { clientId, clientSecret } = credentials;
  const response = await http({
    route: ROUTE,
    path: ROUTE.template,
    json: { client_id: clientId, client_secret: clientSecret },
  });
  // Personio refuses in JSON. A page comes from a proxy, or from another server.
  if (response.status < 500 && response.status !== 429 && isWebPage(response.text))
    throw createNotJsonError(ROUTE, response.text);
  if ([400, 401, 403, 422].includes(response.status)) throw createRejectedError(response.status);
  if (response.status === 429) throw toStatusError(ROUTE, 429, response.retryAfterMs ?? COOL_DOWN_MS);
  const parsed = tokenSchema.safeParse(parseContent(ROUTE, response));
  if (!parsed.success) throw createMalformedError(ROUTE, 'data.token is missing');
  const { token, expires_in: life } = parsed.data.data;
  return { token, expiresInSeconds: life ?? DEFAULT_LIFE_SECONDS };
}

function createRejectedError(status: number): PersonioError {
  return new PersonioError(
    'PersonioCredentialsRejected',
    `Personio does not accept the client id and secret (POST /v1/auth answered ${status}). ` +
      'In Personio, under Settings > Integrations > API credentials, check that the credential exists and is active. ' +
      'If in doubt, generate a new secret. Then set PERSONIO_CLIENT_ID and PERSONIO_CLIENT_SECRET to it.',
    { status },
  );
}
