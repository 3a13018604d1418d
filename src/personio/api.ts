import type { Http, HttpAnswer, HttpRequest } from './http.js';
import type { ExchangedToken } from './auth.js';
import { PersonioError, malformed, refusedEverywhere } from './errors.js';
import type { Route } from './errors.js';

/** Personio's two APIs: each has its own exchange of tokens, and a token of one is not promised to open the other. */
export type ApiVersion = 'v1' | 'v2';

/** Keeps one token for all workers of a connection. */
export interface TokenKeeper {
  /** @returns the shared token, exchanging one (once, whoever asks) where there is none or its life is nearly over. */
  readonly current: (exchange: () => Promise<ExchangedToken>) => Promise<string>;
  /** Like `current`, for a token that Personio has refused: exchanged unless somebody else has done so already. */
  readonly renewed: (refused: string, exchange: () => Promise<ExchangedToken>) => Promise<string>;
}

/** What shares a limit: each endpoint has its own, and so has the exchange of tokens. */
export const REQUEST_BUCKETS = [
  ...(['auth', 'employees', 'departments', 'attendances', 'time-off-types'] as const),
  ...(['v2-auth', 'v2-departments', 'v2-attendances'] as const),
] as const;
export type RequestBucket = (typeof REQUEST_BUCKETS)[number];

const versionOf = (bucket: RequestBucket): ApiVersion => (bucket.startsWith('v2-') ? 'v2' : 'v1');

/** Gives leave to send one request, shared by all workers of a connection. */
export interface RequestGovernor {
  /** Waits until the limits allow a request. @throws PersonioError `PersonioRateLimited` where that takes too long. */
  readonly take: (bucket: RequestBucket) => Promise<void>;
  /** Notes that Personio asks for a pause, so that nobody asks before `waitMs` are over. */
  readonly pause: (bucket: RequestBucket, waitMs: number) => Promise<void>;
}

/** How one of the two APIs is entered. */
export interface ApiDoor {
  readonly tokens: TokenKeeper;
  readonly exchange: () => Promise<ExchangedToken>;
}

export interface PersonioApiOptions {
  /** Such as `https://api.personio.de`: where links of Personio have to lead. */
  readonly origin: string;
  readonly http: Http;
  readonly governor: RequestGovernor;
  readonly doors: Readonly<Record<ApiVersion, ApiDoor>>;
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
    await this.options.doors.v1.tokens.current(async () => this.exchange('v1'));
  }

  /**
   * @returns the answer, whatever its status. 401 and 403 are both how Personio says that a token is over, so a new one is
   * tried once after either.
   *
   * @throws PersonioError `PersonioCredentialsRejected` where the new one is refused here and everywhere else.
   */
  async get(request: ApiRequest): Promise<HttpAnswer> {
    const version = versionOf(request.bucket);
    const { tokens } = this.options.doors[version];
    const token = await tokens.current(async () => this.exchange(version));
    const first = await this.send(request, token);
    if (!isRefused(first)) return first;
    const renewed = await tokens.renewed(token, async () => this.exchange(version));
    const second = await this.send(request, renewed);
    if (version === 'v1' && isRefused(second) && (await this.isRefusedElsewhere(request.bucket, renewed)))
      throw refusedEverywhere(request.route, second.status);
    return second;
  }

  /** One small request to each of the others tells a credential without any permission from one that lacks this one. */
  private async isRefusedElsewhere(bucket: RequestBucket, token: string): Promise<boolean> {
    for (const probe of PROBES.filter((other) => other.bucket !== bucket)) {
      if (!isRefused(await this.send(probe, token))) return false;
    }
    return true;
  }

  private async send(request: ApiRequest, token: string): Promise<HttpAnswer> {
    const { bucket, ...rest } = request;
    const { governor, http } = this.options;
    await governor.take(bucket);
    this.sent += 1;
    const answer = await http({ ...rest, token });
    if (answer.notices.length > 0) this.options.onNotice?.(request.route.template, answer.notices);
    const pauseMs = pauseAfter(answer);
    if (pauseMs !== null) await governor.pause(bucket, pauseMs);
    if (answer.status >= 300 && answer.status < 400)
      throw malformed(request.route, 'it is a redirect, and those are not followed');
    return answer;
  }

  private async exchange(version: ApiVersion): Promise<ExchangedToken> {
    const bucket = version === 'v1' ? 'auth' : 'v2-auth';
    await this.options.governor.take(bucket);
    this.sent += 1;
    try {
      return await this.options.doors[version].exchange();
    } catch (error) {
      const isLimited = error instanceof PersonioError && error.type === 'PersonioRateLimited';
      if (isLimited) await this.options.governor.pause(bucket, error.retryAfterMs ?? DEFAULT_PAUSE_MS);
      throw error;
    }
  }
}

/** Personio sends no `Retry-After`; it advises to wait a second or more. */
const DEFAULT_PAUSE_MS = 2_000;

const PROBES: readonly ApiRequest[] = (['employees', 'time-off-types'] as const).map((bucket) => {
  const route: Route = { method: 'GET', template: `/v1/company/${bucket}` };
  return { route, path: route.template, bucket, query: { limit: 1, offset: 0 } };
});

const isRefused = ({ status }: HttpAnswer): boolean => status === 401 || status === 403;

function pauseAfter({ status, retryAfterMs, refillMs }: HttpAnswer): number | null {
  return status === 429 ? (retryAfterMs ?? refillMs ?? DEFAULT_PAUSE_MS) : refillMs;
}
