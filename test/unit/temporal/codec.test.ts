import { randomBytes } from 'node:crypto';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Payload } from '@temporalio/common';
import { defaultPayloadConverter } from '@temporalio/common';
import { parseKeyRing } from '../../../src/crypto/sealing.js';
import type { KeyRing } from '../../../src/crypto/sealing.js';
import { createCodecServer } from '../../../src/temporal/codec-server.js';
import { createPayloadCodec, toPayloadJson, parsePayload } from '../../../src/temporal/codec.js';

const createRing = (...ids: string[]): KeyRing =>
  parseKeyRing(ids.map((id) => `${id}:${Buffer.alloc(32, id).toString('base64')}`));
const toPayload = (value: unknown): Payload => defaultPayloadConverter.toPayload(value);
const fromPayload = (payload: Payload | undefined): unknown => defaultPayloadConverter.fromPayload(payload ?? {});
const toText = (payload: Payload | undefined): string => Buffer.from(payload?.data ?? []).toString();

async function getOnly(payloads: Promise<Payload[]>): Promise<Payload> {
  const [payload] = await payloads;
  if (payload === undefined) throw new Error('There is no payload.');
  return payload;
}

describe('the payload codec', () => {
  const codec = createPayloadCodec(createRing('k1'));

  test.each([{ employee: 'Ada "ünïcödé"' }, 'text', null, undefined, 7, [1, 2], new Uint8Array([0, 255, 128])])(
    'gives back what it encrypted: %p',
    async (value) => {
      const encrypted = await getOnly(codec.encode([toPayload(value)]));
      expect(toText(encrypted)).not.toContain('Ada');
      expect(fromPayload(await getOnly(codec.decode([encrypted])))).toEqual(value);
    },
  );

  test('passes foreign payloads, including those of another codec', async () => {
    const foreign = { metadata: { encoding: Buffer.from('binary/encrypted') }, data: Buffer.from('xx') };
    expect(await codec.decode([foreign, toPayload('clear')])).toEqual([foreign, toPayload('clear')]);
  });

  test('encrypts nothing twice, and nothing without a key', async () => {
    const encrypted = await getOnly(codec.encode([toPayload('x')]));
    expect(await getOnly(codec.encode([encrypted]))).toBe(encrypted);
    expect(await getOnly(createPayloadCodec([]).encode([toPayload('x')]))).toEqual(toPayload('x'));
  });

  test('decrypts old payloads after a rotation, and names a missing key', async () => {
    const old = await getOnly(codec.encode([toPayload('old')]));
    expect(fromPayload(await getOnly(createPayloadCodec(createRing('k2', 'k1')).decode([old])))).toBe('old');
    await expect(createPayloadCodec(createRing('k2')).decode([old])).rejects.toThrow(
      /the key k1.*PERSONIO_SYNC_PAYLOAD_KEYS/,
    );
    await expect(createPayloadCodec([]).decode([old])).rejects.toThrow(/the key k1/);
  });

  test('refuses a changed payload without showing any of it', async () => {
    const { metadata, data } = await getOnly(codec.encode([toPayload('top secret')]));
    const bytes = Buffer.from(data ?? []);
    bytes.write(bytes.toString('utf8', bytes.length - 1) === 'A' ? 'B' : 'A', bytes.length - 4);
    const error: unknown = await codec
      .decode([{ ...(metadata ? { metadata } : {}), data: bytes }])
      .catch((reason: unknown) => reason);
    expect(String(error)).toMatch(/cannot be decrypted/);
    expect(String(error)).not.toContain('secret');
  });
});

describe('the codec server', () => {
  const token = randomBytes(16).toString('hex');
  const origin = 'http://localhost:8233';
  const server = createCodecServer({ ring: createRing('k1'), token, origins: [origin] });
  let url = '';
  beforeAll(async () => {
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  afterAll(() => {
    server.closeAllConnections();
    server.close();
  });

  const post = async (path: string, body: string, headers: Record<string, string> = {}): Promise<Response> =>
    fetch(`${url}${path}`, { method: 'POST', body, headers: { authorization: `Bearer ${token}`, ...headers } });
  const formatBody = (...payloads: Payload[]): string => JSON.stringify({ payloads: payloads.map(toPayloadJson) });

  async function parseResponse(response: Response): Promise<readonly Payload[]> {
    return ((await response.json()) as { payloads: unknown[] }).payloads.map(parsePayload);
  }

  test('encodes and decodes, and returns what it cannot decrypt unchanged', async () => {
    const [encrypted = {}] = await parseResponse(await post('/encode', formatBody(toPayload('hello'))));
    expect(toText(encrypted)).not.toContain('hello');
    const other = await getOnly(createPayloadCodec(createRing('k9')).encode([toPayload('other')]));
    const response = await post('/decode', formatBody(encrypted, other), { origin });
    const [opened, kept] = await parseResponse(response);
    expect([fromPayload(opened), toText(kept)]).toEqual(['hello', toText(other)]);
    expect(response.headers.get('access-control-allow-origin')).toBe(origin);
  });

  test('refuses requests without the token and pages of other origins', async () => {
    for (const authorization of ['', 'Bearer wrong', `Basic ${token}`])
      expect((await post('/decode', formatBody(), { authorization })).status).toBe(401);
    const foreign = await post('/decode', formatBody(), { origin: 'https://evil.example' });
    expect([foreign.status, foreign.headers.get('access-control-allow-origin')]).toEqual([403, null]);
    const sendPreflight = async (of: string): Promise<number> =>
      (await fetch(`${url}/decode`, { method: 'OPTIONS', headers: { origin: of } })).status;
    expect([await sendPreflight(origin), await sendPreflight('https://evil.example')]).toEqual([204, 403]);
  });

  test('accepts a browser by its cookie, which is not the token', async () => {
    const form = { authorization: '', 'content-type': 'application/x-www-form-urlencoded' };
    expect((await post('/login', 'token=wrong', form)).status).toBe(401);
    const login = await post('/login', `token=${token}`, form);
    const cookie = login.headers.get('set-cookie') ?? '';
    expect(cookie).toMatch(/HttpOnly; SameSite=Strict/);
    expect(cookie).not.toContain(token);
    const response = await post('/decode', formatBody(), {
      authorization: '',
      cookie: cookie.split(';')[0] ?? '',
      origin,
    });
    expect(response.status).toBe(200);
  });

  test.each(['', 'null', '{}', '{"payloads":[7]}', '{"payloads":[{"metadata":{"encoding":7}}]}', '<html>'])(
    'refuses the body %p',
    async (body) => expect((await post('/decode', body)).status).toBe(400),
  );

  test('refuses a body of 10 MB, and other paths', async () => {
    const status = await post('/decode', 'x'.repeat(10_000_000)).then(
      (response) => response.status,
      () => 'cut off',
    );
    expect([413, 'cut off']).toContain(status);
    expect((await post('/', formatBody())).status).toBe(404);
  });
});
