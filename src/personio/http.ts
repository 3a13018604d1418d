import { Agent as HttpAgent } from 'node:http';
import got, { RequestError } from 'got';
import type { Got, OptionsInit, OptionsOfTextResponseBody } from 'got';
import { PersonioError, createMalformedError, formatRoute } from './errors.js';
import type { Route } from './errors.js';
import { createHttpsRoute } from '../network/https-agent.js';
import { REFUSED_ADDRESS, isMetadataHost, ssrfSafeLookup } from '../network/ssrf-safe-lookup.js';

/** Parameters of a query; a list repeats its name. */
export type HttpQuery = Readonly<Record<string, string | number | readonly string[]>>;

export interface HttpRequest {
  readonly route: Route;
  /** Path with its ids. For a link from a response: path and query, unchanged. */
  readonly path: string;
  readonly query?: HttpQuery;
  readonly json?: unknown;
  readonly form?: Readonly<Record<string, string>>;
  /** Sends the header `Beta: true`. Some endpoints that Personio calls beta answer 404 without it. Default: false. */
  readonly beta?: boolean;
  readonly token?: string;
}

/** Response with any status. */
export interface HttpResponse {
  readonly status: number;
  readonly text: string;
  /** Value of `Retry-After`, at most two minutes; null when it is absent. */
  readonly retryAfterMs: number | null;
  /** Time until the `x-ratelimit-*` headers allow another request; null when they allow one now or are absent. */
  readonly refillMs: number | null;
  /** Names of those of the headers `deprecation`, `sunset` and `warning` that came. */
  readonly notices: readonly string[];
}

/**
 * Sends one request. Statuses other than success are no error.
 *
 * @throws PersonioError `PersonioUnavailable` when no response came.
 */
export type Http = (request: HttpRequest) => Promise<HttpResponse>;

/** Limits of the parts of a request. */
export interface HttpTimeouts {
  readonly connectMs: number;
  readonly firstByteMs: number;
  readonly totalMs: number;
}

/** Each is shorter than the heartbeat timeout of the activity (30 s, workflows/proxies.ts). */
const DEFAULT_TIMEOUTS: HttpTimeouts = { connectMs: 10_000, firstByteMs: 25_000, totalMs: 28_000 };
/** Longest wait taken over from a header. After it, the next request shows whether Personio still wants a pause. */
const MAX_WAIT_MS = 120_000;
/** Protects the memory: up to four pages are in flight, and a page of 200 employees is half a megabyte. */
const MAX_BODY_BYTES = 32 * 1_024 * 1_024;

/**
 * Creates an HTTP client for one server. It never follows redirects, since a token must not travel elsewhere.
 *
 * @param origin such as `https://api.personio.de`.
 */
export function createHttp(origin: string, userAgent: string, timeouts = DEFAULT_TIMEOUTS): Http {
  const { connectMs, firstByteMs, totalMs } = timeouts;
  const { agent, isProxied } = createHttpsRoute(origin);
  const options: OptionsInit = {
    prefixUrl: origin,
    agent: {
      http: new HttpAgent({ keepAlive: true, lookup: ssrfSafeLookup }),
      https: agent,
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
  return async (request) => {
    // The proxy resolves the name, where our lookup does not run: so what we can resolve is checked first.
    if (isProxied && (await isMetadataHost(origin))) throw createRefusedAddressError();
    return send(client, request);
  };
}

async function send(client: Got, request: HttpRequest): Promise<HttpResponse> {
  const { route, path } = request;
  const size: { isTooLarge: boolean } = { isTooLarge: false };
  try {
    const pending = client(path.replace(/^\//, ''), toGotOptions(request));
    // Counts decompressed bytes: a small response could otherwise unpack into a huge one.
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
    ...(query === undefined ? {} : { searchParams: toSearchParams(query) }),
    ...(json === undefined ? {} : { json }),
    ...(form === undefined ? {} : { form }),
  };
}

function toSearchParams(query: HttpQuery): URLSearchParams {
  return new URLSearchParams(
    Object.entries(query).flatMap(([name, value]) =>
      (typeof value === 'object' ? value : [String(value)]).map((one): [string, string] => [name, one]),
    ),
  );
}

/** Keeps only the code of got's error, whose message contains the whole URL. */
function createUnavailableError(route: Route, error: unknown): PersonioError {
  const code = error instanceof RequestError ? error.code : 'ERR_UNKNOWN';
  if (code === REFUSED_ADDRESS) return createRefusedAddressError();
  return new PersonioError(
    'PersonioUnavailable',
    `Cannot reach Personio for ${formatRoute(route)} (${code}). A sync retries this. ` +
      'If this persists, check PERSONIO_BASE_URL, the network and, where there is a proxy, HTTPS_PROXY and NO_PROXY.',
  );
}

function createRefusedAddressError(): PersonioError {
  return new PersonioError(
    'PersonioCredentialsRejected',
    'The base URL of this connection resolves to a link-local or metadata address. Nothing was sent there. ' +
      'Correct the URL or the DNS record.',
  );
}

/** Parses seconds or an HTTP date (RFC 9110, section 10.2.3). */
function parseRetryAfter(header: string | undefined): number | null {
  if (header === undefined || header.trim() === '') return null;
  const seconds = Number(header);
  const waitMs = Number.isNaN(seconds) ? Date.parse(header) - Date.now() : seconds * 1_000;
  return Number.isNaN(waitMs) ? null : Math.min(Math.max(waitMs, 0), MAX_WAIT_MS);
}

/** Parses the token bucket of Personio's gateway: what is left, the cost of a request, the refill per second. */
function parseRefillMs(headers: Readonly<Record<string, string | readonly string[] | undefined>>): number | null {
  const [remaining, cost = 1, rate] = ['remaining', 'requested-tokens', 'replenish-rate'].map((name) => {
    const header = headers[`x-ratelimit-${name}`];
    return typeof header === 'string' && /^\d+$/.test(header) ? Number(header) : undefined;
  });
  if (remaining === undefined || rate === undefined || rate === 0 || remaining >= cost) return null;
  return Math.min(Math.ceil(((cost - remaining) / rate) * 1_000), MAX_WAIT_MS);
}
