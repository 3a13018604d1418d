import type { Http, HttpResponse, HttpRequest } from './http.js';
import type { ExchangedToken } from './auth.js';
import { PersonioError, createMalformedError, createRefusedEverywhereError } from './errors.js';
import type { Route } from './errors.js';

/** Personio's two APIs: each has its own exchange of tokens, and a token of one is not promised to open the other. */
export type ApiVersion = 'v1' | 'v2';

/** Keeps one token for all workers of a connection. */
export interface TokenCache {
  /** @returns the shared token, exchanging one (once, whoever asks) where there is none or its life is nearly over. */
  readonly getToken: (exchange: () => Promise<ExchangedToken>) => Promise<string>;
  /** Like `current`, for a token that Personio has refused: exchanged unless somebody else has done so already. */
  readonly refresh: (refused: string, exchange: () => Promise<ExchangedToken>) => Promise<string>;
}

/** What shares a limit: each endpoint has its own, and so has the exchange of tokens. */
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

/** Gives leave to send one request, shared by all workers of a connection. */
export interface RateLimiter {
  /** Waits until the limits allow a request. @throws PersonioError `PersonioRateLimited` where that takes too long. */
  readonly acquire: (bucket: RequestBucket) => Promise<void>;
  /** Notes that Personio asks for a pause, so that nobody asks before `waitMs` are over. */
  readonly backOff: (bucket: RequestBucket, waitMs: number) => Promise<void>;
}

/** How one of the two APIs is entered. */
export interface ApiAuth {
  readonly tokens: TokenCache;
  readonly exchange: () => Promise<ExchangedToken>;
}

export interface PersonioApiOptions {
  /** Such as `https://api.personio.de`: where links of Personio have to lead. */
  readonly origin: string;
  readonly http: Http;
  readonly rateLimiter: RateLimiter;
  readonly auth: Readonly<Record<ApiVersion, ApiAuth>>;
  /** Hears of answers that announce an endpoint's end. */
  readonly onNotice?: (template: string, headers: readonly string[]) => void;
}

export type ApiRequest = Omit<HttpRequest, 'token' | 'json' | 'form'> & { readonly bucket: RequestBucket };

/** Sends authorised requests within the limits, and counts them. One per activity. */
export class PersonioApi {
  private readonly options: PersonioApiOptions;
  private sent = 0;

  constructor(options: PersonioApiOptions) {
    this.options = options;
  }

  get origin(): string {
    return this.options.origin;
  }

  /** How many requests were sent, the exchanges of tokens among them. */
  get requests(): number {
    return this.sent;
  }

  /** Makes sure that a token is at hand. */
  async authorise(): Promise<void> {
    await this.options.auth.v1.tokens.getToken(async () => this.exchange('v1'));
  }

  /**
   * @returns the answer, whatever its status. 401 and 403 are both how Personio says that a token is over, so a new one is
   * tried once after either.
   *
   * @throws PersonioError `PersonioCredentialsRejected` where the new one is refused here and everywhere else.
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

  /** One small request to each of the others tells a credential without any permission from one that lacks this one. */
  private async isRefusedElsewhere(bucket: RequestBucket, token: string): Promise<boolean> {
    for (const probe of PROBES.filter((other) => other.bucket !== bucket)) {
      if (!isRefused(await this.send(probe, token))) return false;
    }
    return true;
  }

  private async send(request: ApiRequest, token: string): Promise<HttpResponse> {
    const { bucket, ...rest } = request;
    const { rateLimiter: governor, http } = this.options;
    await governor.acquire(bucket);
    this.sent += 1;
    const response = await http({ ...rest, token });
    if (response.notices.length > 0) this.options.onNotice?.(request.route.template, response.notices);
    const backOffMs = getBackOffMs(response);
    if (backOffMs !== null) await governor.backOff(bucket, backOffMs);
    if (response.status >= 300 && response.status < 400)
      throw createMalformedError(request.route, 'it is a redirect, and those are not followed');
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

/** Personio sends no `Retry-After`; it advises to wait a second or more. */
const DEFAULT_BACK_OFF_MS = 2_000;

const PROBES: readonly ApiRequest[] = (['employees', 'time-off-types'] as const).map((bucket) => {
  const route: Route = { method: 'GET', template: `/v1/company/${bucket}` };
  return { route, path: route.template, bucket, query: { limit: 1, offset: 0 } };
});

const isRefused = ({ status }: HttpResponse): boolean => status === 401 || status === 403;

function getBackOffMs({ status, retryAfterMs, refillMs }: HttpResponse): number | null {
  return status === 429 ? (retryAfterMs ?? refillMs ?? DEFAULT_BACK_OFF_MS) : refillMs;
}
