import type { FailureType } from '../contracts/internal/errors.js';

type PersonioFailureType = Extract<FailureType, `Personio${string}`>;

/** Place where something went wrong: method and path template, never an id, a query or a body. */
export interface Route {
  readonly method: 'GET' | 'POST';
  /** Such as `/v1/company/employees/{id}`. */
  readonly template: string;
  /** Page of a list, from 1. */
  readonly page?: number;
}

/**
 * Failure of a request to Personio. `type` says what an operator would do about it. The message has the route, the
 * status and a remedy, and never a URL, a header, a body or a person.
 */
export class PersonioError extends Error {
  override readonly name = 'PersonioError';
  readonly type: PersonioFailureType;
  /** HTTP status of the response; null when there was none, or its content is the problem. */
  readonly status: number | null;
  /** Wait that Personio, or our own rate limiter, asks for. */
  readonly retryAfterMs?: number;
  /** True where another try may help, whatever the type. */
  readonly isTransient: boolean;

  constructor(
    type: PersonioFailureType,
    message: string,
    more: { readonly status?: number; readonly retryAfterMs?: number; readonly isTransient?: boolean } = {},
  ) {
    super(message);
    this.type = type;
    this.status = more.status ?? null;
    this.isTransient = more.isTransient ?? false;
    if (more.retryAfterMs !== undefined) this.retryAfterMs = more.retryAfterMs;
  }
}

export const formatRoute = ({ method, template, page }: Route): string =>
  `${method} ${template}${page === undefined ? '' : ` (page ${page})`}`;

const RETRIED = 'This is usually temporary, and a sync retries it.';
const IF_IT_PERSISTS = 'No data was changed. If this persists, report it with this message.';

/** Returns the error for a status other than success. Ignores Personio's own codes and texts, since they vary. */
export function toStatusError(route: Route, status: number, retryAfterMs: number | null): PersonioError {
  const prefix = `Personio answered ${formatRoute(route)} with ${status}`;
  switch (status) {
    case 401:
    case 403:
      return new PersonioError(
        'PersonioPermissionMissing',
        `${prefix} although the token is new. The API credential may not read this endpoint. ` +
          'In Personio, under Settings > Integrations > API credentials, allow it to read this endpoint, ' +
          'then try again.',
        { status },
      );
    case 404:
    case 410:
      return new PersonioError(
        'PersonioEndpointRetired',
        `${prefix}. This endpoint does not exist or has been retired.`,
        { status },
      );
    case 408:
      return new PersonioError('PersonioUnavailable', `${prefix}. ${RETRIED}`, { status });
    case 429:
      return new PersonioError(
        'PersonioRateLimited',
        `${prefix} (too many requests). A sync retries after a pause.`,
        retryAfterMs === null ? { status } : { status, retryAfterMs },
      );
    default:
      if (status >= 500) return new PersonioError('PersonioUnavailable', `${prefix}. ${RETRIED}`, { status });
      return new PersonioError(
        'PersonioMalformedAnswer',
        `${prefix}, a status that is not documented for this request. ${IF_IT_PERSISTS}`,
        { status },
      );
  }
}

/**
 * Creates the error for a successful response whose content differs from Personio's documentation.
 *
 * @param problem names the place (`data[3].attributes.id`), never the value.
 */
export function createMalformedError(route: Route, problem: string): PersonioError {
  return new PersonioError(
    'PersonioMalformedAnswer',
    `Personio's response to ${formatRoute(route)} does not match its documentation: ${problem}. ${IF_IT_PERSISTS}`,
  );
}

/** Returns whether a body is a web page. Personio's API answers in JSON, its errors included. */
export const isWebPage = (text: string): boolean => /^\s*</.test(text);

/**
 * Creates the error for a body that is not JSON at all: the page of a proxy or of maintenance, which passes, or another
 * server than Personio's.
 */
export function createNotJsonError(route: Route, text: string): PersonioError {
  const shape = isWebPage(text) ? 'is a web page, not JSON' : 'is not JSON';
  return new PersonioError(
    'PersonioMalformedAnswer',
    `Personio's response to ${formatRoute(route)} ${text.trim() === '' ? 'is empty' : shape}. ${RETRIED} ` +
      'No data was changed. If this persists, check that PERSONIO_BASE_URL is the address of ' +
      "Personio's API (usually api.personio.de).",
    { isTransient: true },
  );
}

/**
 * Creates the error for `success: false` in a response with a status of success. Neither can be trusted, and least of
 * all an empty list.
 */
export function createUnsuccessfulError(route: Route, status: number): PersonioError {
  return new PersonioError(
    'PersonioUnavailable',
    `Personio answered ${formatRoute(route)} with ${status}, but its body reports a failure. ${RETRIED}`,
    { status },
  );
}

/** Creates the error for a new token that every endpoint refuses. */
export function createRefusedEverywhereError(route: Route, status: number): PersonioError {
  return new PersonioError(
    'PersonioCredentialsRejected',
    `Personio issued a token but refuses it on every endpoint (${formatRoute(route)} answered ${status}). ` +
      'In Personio, under Settings > Integrations > API credentials, check that the credential is active ' +
      'and may read employees, attendances and absences.',
    { status },
  );
}
