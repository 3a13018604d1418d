import type { Http, HttpResponse, HttpRequest } from './http.js';
import { PersonioError, createMalformedError, createRefusedEverywhereError } from './errors.js';
import type { Route } from './errors.js';

/** Personio's two APIs. Each issues its own tokens, and a token of one is not guaranteed to work on the other. */
export type ApiVersion = 'v1' | 'v2';

/** API credentials, as created in Personio under Settings > Integrations. */
export interface Credentials {
  readonly clientId: string;
  readonly clientSecret: string;
}

/** Result of exchanging credentials for a token. */
export interface ExchangedToken {
  readonly token: string;
  /** Remaining life. Personio returns the same token for up to 24 hours, so this can be short. */
  readonly expiresInSeconds: number;
}

/** Cache of one token, shared by all workers of a connection. */
export interface TokenCache {
  /** Returns the shared token. Calls `exchange` once for all callers when there is none or it expires soon. */
  readonly getToken: (exchange: () => Promise<ExchangedToken>) => Promise<string>;
  /** Returns a token other than `refused`, which Personio rejected. Exchanges unless another caller already has. */
  readonly refresh: (refused: string, exchange: () => Promise<ExchangedToken>) => Promise<string>;
}

/** Groups of requests that share a rate limit: one per endpoint, and one per token exchange. */
export const REQUEST_BUCKETS = [
  'auth',
  'employees',
  'departments',
  'attendances',
  'time-off-types',
  'v2-auth',
  'v2-departments',
  'v2-attendances',
] as const;
export type RequestBucket = (typeof REQUEST_BUCKETS)[number];

const toApiVersion = (bucket: RequestBucket): ApiVersion => (bucket.startsWith('v2-') ? 'v2' : 'v1');

/** Limiter of requests, shared by all workers of a connection. */
export interface RateLimiter {
  /**
   * Waits until the limits allow one request.
   *
   * @throws PersonioError `PersonioRateLimited` when the wait would be too long.
   */
  readonly acquire: (bucket: RequestBucket) => Promise<void>;
  /** Stops all requests of the bucket for `waitMs`, as Personio asked. */
  readonly backOff: (bucket: RequestBucket, waitMs: number) => Promise<void>;
}

/** Authentication of one of the two APIs. */
export interface ApiAuth {
  readonly tokens: TokenCache;
  readonly exchange: () => Promise<ExchangedToken>;
}

export interface PersonioApiOptions {
  /** Such as `https://api.personio.de`. Links in responses must lead to the same origin. */
  readonly origin: string;
  readonly http: Http;
  readonly rateLimiter: RateLimiter;
  readonly auth: Readonly<Record<ApiVersion, ApiAuth>>;
  /** Called with the names of the headers by which a response announces the end of an endpoint. */
  readonly onNotice?: (template: string, headers: readonly string[]) => void;
}

export type ApiRequest = Omit<HttpRequest, 'token' | 'json' | 'form'> & { readonly bucket: RequestBucket };

/** Client that sends authorised requests within the limits, and counts them. Create one per activity. */
export class PersonioApi {
  private readonly options: PersonioApiOptions;
  private sent = 0;

  constructor(options: PersonioApiOptions) {
    this.options = options;
  }

  get origin(): string {
    return this.options.origin;
  }

  /** Number of requests sent so far, including token exchanges. */
  get requests(): number {
    return this.sent;
  }

  /** Makes sure that a v1 token is available. */
  async authorise(): Promise<void> {
    await this.options.auth.v1.tokens.getToken(async () => this.exchange('v1'));
  }

  /**
   * Sends a GET request and returns the response, whatever its status. Personio reports an expired token as 401 or as
   * 403, so either status is retried once with a new token.
   *
   * @throws PersonioError `PersonioCredentialsRejected` when this endpoint and all others refuse the new token.
   */
  async get(request: ApiRequest): Promise<HttpResponse> {
    const version = toApiVersion(request.bucket);
    const { tokens } = this.options.auth[version];
    const token = await tokens.getToken(async () => this.exchange(version));
    const first = await this.send(request, token);
    if (!isRefused(first)) return first;
    const refreshed = await tokens.refresh(token, async () => this.exchange(version));
    const second = await this.send(request, refreshed);
    if (version === 'v1' && isRefused(second) && (await this.isRefusedElsewhere(request.bucket, refreshed)))
      throw createRefusedEverywhereError(request.route, second.status);
    return second;
  }

  /** Finds out whether a credential lacks every permission or only this one: a small request to each endpoint. */
  private async isRefusedElsewhere(bucket: RequestBucket, token: string): Promise<boolean> {
    for (const probe of PROBES.filter((other) => other.bucket !== bucket)) {
      if (!isRefused(await this.send(probe, token))) return false;
    }
    return true;
  }

  private async send(request: ApiRequest, token: string): Promise<HttpResponse> {
    const { bucket, ...rest } = request;
    const { rateLimiter, http } = this.options;
    await rateLimiter.acquire(bucket);
    this.sent += 1;
    const response = await http({ ...rest, token });
    if (response.notices.length > 0) this.options.onNotice?.(request.route.template, response.notices);
    const backOffMs = getBackOffMs(response);
    if (backOffMs !== null) await rateLimiter.backOff(bucket, backOffMs);
    if (response.status >= 300 && response.status < 400)
      throw createMalformedError(
        request.route,
        'it is a redirect, and redirects are not followed (is PERSONIO_BASE_URL right?)',
      );
    return response;
  }

  private async exchange(version: ApiVersion): Promise<ExchangedToken> {
    const bucket = version === 'v1' ? 'auth' : 'v2-auth';
    await this.options.rateLimiter.acquire(bucket);
    this.sent += 1;
    try {
      return await this.options.auth[version].exchange();
    } catch (error) {
      const isLimited = error instanceof PersonioError && error.type === 'PersonioRateLimited';
      if (isLimited) await this.options.rateLimiter.backOff(bucket, error.retryAfterMs ?? DEFAULT_BACK_OFF_MS);
      throw error;
    }
  }
}

/** Personio sends no `Retry-After`; its documentation advises waiting a second or more. */
const DEFAULT_BACK_OFF_MS = 2_000;

const PROBES: readonly ApiRequest[] = (['employees', 'time-off-types'] as const).map((bucket) => {
  const route: Route = { method: 'GET', template: `/v1/company/${bucket}` };
  return { route, path: route.template, bucket, query: { limit: 1, offset: 0 } };
});

const isRefused = ({ status }: HttpResponse): boolean => status === 401 || status === 403;

function getBackOffMs({ status, retryAfterMs, refillMs }: HttpResponse): number | null {
  return status === 429 ? (retryAfterMs ?? refillMs ?? DEFAULT_BACK_OFF_MS) : refillMs;
}
