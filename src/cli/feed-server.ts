import { createHash, timingSafeEqual } from 'node:crypto';
import { createServer } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { cloudEventOf } from '../domain/cloud-event.js';
import type { Logger } from '../observability/logger.js';
import type { Database } from '../store/database.js';
import { feedAfter } from '../store/feed.js';
import { CommandFailed } from './exit.js';

export interface FeedServerOptions {
  readonly database: Database;
  readonly logger: Logger;
  readonly host: string;
  readonly port: number;
  readonly token: string;
}

export interface FeedServer {
  readonly port: number;
  readonly close: () => Promise<void>;
}

const DEFAULT_LIMIT = 100;
const MAX_LIMIT = 1_000;

/** The feed over HTTP, read-only: `GET /events?after=CURSOR&limit=N`, the lines of `events --json`. */
export async function startFeedServer(options: FeedServerOptions): Promise<FeedServer> {
  const server = createServer((request, response) => {
    answer(options, request, response).catch(() => {
      options.logger.warn('A request for the feed could not be answered: the database is out of reach');
      say(response, 503, 'The feed cannot be read right now; try again.');
    });
  });
  const { host, port } = options;
  await new Promise<void>((resolve, reject) => {
    server.once('error', () =>
      reject(
        new CommandFailed('The feed cannot be served at FEED_ADDRESS. Set another host:port, or unset FEED_TOKEN.'),
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

async function answer(options: FeedServerOptions, request: IncomingMessage, response: ServerResponse): Promise<void> {
  if (!isAllowed(request, options.token)) {
    response.setHeader('www-authenticate', 'Bearer');
    say(response, 401, 'Send the token of FEED_TOKEN as `Authorization: Bearer …`.');
    return;
  }
  const url = new URL(request.url ?? '/', 'http://feed');
  if (url.pathname !== '/events') {
    say(response, 404, 'There is only /events.');
    return;
  }
  if (request.method !== 'GET') {
    response.setHeader('allow', 'GET');
    say(response, 405, 'The feed can only be read.');
    return;
  }
  const after = numberOf(url, 'after', 0);
  const limit = numberOf(url, 'limit', DEFAULT_LIMIT);
  if (after === null || limit === null || limit < 1 || limit > MAX_LIMIT) {
    say(response, 400, `\`after\` is the sequence of an event, \`limit\` a number from 1 to ${MAX_LIMIT}.`);
    return;
  }
  const events = await feedAfter(options.database, after, limit);
  response.writeHead(200, { 'content-type': 'application/x-ndjson', 'cache-control': 'no-store' });
  response.end(events.map((event) => `${JSON.stringify(cloudEventOf(event))}\n`).join(''));
}

/** In the same time whatever was sent. */
function isAllowed({ headers }: IncomingMessage, token: string): boolean {
  const digest = (text: string): Buffer => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(headers.authorization ?? ''), digest(`Bearer ${token}`));
}

function numberOf(url: URL, name: string, otherwise: number): number | null {
  const text = url.searchParams.get(name);
  if (text === null) return otherwise;
  return /^\d{1,15}$/.test(text) ? Number(text) : null;
}

function say(response: ServerResponse, status: number, sentence: string): void {
  if (!response.headersSent) response.writeHead(status, { 'content-type': 'text/plain; charset=utf-8' });
  response.end(`${sentence}\n`);
}
