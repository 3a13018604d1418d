import { createHmac } from 'node:crypto';
import { createServer } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { Faults, sendResponse } from './answers.js';
import type { FakeResponse, SeenRequest } from './answers.js';
import { Attendances } from './attendances.js';
import { Company } from './company.js';
import type { CompanyOptions } from './company.js';
import { getStatus } from './company.js';
import { RateLimits } from './rate-limits.js';
import type { RateLimit } from './rate-limits.js';
import { toAttendanceShape, toDepartmentShape, toEmployeeShape, listTimeOffTypeShapes } from './shapes.js';
import { createV2Response, exchangeV2 } from './v2.js';
import type { V2Behaviour } from './v2.js';

export type { FakeResponse as Answer, TransferMode as Delivery, SeenRequest } from './answers.js';

/** How unpleasant the server is. All can be changed while it runs. */
export interface Behaviour extends V2Behaviour {
  /** The most that one page of employees has; 100 since 2025. */
  employeesPerPage: number;
  attendancesPerPage: number;
  /** More than that is granted in silence as that, or refused with 400. */
  largerPages: 'clamped' | 'refused';
  /** Whether `/v1/company/departments` exists. It is in customers' guides and not in Personio's published API. */
  hasDepartments: boolean;
  /** v1 passed its announced end in August 2026; then it may answer 404. */
  hasAttendances: boolean;
  /** Paths that the credential may not read: 403, whatever the token. */
  forbidden: ReadonlySet<string>;
  /** Attributes that the credential may read; null: all. */
  readable: ReadonlySet<string> | null;
  /** Whether the credential may not see the people who have left. */
  hidesInactive: boolean;
  /** Requests per second to the employees before 429; null: no limit. */
  employeesPerSecond: number | null;
  /** Answers in place of the company; undefined lets it answer. */
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
  readonly port?: number;
  /** Default: whatever is sent is right. */
  readonly credentials?: { readonly clientId: string; readonly clientSecret: string };
  /** The calendar day that status and attendances follow. Default: the machine's. */
  readonly today?: () => string;
}

export interface FakePersonio {
  readonly url: string;
  readonly company: Company;
  readonly attendances: Attendances;
  readonly behaviour: Behaviour;
  /** Faults on demand, beside `behaviour.fault`. */
  readonly faults: Faults;
  /** What was asked since the start, and how it was answered; the newest 10,000. */
  readonly log: readonly LoggedRequest[];
  /** Limits that answer 429; an empty list takes them away. */
  readonly limitRequests: (limits: readonly RateLimit[]) => void;
  readonly countRequests: () => number;
  /** Makes every token that was given worthless, as after 24 hours. */
  readonly expireTokens: () => void;
  readonly close: () => Promise<void>;
}

const NOT_FOUND: FakeResponse = {
  status: 404,
  body: { success: false, error: { code: 0, message: 'personio.core.api.exceptions.api.not.found.http.exception' } },
};
const DEFAULT_LIMIT = 50;
const MAX_BODY_BYTES = 10_000;
const MAX_LOGGED = 10_000;

/** Starts the made-up company's HTTP server on the loopback address. */
export async function startFakePersonio(options: FakePersonioOptions): Promise<FakePersonio> {
  const today = options.today ?? (() => new Date().toISOString().slice(0, 10));
  const company = new Company(options);
  const fake = new FakeServer(options, company, today);
  const server = createServer((request, response) => void fake.handle(request, response));
  await listen(server, options.port ?? 0);
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('The made-up company has no port.');
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
    if (
      this.log.push({ method, path: url.pathname, query: url.search, status: fakeResponse.status, atMs }) > MAX_LOGGED
    )
      this.log.shift();
    await sendResponse(response, fakeResponse);
  }

  private respond(seen: SeenRequest): FakeResponse {
    if (seen.path === '/v1/auth') return seen.method === 'POST' ? this.authenticate(seen.body) : NOT_FOUND;
    if (seen.path === '/v2/auth/token')
      return exchangeV2(seen, (id, secret) => this.isRight(id, secret), this.getToken('v2'));
    const version = seen.path.startsWith('/v2/') ? 'v2' : 'v1';
    const { authorization } = seen.headers;
    if (authorization === undefined) return createFailure(401, 401, 'Authorization is not provided');
    if (authorization !== `Bearer ${this.getToken(version)}`)
      return createFailure(403, 403, 'Provided authorization is not valid');
    if (seen.method !== 'GET') return NOT_FOUND;
    if (this.behaviour.forbidden.has(seen.path))
      return createFailure(403, 0, 'personio.core.api.exceptions.api.forbidden.http.exception');
    if (version === 'v2') return this.respondV2(seen);
    return this.respondV1(seen) ?? NOT_FOUND;
  }

  private authenticate(body: string): FakeResponse {
    const { client_id: id, client_secret: secret } = parseCredentials(body);
    if (!this.isRight(id, secret)) return createFailure(403, 0, 'Wrong credentials');
    const data = {
      token: this.getToken('v1'),
      expires_in: 86_400,
      scope: 'employees:read attendances:read absences:read',
    };
    return { status: 200, body: { success: true, data } };
  }

  /** The same token within its life, as Personio does since 2023. */
  private getToken(version: 'v1' | 'v2'): string {
    const what = version === 'v1' ? String(this.tokens) : `v2 ${this.tokens}`;
    return `papi-${createHmac('sha256', String(this.options.seed)).update(what).digest('hex')}`;
  }

  private isRight(id: string, secret: string): boolean {
    const right = this.options.credentials;
    return right === undefined ? id !== '' && secret !== '' : id === right.clientId && secret === right.clientSecret;
  }

  private respondV2(seen: SeenRequest): FakeResponse {
    return createV2Response(seen, this.behaviour, {
      departments: this.company.departments,
      listAttendances: (from, to) => this.attendances.listBetween(from, to),
    });
  }

  private respondV1({ path, query }: SeenRequest): FakeResponse | undefined {
    const { behaviour, company } = this;
    switch (path) {
      case '/v1/company/employees':
        return this.checkRateLimit() ?? this.listEmployees(query);
      case '/v1/company/attendances':
        return behaviour.hasAttendances ? this.listAttendances(query) : NOT_FOUND;
      case '/v1/company/time-off-types': {
        const offset = parseNumber(query, 'offset', 0);
        const data = listTimeOffTypeShapes().slice(offset, offset + parseNumber(query, 'limit', 200));
        return { status: 200, body: { success: true, data } };
      }
      case '/v1/company/departments':
        if (!behaviour.hasDepartments) return NOT_FOUND;
        return createPageResponse(company.departments.map(toDepartmentShape), query, { max: 200, ...behaviour });
      default: {
        const [, id] = /^\/v1\/company\/employees\/(\d+)$/.exec(path) ?? [];
        return id === undefined ? undefined : this.getEmployee(Number(id));
      }
    }
  }

  private checkRateLimit(): FakeResponse | undefined {
    const { employeesPerSecond } = this.behaviour;
    if (employeesPerSecond === null) return undefined;
    const now = Date.now();
    this.recent = this.recent.filter((at) => now - at < 1_000);
    if (this.recent.length >= employeesPerSecond) return createFailure(429, 429, 'Too Many Requests');
    this.recent.push(now);
    return undefined;
  }

  private listEmployees(query: URLSearchParams): FakeResponse {
    const { company, behaviour } = this;
    const shape = { readable: behaviour.readable, today: this.today() };
    const page = parsePage(query, { max: behaviour.employeesPerPage, ...behaviour });
    if (page === null) return createFailure(400, 400, 'The limit is too large');
    const all = behaviour.hidesInactive
      ? company.employees.filter((person) => getStatus(person, shape.today) !== 'inactive')
      : company.employees;
    const data = all
      .slice(page.offset, page.offset + page.limit)
      .map((person) => toEmployeeShape(company, person, shape));
    return { status: 200, body: createEnvelope(data, all.length, page) };
  }

  private getEmployee(id: number): FakeResponse {
    const { company, behaviour } = this;
    const person = company.find(id);
    if (person === undefined) return createFailure(404, 404, 'Es ist ein Problem aufgetreten ');
    const shape = { readable: behaviour.readable, today: this.today() };
    return { status: 200, body: { success: true, data: toEmployeeShape(company, person, shape) } };
  }

  private listAttendances(query: URLSearchParams): FakeResponse {
    const [from, to] = [query.get('start_date'), query.get('end_date')];
    if (from === null || to === null) return createFailure(400, 400, 'start_date and end_date are required');
    const page = parsePage(query, { max: this.behaviour.attendancesPerPage, ...this.behaviour });
    if (page === null) return createFailure(400, 400, 'The limit is too large');
    const all = this.attendances.listBetween(from, to);
    const data = all.slice(page.offset, page.offset + page.limit).map(toAttendanceShape);
    // Here, offset and limit come back as the texts that they were sent as.
    return {
      status: 200,
      body: { ...createEnvelope(data, all.length, page), offset: String(page.offset), limit: String(page.limit) },
    };
  }
}

interface PageLimits {
  readonly max: number;
  readonly largerPages: Behaviour['largerPages'];
}

function parsePage(query: URLSearchParams, { max, largerPages }: PageLimits): { offset: number; limit: number } | null {
  const asked = parseNumber(query, 'limit', DEFAULT_LIMIT);
  if (asked > max && largerPages === 'refused') return null;
  return { offset: parseNumber(query, 'offset', 0), limit: Math.min(asked, max) };
}

function createPageResponse(all: readonly unknown[], query: URLSearchParams, limits: PageLimits): FakeResponse {
  const page = parsePage(query, limits);
  if (page === null) return createFailure(400, 400, 'The limit is too large');
  return { status: 200, body: createEnvelope(all.slice(page.offset, page.offset + page.limit), all.length, page) };
}

function createEnvelope(
  data: readonly unknown[],
  total: number,
  { offset, limit }: { offset: number; limit: number },
): object {
  const metadata = {
    total_elements: total,
    current_page: Math.floor(offset / limit),
    total_pages: Math.ceil(total / limit),
  };
  return { success: true, metadata, offset, limit, data };
}

function createFailure(status: number, code: number, message: string): FakeResponse {
  return { status: status, body: { success: false, error: { code, message } } };
}

function parseNumber(query: URLSearchParams, name: string, otherwise: number): number {
  const value = Number(query.get(name) ?? otherwise);
  return Number.isInteger(value) && value >= 0 ? value : otherwise;
}

/** JSON or a form, as Personio takes both; never the query string. */
function parseCredentials(body: string): { readonly client_id: string; readonly client_secret: string } {
  const form = new URLSearchParams(body);
  try {
    const json: unknown = JSON.parse(body);
    if (typeof json === 'object' && json !== null) {
      const fields: Readonly<Record<string, unknown>> = { ...json };
      const { client_id: id, client_secret: secret } = fields;
      return { client_id: typeof id === 'string' ? id : '', client_secret: typeof secret === 'string' ? secret : '' };
    }
  } catch {
    // Not JSON, so it is read as a form.
  }
  return { client_id: form.get('client_id') ?? '', client_secret: form.get('client_secret') ?? '' };
}

async function readBody(request: IncomingMessage): Promise<string> {
  let text = '';
  for await (const chunk of request) {
    text += String(chunk);
    if (text.length > MAX_BODY_BYTES) return '';
  }
  return text;
}
