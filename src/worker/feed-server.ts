import { createHash, timingSafeEqual } from 'node:crypto';
import { createServer } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { toCloudEvent } from '../domain/cloud-event.js';
import type { Logger } from '../observability/logger.js';
import type { Database } from '../store/database.js';
import { listFeedEvents } from '../store/events/feed.js';
import { WorkerStartError } from './errors.js';

export interface FeedServerOptions {
  readonly database: Database;
  readonly logger: Logger;
  readonly host: string;
  readonly port: number;
  /** Expected as `Authorization: Bearer …`. */
  readonly token: string;
}

export interface FeedServer {
  readonly port: number;
  readonly close: () => Promise<void>;
}

const DEFAULT_LIMIT = 100;
const MAX_LIMIT = 1_000;

/** Serves the feed over HTTP, read-only: `GET /events?after=CURSOR&limit=N` returns the lines of `events --json`. */
export async function startFeedServer(options: FeedServerOptions): Promise<FeedServer> {
  const server = createServer((request, response) => {
    handleRequest(options, request, response).catch(() => {
      options.logger.warn('A request for the feed failed: the database is unreachable');
      respond(response, 503, 'The feed is unavailable. Try again later.');
    });
  });
  const { host, port } = options;
  await new Promise<void>((resolve, reject) => {
    server.once('error', () =>
      reject(
        new WorkerStartError('Cannot serve the feed at FEED_ADDRESS. Set another host:port, or unset FEED_TOKEN.'),
      ),
    );
    server.listen(port, host, resolve);
  });
  const address = server.address();
  return {
    port: typeof address === 'object' && address !== null ? address.port : port,
    close: async () => {
      server.closeAllConnections();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}

async function handleRequest(
  options: FeedServerOptions,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  if (!isAllowed(request, options.token)) {
    response.setHeader('www-authenticate', 'Bearer');
    respond(response, 401, 'Send the token from FEED_TOKEN as `Authorization: Bearer …`.');
    return;
  }
  const url = new URL(request.url ?? '/', 'http://feed');
  if (url.pathname !== '/events') {
    respond(response, 404, 'Not found. The feed is at /events.');
    return;
  }
  if (request.method !== 'GET') {
    response.setHeader('allow', 'GET');
    respond(response, 405, 'Method not allowed. Use GET.');
    return;
  }
  const after = parseNumber(url, 'after', 0);
  const limit = parseNumber(url, 'limit', DEFAULT_LIMIT);
  if (after === null || limit === null || limit < 1 || limit > MAX_LIMIT) {
    respond(
      response,
      400,
      `\`after\` must be the sequence of an event, and \`limit\` a number from 1 to ${MAX_LIMIT}.`,
    );
    return;
  }
  const events = await listFeedEvents(options.database, after, limit);
  response.writeHead(200, { 'content-type': 'application/x-ndjson', 'cache-control': 'no-store' });
  response.end(events.map((event) => `${JSON.stringify(toCloudEvent(event))}\n`).join(''));
}

/** Compares in constant time. */
function isAllowed({ headers }: IncomingMessage, token: string): boolean {
  const digest = (text: string): Buffer => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(headers.authorization ?? ''), digest(`Bearer ${token}`));
}

function parseNumber(url: URL, name: string, fallback: number): number | null {
  const text = url.searchParams.get(name);
  if (text === null) return fallback;
  return /^\d{1,15}$/.test(text) ? Number(text) : null;
}

function respond(response: ServerResponse, status: number, sentence: string): void {
  if (!response.headersSent) response.writeHead(status, { 'content-type': 'text/plain; charset=utf-8' });
  response.end(`${sentence}\n`);
}
