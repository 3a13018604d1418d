import { Agent as HttpAgent } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import got, { RequestError } from 'got';
import type { Got, OptionsInit } from 'got';
import { PersonioError, errorOfStatus, malformed, nameOf } from './errors.js';
import type { Route } from './errors.js';
import { REFUSED_ADDRESS, guardedLookup } from './guarded-lookup.js';
import { parseJson } from './json.js';

export interface HttpRequest {
  readonly route: Route;
  /** The path with its ids, without a query. */
  readonly path: string;
  readonly query?: Readonly<Record<string, string | number>>;
  readonly json?: unknown;
  readonly token?: string;
}

/** An answer, whatever its status. */
export interface HttpAnswer {
  readonly status: number;
  readonly text: string;
  /** What `Retry-After` asks for, capped; null where it is absent. */
  readonly retryAfterMs: number | null;
  /** `Deprecation`, `Sunset` or `Warning`, where Personio announces the end of an endpoint. */
  readonly notices: readonly string[];
}

export type Http = (request: HttpRequest) => Promise<HttpAnswer>;

/** Third-party clients of Personio wait 40 to 60 s; its gateway gives up at 60. */
const TIMEOUT_MS = 60_000;
/** A wait that Personio asks for is obeyed up to here; beyond it, the next attempt asks again. */
const MAX_RETRY_AFTER_MS = 120_000;

/** @param origin such as `https://api.personio.de`. Redirects are never followed: a token must not travel elsewhere. */
export function createHttp(origin: string, userAgent: string): Http {
  const options: OptionsInit = {
    prefixUrl: origin,
    agent: {
      http: new HttpAgent({ keepAlive: true, lookup: guardedLookup }),
      https: new HttpsAgent({ keepAlive: true, lookup: guardedLookup }),
    },
    headers: { 'user-agent': userAgent, accept: 'application/json' },
    followRedirect: false,
    throwHttpErrors: false,
    retry: { limit: 0 },
    timeout: { request: TIMEOUT_MS },
  };
  const client = got.extend(options);
  return async (request) => send(client, request);
}

async function send(client: Got, { route, path, query, json, token }: HttpRequest): Promise<HttpAnswer> {
  try {
    const response = await client(path.replace(/^\//, ''), {
      method: route.method,
      ...(query === undefined ? {} : { searchParams: query }),
      ...(json === undefined ? {} : { json }),
      ...(token === undefined ? {} : { headers: { authorization: `Bearer ${token}` } }),
      responseType: 'text',
    });
    const { headers } = response;
    return {
      status: response.statusCode,
      text: response.body,
      retryAfterMs: retryAfterOf(headers['retry-after']),
      notices: ['deprecation', 'sunset', 'warning'].filter((name) => headers[name] !== undefined),
    };
  } catch (error) {
    throw unavailable(route, error);
  }
}

/** Got's own error holds the whole URL, so nothing of it is kept but the code. */
function unavailable(route: Route, error: unknown): PersonioError {
  const code = error instanceof RequestError ? error.code : 'ERR_UNKNOWN';
  if (code === REFUSED_ADDRESS) {
    return new PersonioError(
      'PersonioCredentialsRejected',
      'The base URL of this connection leads to a link-local or metadata address. Nothing was sent there. Correct the URL, or the DNS record.',
    );
  }
  return new PersonioError(
    'PersonioUnavailable',
    `Personio could not be reached for ${nameOf(route)} (${code}). It is tried again; check PERSONIO_BASE_URL and the network if it stays so.`,
  );
}

/** Seconds or an HTTP date (RFC 9110, section 10.2.3). */
function retryAfterOf(header: string | undefined): number | null {
  if (header === undefined) return null;
  const seconds = Number(header);
  const waitMs = Number.isNaN(seconds) ? Date.parse(header) - Date.now() : seconds * 1_000;
  return Number.isNaN(waitMs) ? null : Math.min(Math.max(waitMs, 0), MAX_RETRY_AFTER_MS);
}

/** @returns the parsed content of an answer of success. @throws PersonioError for every other. */
export function contentOf(route: Route, answer: HttpAnswer): unknown {
  if (answer.status < 200 || answer.status > 299) throw errorOfStatus(route, answer.status, answer.retryAfterMs);
  try {
    return parseJson(answer.text);
  } catch {
    throw malformed(route, 'it is no JSON');
  }
}
