import { once } from 'node:events';
import type { IncomingHttpHeaders, ServerResponse } from 'node:http';
import { gzipSync } from 'node:zlib';
import { toJson } from './shapes.js';

/** What a test can see and answer in place of the company. */
export interface SeenRequest {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
  /** Counts the requests since the start, from 1. */
  readonly number: number;
}

export interface FakeResponse {
  readonly status: number;
  readonly body: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  /** How it travels, where that goes wrong or is unusual. */
  readonly transfer?: TransferMode;
}

/**
 * `reset-before`: the connection is cut without an answer · `reset-within`: in the middle of the body · `truncated`: the body ends early, and claims
 * that this is all · `stall-before`: no byte ever comes · `stall-within`: half of the body comes · `gzip`, `gzip-broken`: compressed.
 */
export type TransferMode =
  ('reset-before' | 'reset-within' | 'truncated' | 'stall-before' | 'stall-within') | ('gzip' | 'gzip-broken');

/** A fault on demand. */
export interface FaultRule {
  /** Applies to this path. */
  readonly path: string;
  /** Applies to requests with these query parameters alone. */
  readonly query?: Readonly<Record<string, string>>;
  /** Lets that many matching requests pass first. */
  readonly after?: number;
  /** How many requests it spoils; without it, all. */
  readonly times?: number;
  /** What is sent in place of the company's own answer. */
  readonly respond: (seen: SeenRequest, own: FakeResponse) => FakeResponse;
}

/** The rules that are in force, and how often each has matched. */
export class Faults {
  private readonly rules: { readonly rule: FaultRule; matched: number }[] = [];

  add(rule: FaultRule): void {
    this.rules.push({ rule, matched: 0 });
  }

  clear(): void {
    this.rules.length = 0;
  }

  apply(seen: SeenRequest, own: FakeResponse): FakeResponse {
    let response = own;
    for (const entry of this.rules) {
      const { path, query = {}, after = 0, times = Number.POSITIVE_INFINITY } = entry.rule;
      const isMeant =
        path === seen.path && Object.entries(query).every(([key, value]) => seen.query.get(key) === value);
      if (!isMeant) continue;
      entry.matched += 1;
      if (entry.matched > after && entry.matched <= after + times) response = entry.rule.respond(seen, response);
    }
    return response;
  }
}

/** Sends an answer as its delivery says. */
export async function sendResponse(
  response: ServerResponse,
  { status: status, body, headers, transfer: delivery }: FakeResponse,
): Promise<void> {
  const text = Buffer.from(typeof body === 'string' ? body : toJson(body));
  const head = { 'content-type': 'application/json', ...headers };
  const half = text.subarray(0, Math.floor(text.length / 2));
  switch (delivery) {
    case undefined:
      response.writeHead(status, head).end(text);
      return;
    case 'gzip':
      response.writeHead(status, { ...head, 'content-encoding': 'gzip' }).end(gzipSync(text));
      return;
    case 'gzip-broken':
      response.writeHead(status, { ...head, 'content-encoding': 'gzip' }).end(half);
      return;
    case 'truncated':
      response.writeHead(status, head).end(half);
      return;
    case 'reset-before':
      response.destroy();
      return;
    case 'reset-within':
      response.writeHead(status, { ...head, 'content-length': text.length });
      response.write(half, () => response.destroy());
      return;
    case 'stall-before':
      await once(response, 'close');
      return;
    case 'stall-within':
      response.writeHead(status, { ...head, 'content-length': text.length }).write(half);
      await once(response, 'close');
  }
}
