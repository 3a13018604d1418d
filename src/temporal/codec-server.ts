import { createHash, timingSafeEqual } from 'node:crypto';
import { createServer } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { SealError } from '../crypto/sealing.js';
import type { KeyRing } from '../crypto/sealing.js';
import type { Payload } from '@temporalio/common';
import { createPayloadCodec, toPayloadJson, parsePayload } from './codec.js';

export interface CodecServerOptions {
  readonly ring: KeyRing;
  /** Expected as `Authorization: Bearer …`, or as the cookie that the page at `/` sets. */
  readonly token: string;
  /** Origins of the Temporal UIs whose pages may call. */
  readonly origins: readonly string[];
}

const COOKIE = 'personio-sync-codec';
const MAX_BODY_BYTES = 8 * 1024 * 1024;
/** A page of the UI that was left open overnight asks for the token again. */
const COOKIE_SECONDS = 12 * 3_600;

const PAGE = `<!doctype html><meta charset="utf-8"><title>personio-sync codec server</title>
<form method="post" action="/login">
<label>Token <input type="password" name="token" autocomplete="off" autofocus></label>
<button>Decode payloads in the Temporal UI</button></form>`;

/** Thrown to end a request early with a status and a sentence. */
class Refusal extends Error {
  readonly status: number;

  constructor(status: number, sentence: string) {
    super(sentence);
    this.status = status;
  }
}

/**
 * Creates a server for Temporal's codec server protocol: `POST /encode` and `/decode` with `{ payloads }`. It logs no
 * part of a request.
 */
export function createCodecServer(options: CodecServerOptions): Server {
  return createServer((request, response) => {
    handleRequest(options, request, response).catch((error: unknown) => {
      const refusal = error instanceof Refusal ? error : new Refusal(500, 'The codec server failed. Try again.');
      respond(response, refusal.status, { message: refusal.message });
    });
  });
}

async function handleRequest(
  options: CodecServerOptions,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  allowOrigin(options, request, response);
  const { pathname } = new URL(request.url ?? '/', 'http://localhost');
  const method = request.method ?? 'GET';
  if (method === 'OPTIONS') response.writeHead(204).end();
  else if (method === 'GET' && pathname === '/') respondWithPage(response);
  else if (method === 'POST' && pathname === '/login') await login(options, request, response);
  else if (method === 'POST' && (pathname === '/encode' || pathname === '/decode')) {
    requireToken(options, request);
    const payloads = parsePayloads(await readBody(request));
    const converted = pathname === '/encode' ? await encode(options, payloads) : await decode(options, payloads);
    respond(response, 200, { payloads: converted.map(toPayloadJson) });
  } else throw new Refusal(404, 'Not found. Use POST /encode or POST /decode.');
}

/** @throws Refusal for pages of any other origin. */
function allowOrigin({ origins }: CodecServerOptions, { headers }: IncomingMessage, response: ServerResponse): void {
  response.setHeader('vary', 'origin');
  response.setHeader('cache-control', 'no-store');
  const { origin, host } = headers;
  if (origin === undefined || origin === `http://${host ?? ''}` || origin === `https://${host ?? ''}`) return;
  if (!origins.includes(origin))
    throw new Refusal(403, 'Pages of this origin are not allowed. Allow it with --origin.');
  response.setHeader('access-control-allow-origin', origin);
  response.setHeader('access-control-allow-credentials', 'true');
  response.setHeader('access-control-allow-methods', 'POST, OPTIONS');
  response.setHeader('access-control-allow-headers', 'authorization, content-type, x-namespace');
  response.setHeader('access-control-max-age', '600');
}

function requireToken({ token }: CodecServerOptions, { headers }: IncomingMessage): void {
  const [, bearer] = /^Bearer (.+)$/i.exec(headers.authorization ?? '') ?? [];
  const cookie = (headers.cookie ?? '')
    .split(';')
    .map((part) => part.trim())
    .find((part) => part.startsWith(`${COOKIE}=`));
  const isKnown =
    (bearer !== undefined && isSame(bearer, token)) ||
    (cookie !== undefined && isSame(cookie.slice(COOKIE.length + 1), toCookie(token)));
  if (!isKnown) throw new Refusal(401, 'The token is missing or wrong. Send it as `Authorization: Bearer …`.');
}

/** Sets the cookie for the UI, which can send cookies but no token of ours. */
async function login({ token }: CodecServerOptions, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const given = new URLSearchParams(await readBody(request)).get('token') ?? '';
  if (!isSame(given, token)) throw new Refusal(401, 'The token is wrong.');
  const cookie = `${COOKIE}=${toCookie(token)}; Max-Age=${COOKIE_SECONDS}; Path=/; HttpOnly; SameSite=Strict`;
  response.writeHead(200, { 'set-cookie': cookie, 'content-type': 'text/plain; charset=utf-8' });
  response.end('This browser may now decode payloads. In the Temporal UI, set this server as the codec endpoint.\n');
}

/** Derives the cookie from the token, so that a stolen cookie opens this server and nothing else. */
const toCookie = (token: string): string => createHash('sha256').update(`cookie ${token}`).digest('hex');

function isSame(given: string, expected: string): boolean {
  const digest = (text: string): Buffer => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(given), digest(expected));
}

async function encode({ ring }: CodecServerOptions, payloads: readonly Payload[]): Promise<readonly Payload[]> {
  return createPayloadCodec(ring).encode([...payloads]);
}

/** Decodes payloads. One that cannot be opened stays as it is and does not hide the others. */
async function decode({ ring }: CodecServerOptions, payloads: readonly Payload[]): Promise<readonly Payload[]> {
  const codec = createPayloadCodec(ring);
  return Promise.all(
    payloads.map(async (payload) => {
      try {
        const [opened] = await codec.decode([payload]);
        return opened ?? payload;
      } catch (error) {
        if (error instanceof SealError) return payload;
        throw error;
      }
    }),
  );
}

function parsePayloads(body: string): readonly Payload[] {
  try {
    const json: unknown = JSON.parse(body);
    if (typeof json === 'object' && json !== null && 'payloads' in json && Array.isArray(json.payloads))
      return json.payloads.map(parsePayload);
  } catch {
    // Not JSON, or not payloads: a fault of the caller either way.
  }
  throw new Refusal(400, 'The body must be JSON: { "payloads": [ … ] }.');
}

async function readBody(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request) {
    if (!Buffer.isBuffer(chunk)) continue;
    bytes += chunk.length;
    if (bytes > MAX_BODY_BYTES) throw new Refusal(413, 'The body is larger than 8 MiB.');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

function respondWithPage(response: ServerResponse): void {
  response.writeHead(200, {
    'content-type': 'text/html; charset=utf-8',
    'content-security-policy': "default-src 'none'; form-action 'self'; frame-ancestors 'none'",
  });
  response.end(PAGE);
}

function respond(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}
