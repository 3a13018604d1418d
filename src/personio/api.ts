import type { Http, HttpAnswer, HttpRequest } from './http.js';
import type { ExchangedToken } from './auth.js';
import { PersonioError, malformed } from './errors.js';

/** Keeps one token for all workers of a connection. */
export interface TokenKeeper {
  /** @returns the shared token, exchanging one (once, whoever asks) where there is none or its life is nearly over. */
  readonly current: (exchange: () => Promise<ExchangedToken>) => Promise<string>;
  /** Like `current`, for a token that Personio has refused: exchanged unless somebody else has done so already. */
  readonly renewed: (refused: string, exchange: () => Promise<ExchangedToken>) => Promise<string>;
}

/** What shares a limit: each endpoint has its own, and so has the exchange of tokens. */
export type RequestBucket = 'auth' | 'employees' | 'departments' | 'attendances' | 'time-off-types';

/** Gives leave to send one request, shared by all workers of a connection. */
export interface RequestGovernor {
  /** Waits until the limits allow a request. @throws PersonioError `PersonioRateLimited` where that takes too long. */
  readonly take: (bucket: RequestBucket) => Promise<void>;
  /** Notes that Personio answered 429, so that nobody asks before `waitMs` are over. */
  readonly pause: (bucket: RequestBucket, waitMs: number) => Promise<void>;
}

export interface PersonioApiOptions {
  readonly http: Http;
  readonly tokens: TokenKeeper;
  readonly governor: RequestGovernor;
  readonly exchange: () => Promise<ExchangedToken>;
  /** Hears of answers that announce an endpoint's end. */
  readonly onNotice?: (template: string, headers: readonly string[]) => void;
}

export type ApiRequest = Omit<HttpRequest, 'token' | 'json'> & { readonly bucket: RequestBucket };

/** Sends authorised requests within the limits, and counts them. One per activity. */
export class PersonioApi {
  private readonly options: PersonioApiOptions;
  private sent = 0;

  constructor(options: PersonioApiOptions) {
    this.options = options;
  }

  /** How many requests were sent, the exchanges of tokens among them. */
  get requests(): number {
    return this.sent;
  }

  /** Makes sure that a token is at hand. */
  async authorise(): Promise<void> {
    await this.options.tokens.current(async () => this.exchange());
  }

  /**
   * @returns the answer, whatever its status. 401 and 403 are both how Personio says that a token is over, so a new one is
   * tried once after either.
   */
  async get(request: ApiRequest): Promise<HttpAnswer> {
    const token = await this.options.tokens.current(async () => this.exchange());
    const first = await this.send(request, token);
    if (first.status !== 401 && first.status !== 403) return first;
    const renewed = await this.options.tokens.renewed(token, async () => this.exchange());
    return this.send(request, renewed);
  }

  private async send(request: ApiRequest, token: string): Promise<HttpAnswer> {
    const { bucket, ...rest } = request;
    await this.options.governor.take(bucket);
    this.sent += 1;
    const answer = await this.options.http({ ...rest, token });
    if (answer.notices.length > 0) this.options.onNotice?.(request.route.template, answer.notices);
    if (answer.status === 429) await this.options.governor.pause(bucket, answer.retryAfterMs ?? DEFAULT_PAUSE_MS);
    if (answer.status >= 300 && answer.status < 400)
      throw malformed(request.route, 'it is a redirect, and those are not followed');
    return answer;
  }

  private async exchange(): Promise<ExchangedToken> {
    await this.options.governor.take('auth');
    this.sent += 1;
    try {
      return await this.options.exchange();
    } catch (error) {
      const isLimited = error instanceof PersonioError && error.type === 'PersonioRateLimited';
      if (isLimited) await this.options.governor.pause('auth', error.retryAfterMs ?? DEFAULT_PAUSE_MS);
      throw error;
    }
  }
}

/** Personio sends no `Retry-After`; it advises to wait a second or more. */
const DEFAULT_PAUSE_MS = 2_000;
