import { once } from 'node:events';
import type { IncomingHttpHeaders, ServerResponse } from 'node:http';
import { gzipSync } from 'node:zlib';
import { toJson } from './shapes.js';

/** Request as tests and faults see it. */
export interface SeenRequest {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
  /** Sequence number since the start of the server, from 1. */
  readonly number: number;
}

export interface FakeResponse {
  readonly status: number;
  /** Text is sent as it is; anything else as JSON. */
  readonly body: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  /** Default: the whole body, uncompressed. */
  readonly transfer?: TransferMode;
}

/**
 * Ways in which a response travels, most of them broken.
 *
 * - `reset-before`: the connection is reset before the response
 * - `reset-within`: the connection is reset in the middle of the body
 * - `truncated`: the body ends early although its length looks complete
 * - `stall-before`: no byte ever arrives
 * - `stall-within`: half of the body arrives, then nothing
 * - `gzip`: the body is compressed
 * - `gzip-broken`: the body claims to be compressed and is not
 */
export type TransferMode =
  'reset-before' | 'reset-within' | 'truncated' | 'stall-before' | 'stall-within' | 'gzip' | 'gzip-broken';

/** Sends a response in its transfer mode. */
export async function sendResponse(
  response: ServerResponse,
  { status, body, headers, transfer }: FakeResponse,
): Promise<void> {
  const text = Buffer.from(typeof body === 'string' ? body : toJson(body));
  const head = { 'content-type': 'application/json', ...headers };
  const half = text.subarray(0, Math.floor(text.length / 2));
  switch (transfer) {
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
