import type { FailureType } from '../contracts/internal/errors.js';

type PersonioFailureType = Extract<FailureType, `Personio${string}`>;

/** Where something went wrong: method and route template, never an id, a query or a body. */
export interface Route {
  readonly method: 'GET' | 'POST';
  /** Such as `/v1/company/employees/{id}`. */
  readonly template: string;
}

/**
 * What Personio did, as the thing that somebody would do about it (`type`). The message carries route, status and a remedy:
 * never a URL, a header, a body or a person.
 */
export class PersonioError extends Error {
  override readonly name = 'PersonioError';
  readonly type: PersonioFailureType;
  readonly status: number | null;
  /** How long Personio, or our own limits, ask us to wait. */
  readonly retryAfterMs?: number;

  constructor(
    type: PersonioFailureType,
    sentence: string,
    more: { readonly status?: number; readonly retryAfterMs?: number } = {},
  ) {
    super(sentence);
    this.type = type;
    this.status = more.status ?? null;
    if (more.retryAfterMs !== undefined) this.retryAfterMs = more.retryAfterMs;
  }
}

export const formatRoute = ({ method, template }: Route): string => `${method} ${template}`;

/** @returns the error that an answer without success stands for; branches on the status, since Personio's codes and texts vary. */
export function toStatusError(route: Route, status: number, retryAfterMs: number | null): PersonioError {
  const prefix = `Personio answered ${formatRoute(route)} with ${status}`;
  switch (status) {
    case 401:
    case 403:
      return new PersonioError(
        'PersonioPermissionMissing',
        `${prefix}, with a token that it had just given. The API credential may not read this: ` +
          'in Personio, under Settings > Integrations > API credentials, allow it to read this endpoint, and try again.',
        { status },
      );
    case 404:
    case 410:
      return new PersonioError('PersonioEndpointRetired', `${prefix}: this path does not exist (any more).`, {
        status,
      });
    case 408:
      return new PersonioError('PersonioUnavailable', `${prefix}. It is tried again.`, { status });
    case 429:
      return new PersonioError('PersonioRateLimited', `${prefix}: too many requests. It is tried again after a wait.`, {
        status,
        ...(retryAfterMs === null ? {} : { retryAfterMs }),
      });
    default:
      if (status >= 500) return new PersonioError('PersonioUnavailable', `${prefix}. It is tried again.`, { status });
      return new PersonioError(
        'PersonioMalformedAnswer',
        `${prefix}, which it does not document for this request. Nothing was changed; if it stays so, report it with this sentence.`,
        { status },
      );
  }
}

/** An answer of success whose content is not what Personio documents. `what` names the place (`data[3].attributes.id`), not the value. */
export function createMalformedError(route: Route, what: string): PersonioError {
  return new PersonioError(
    'PersonioMalformedAnswer',
    `Personio's answer to ${formatRoute(route)} is not what it documents: ${what}. Nothing was changed; if it stays so, report it with this sentence.`,
  );
}

/** Personio says `success: false` and a status of success at once: neither can be believed, and an empty list least of all. */
export function createUnsuccessfulError(route: Route, status: number): PersonioError {
  return new PersonioError(
    'PersonioUnavailable',
    `Personio answered ${formatRoute(route)} with ${status} and says in the answer that it did not succeed. It is tried again.`,
    { status },
  );
}

/** Every endpoint refuses a token that was just given. */
export function createRefusedEverywhereError(route: Route, status: number): PersonioError {
  return new PersonioError(
    'PersonioCredentialsRejected',
    `Personio gives a token and then refuses it everywhere (${formatRoute(route)} answered ${status}, and so did the others). ` +
      'In Personio, under Settings > Integrations > API credentials, check that the credential is active and may read employees, attendances and absences.',
    { status },
  );
}
