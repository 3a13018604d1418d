import { Agent as HttpAgent } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import got, { RequestError } from 'got';
import type { Got, OptionsInit, OptionsOfTextResponseBody } from 'got';
import { PersonioError, createMalformedError, formatRoute } from './errors.js';
import type { Route } from './errors.js';
import { REFUSED_ADDRESS, ssrfSafeLookup } from '../network/ssrf-safe-lookup.js';

export interface HttpRequest {
  readonly route: Route;
  /** The path with its ids; a link that Personio gave comes with its query, as it is. */
  readonly path: string;
  readonly query?: Readonly<Record<string, string | number>>;
  readonly json?: unknown;
  readonly form?: Readonly<Record<string, string>>;
  /** Asks for an endpoint that Personio calls beta; some of those answer 404 without it. */
  readonly beta?: boolean;
  readonly token?: string;
}

/** An answer, whatever its status. */
export interface HttpResponse {
  readonly status: number;
  readonly text: string;
  /** What `Retry-After` asks for, capped; null where it is absent. */
  readonly retryAfterMs: number | null;
  /** How long the bucket of the `x-ratelimit-*` headers needs until it has a request to give; null where it has one, or none is named. */
  readonly refillMs: number | null;
  /** `Deprecation`, `Sunset` or `Warning`, where Personio announces the end of an endpoint. */
  readonly notices: readonly string[];
}

export type Http = (request: HttpRequest) => Promise<HttpResponse>;

/** How long each part of a request may take. */
export interface HttpTimeouts {
  readonly connectMs: number;
  readonly firstByteMs: number;
  readonly totalMs: number;
}

/** Each is shorter than the heartbeat that guards it (30 s, workflows/proxies.ts). */
const DEFAULT_TIMEOUTS: HttpTimeouts = { connectMs: 10_000, firstByteMs: 25_000, totalMs: 28_000 };
/** A wait that Personio asks for is obeyed up to here; beyond it, the next attempt asks again. */
const MAX_WAIT_MS = 120_000;
/** A page of 200 people is half a megabyte. Beyond this it is no page, and four of them travel at a time. */
const MAX_BODY_BYTES = 32 * 1_024 * 1_024;

/** @param origin such as `https://api.personio.de`. Redirects are never followed: a token must not travel elsewhere. */
export function createHttp(origin: string, userAgent: string, timeouts = DEFAULT_TIMEOUTS): Http {
  const { connectMs, firstByteMs, totalMs } = timeouts;
  const options: OptionsInit = {
    prefixUrl: origin,
    agent: {
      http: new HttpAgent({ keepAlive: true, lookup: ssrfSafeLookup }),
      https: new HttpsAgent({ keepAlive: true, lookup: ssrfSafeLookup }),
    },
    headers: { 'user-agent': userAgent, accept: 'application/json' },
    followRedirect: false,
    throwHttpErrors: false,
    retry: { limit: 0 },
    timeout: {
      lookup: connectMs,
      connect: connectMs,
      secureConnect: connectMs,
      response: firstByteMs,
      request: totalMs,
    },
  };
  const client = got.extend(options);
  return async (request) => send(client, request);
}

async function send(client: Got, request: HttpRequest): Promise<HttpResponse> {
  const { route, path } = request;
  const size: { isTooLarge: boolean } = { isTooLarge: false };
  try {
    const pending = client(path.replace(/^\//, ''), toGotOptions(request));
    // Counts what comes out of the decompression, so that a small answer cannot become a large one.
    void pending.on('downloadProgress', ({ transferred }) => {
      if (transferred <= MAX_BODY_BYTES || size.isTooLarge) return;
      size.isTooLarge = true;
      pending.cancel();
    });
    const { headers, statusCode, body } = await pending;
    return {
      status: statusCode,
      text: body,
      retryAfterMs: parseRetryAfter(headers['retry-after']),
      refillMs: parseRefillMs(headers),
      notices: ['deprecation', 'sunset', 'warning'].filter((name) => headers[name] !== undefined),
    };
  } catch (error) {
    if (size.isTooLarge) throw createMalformedError(route, `it is larger than ${MAX_BODY_BYTES / 1_024 / 1_024} MiB`);
    throw createUnavailableError(route, error);
  }
}

function toGotOptions({ route, query, json, form, beta, token }: HttpRequest): OptionsOfTextResponseBody {
  const headers = {
    ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
    ...(beta === true ? { beta: 'true' } : {}),
  };
  return {
    method: route.method,
    headers,
    responseType: 'text' as const,
    ...(query === undefined ? {} : { searchParams: query }),
    ...(json === undefined ? {} : { json }),
    ...(form === undefined ? {} : { form }),
  };
}

/** Got's own error holds the whole URL, so nothing of it is kept but the code. */
function createUnavailableError(route: Route, error: unknown): PersonioError {
  const code = error instanceof RequestError ? error.code : 'ERR_UNKNOWN';
  if (code === REFUSED_ADDRESS) {
    return new PersonioError(
      'PersonioCredentialsRejected',
      'The base URL of this connection leads to a link-local or metadata address. Nothing was sent there. Correct the URL, or the DNS record.',
    );
  }
  return new PersonioError(
    'PersonioUnavailable',
    `Personio could not be reached for ${formatRoute(route)} (${code}). It is tried again; check PERSONIO_BASE_URL and the network if it stays so.`,
  );
}

/** Seconds or an HTTP date (RFC 9110, section 10.2.3). */
function parseRetryAfter(header: string | undefined): number | null {
  if (header === undefined || header.trim() === '') return null;
  const seconds = Number(header);
  const waitMs = Number.isNaN(seconds) ? Date.parse(header) - Date.now() : seconds * 1_000;
  return Number.isNaN(waitMs) ? null : Math.min(Math.max(waitMs, 0), MAX_WAIT_MS);
}

/** Personio's gateway describes a token bucket: what is left, what a request costs, and how much comes back in a second. */
function parseRefillMs(headers: Readonly<Record<string, string | readonly string[] | undefined>>): number | null {
  const [remaining, cost = 1, rate] = ['remaining', 'requested-tokens', 'replenish-rate'].map((name) => {
    const header = headers[`x-ratelimit-${name}`];
    return typeof header === 'string' && /^\d+$/.test(header) ? Number(header) : undefined;
  });
  if (remaining === undefined || rate === undefined || rate === 0 || remaining >= cost) return null;
  return Math.min(Math.ceil(((cost - remaining) / rate) * 1_000), MAX_WAIT_MS);
}
