import { createHmac } from 'node:crypto';
import { createServer } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { Attendances } from './attendances.js';
import { Company } from './company.js';
import type { CompanyOptions } from './company.js';
import { Faults } from './faults.js';
import { RateLimits } from './rate-limits.js';
import type { RateLimit } from './rate-limits.js';
import { sendResponse } from './responses.js';
import type { FakeResponse, SeenRequest } from './responses.js';
import { NOT_FOUND, createFailure, createV1Response, exchangeV1 } from './v1.js';
import type { V1Behaviour } from './v1.js';
import { createV2Response, exchangeV2 } from './v2.js';
import type { V2Behaviour } from './v2.js';

export type { FakeResponse, SeenRequest, TransferMode } from './responses.js';

/** Behaviour of the server, including its faults. All of it can be changed while the server runs. */
export interface Behaviour extends V1Behaviour, V2Behaviour {
  /** Paths that the credential may not read: 403, whatever the token. */
  forbidden: ReadonlySet<string>;
  /** Requests per second to the employees before 429; null: no limit. */
  employeesPerSecond: number | null;
  /** Responds in place of the server. The server responds itself when it returns undefined. */
  fault: ((request: SeenRequest) => FakeResponse | undefined | Promise<FakeResponse | undefined>) | null;
}

export interface LoggedRequest {
  readonly method: string;
  readonly path: string;
  readonly query: string;
  readonly status: number;
  readonly atMs: number;
}

export interface FakePersonioOptions extends CompanyOptions {
  /** Default: any free port. */
  readonly port?: number;
  /** Default: any non-empty credentials are valid. */
  readonly credentials?: { readonly clientId: string; readonly clientSecret: string };
  /** Calendar day that status and attendances follow. Default: the machine's day in UTC. */
  readonly today?: () => string;
}

export interface FakePersonio {
  readonly url: string;
  readonly company: Company;
  readonly attendances: Attendances;
  readonly behaviour: Behaviour;
  /** Faults that apply to the responses, including those of `behaviour.fault`. */
  readonly faults: Faults;
  /** Requests since the start with the status of their responses; the newest 10,000. */
  readonly log: readonly LoggedRequest[];
  /** Sets the limits that answer 429; an empty list removes them. */
  readonly limitRequests: (limits: readonly RateLimit[]) => void;
  readonly countRequests: () => number;
  /** Expires all issued tokens, as after 24 hours. */
  readonly expireTokens: () => void;
  readonly close: () => Promise<void>;
}

const EMPLOYEES_PATH = '/v1/company/employees';
const MAX_BODY_BYTES = 10_000;
const MAX_LOGGED = 10_000;

/** Starts the HTTP server of the demo company on the loopback address. */
export async function startFakePersonio(options: FakePersonioOptions): Promise<FakePersonio> {
  const today = options.today ?? (() => new Date().toISOString().slice(0, 10));
  const company = new Company(options);
  const fake = new FakeServer(options, company, today);
  const server = createServer((request, response) => void fake.handle(request, response));
  await listen(server, options.port ?? 0);
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('The server of the demo company has no port.');
  return {
    url: `http://127.0.0.1:${address.port}`,
    company,
    attendances: fake.attendances,
    behaviour: fake.behaviour,
    faults: fake.faults,
    log: fake.log,
    limitRequests: (limits) => fake.limitRequests(limits),
    countRequests: () => fake.requests,
    expireTokens: () => fake.expireTokens(),
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

async function listen(server: Server, port: number): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', resolve);
  });
}

class FakeServer {
  readonly attendances: Attendances;
  readonly behaviour: Behaviour = {
    employeesPerPage: 100,
    attendancesPerPage: 200,
    largerPages: 'clamped',
    hasDepartments: false,
    readable: null,
    employeesPerSecond: null,
    fault: null,
    hasAttendances: true,
    forbidden: new Set(),
    hidesInactive: false,
    hasOrgUnits: false,
    v2Scopes: null,
    hasRelativeLinks: false,
    attendancePeriodsPerPage: 100,
  };
  readonly faults = new Faults();
  readonly log: LoggedRequest[] = [];
  requests = 0;
  private limits = new RateLimits([]);
  private readonly options: FakePersonioOptions;
  private readonly company: Company;
  private readonly today: () => string;
  private tokens = 1;
  private recent: number[] = [];

  constructor(options: FakePersonioOptions, company: Company, today: () => string) {
    this.options = options;
    this.company = company;
    this.today = today;
    this.attendances = new Attendances(company, today);
  }

  expireTokens(): void {
    this.tokens += 1;
  }

  limitRequests(limits: readonly RateLimit[]): void {
    this.limits = new RateLimits(limits);
  }

  async handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    this.requests += 1;
    const url = new URL(request.url ?? '/', 'http://localhost');
    const method = request.method ?? 'GET';
    const body = await readBody(request);
    const seen: SeenRequest = {
      method,
      path: url.pathname,
      query: url.searchParams,
      headers: request.headers,
      body,
      number: this.requests,
    };
    const atMs = Date.now();
    const own = this.limits.isOver(url.pathname, atMs)
      ? createFailure(429, 429, 'Too Many Requests')
      : ((await this.behaviour.fault?.(seen)) ?? this.respond(seen));
    const fakeResponse = this.faults.apply(seen, own);
    this.log.push({ method, path: url.pathname, query: url.search, status: fakeResponse.status, atMs });
    if (this.log.length > MAX_LOGGED) this.log.shift();
    await sendResponse(response, fakeResponse);
  }

  private respond(seen: SeenRequest): FakeResponse {
    const isValid = (id: string, secret: string): boolean => this.isValid(id, secret);
    if (seen.path === '/v1/auth') return exchangeV1(seen, isValid, this.getToken('v1'));
    if (seen.path === '/v2/auth/token') return exchangeV2(seen, isValid, this.getToken('v2'));
    const version = seen.path.startsWith('/v2/') ? 'v2' : 'v1';
    const { authorization } = seen.headers;
    if (authorization === undefined) return createFailure(401, 401, 'Authorization is not provided');
    if (authorization !== `Bearer ${this.getToken(version)}`)
      return createFailure(403, 403, 'Provided authorization is not valid');
    if (seen.method !== 'GET') return NOT_FOUND;
    if (this.behaviour.forbidden.has(seen.path))
      return createFailure(403, 0, 'personio.core.api.exceptions.api.forbidden.http.exception');
    return version === 'v2' ? this.respondV2(seen) : this.respondV1(seen);
  }

  /** Returns the same token for its whole life, as Personio does since 2023. */
  private getToken(version: 'v1' | 'v2'): string {
    const subject = version === 'v1' ? String(this.tokens) : `v2 ${this.tokens}`;
    return `papi-${createHmac('sha256', String(this.options.seed)).update(subject).digest('hex')}`;
  }

  private isValid(id: string, secret: string): boolean {
    const valid = this.options.credentials;
    return valid === undefined ? id !== '' && secret !== '' : id === valid.clientId && secret === valid.clientSecret;
  }

  private respondV1(seen: SeenRequest): FakeResponse {
    if (seen.path === EMPLOYEES_PATH && this.isOverEmployeesLimit())
      return createFailure(429, 429, 'Too Many Requests');
    const { company, attendances } = this;
    return createV1Response(seen, this.behaviour, { company, attendances, today: this.today() });
  }

  private respondV2(seen: SeenRequest): FakeResponse {
    return createV2Response(seen, this.behaviour, {
      departments: this.company.departments,
      listAttendances: (from, to) => this.attendances.listBetween(from, to),
    });
  }

  private isOverEmployeesLimit(): boolean {
    const { employeesPerSecond } = this.behaviour;
    if (employeesPerSecond === null) return false;
    const now = Date.now();
    this.recent = this.recent.filter((at) => now - at < 1_000);
    if (this.recent.length >= employeesPerSecond) return true;
    this.recent.push(now);
    return false;
  }
}

async function readBody(request: IncomingMessage): Promise<string> {
  let text = '';
  for await (const chunk of request) {
    text += String(chunk);
    if (text.length > MAX_BODY_BYTES) return '';
  }
  return text;
}
