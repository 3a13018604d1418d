import { randomBytes } from 'node:crypto';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Payload } from '@temporalio/common';
import { defaultPayloadConverter } from '@temporalio/common';
import { keyRingOf } from '../../../src/crypto/sealing.js';
import type { KeyRing } from '../../../src/crypto/sealing.js';
import { createCodecServer } from '../../../src/temporal/codec-server.js';
import { createPayloadCodec, jsonOf, payloadOf } from '../../../src/temporal/codec.js';

const ringOf = (...ids: string[]): KeyRing =>
  keyRingOf(ids.map((id) => `${id}:${Buffer.alloc(32, id).toString('base64')}`));
const plain = (value: unknown): Payload => defaultPayloadConverter.toPayload(value);
const valueOf = (payload: Payload | undefined): unknown => defaultPayloadConverter.fromPayload(payload ?? {});
const textOf = (payload: Payload | undefined): string => Buffer.from(payload?.data ?? []).toString();

async function only(payloads: Promise<Payload[]>): Promise<Payload> {
  const [payload] = await payloads;
  if (payload === undefined) throw new Error('There is no payload.');
  return payload;
}

describe('the payload codec', () => {
  const codec = createPayloadCodec(ringOf('k1'));

  test.each([{ employee: 'Ada "ünïcödé"' }, 'text', null, undefined, 7, [1, 2], new Uint8Array([0, 255, 128])])(
    'gives back what it encrypted: %p',
    async (value) => {
      const encrypted = await only(codec.encode([plain(value)]));
      expect(textOf(encrypted)).not.toContain('Ada');
      expect(valueOf(await only(codec.decode([encrypted])))).toEqual(value);
    },
  );

  test('lets foreign payloads through, encrypted ones of another codec included', async () => {
    const foreign = { metadata: { encoding: Buffer.from('binary/encrypted') }, data: Buffer.from('xx') };
    expect(await codec.decode([foreign, plain('clear')])).toEqual([foreign, plain('clear')]);
  });

  test('encrypts nothing twice, and nothing without a key', async () => {
    const encrypted = await only(codec.encode([plain('x')]));
    expect(await only(codec.encode([encrypted]))).toBe(encrypted);
    expect(await only(createPayloadCodec([]).encode([plain('x')]))).toEqual(plain('x'));
  });

  test('opens old payloads after a rotation, and names the key that is missing', async () => {
    const old = await only(codec.encode([plain('old')]));
    expect(valueOf(await only(createPayloadCodec(ringOf('k2', 'k1')).decode([old])))).toBe('old');
    await expect(createPayloadCodec(ringOf('k2')).decode([old])).rejects.toThrow(
      /the key k1.*PERSONIO_SYNC_PAYLOAD_KEYS/,
    );
    await expect(createPayloadCodec([]).decode([old])).rejects.toThrow(/the key k1/);
  });

  test('refuses a changed payload without showing any of it', async () => {
    const { metadata, data } = await only(codec.encode([plain('top secret')]));
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
  const server = createCodecServer({ ring: ringOf('k1'), token, origins: [origin] });
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
  const bodyOf = (...payloads: Payload[]): string => JSON.stringify({ payloads: payloads.map(jsonOf) });

  async function decoded(response: Response): Promise<readonly Payload[]> {
    return ((await response.json()) as { payloads: unknown[] }).payloads.map(payloadOf);
  }

  test('encodes, decodes, and leaves what it cannot open as it is', async () => {
    const [encrypted = {}] = await decoded(await post('/encode', bodyOf(plain('hello'))));
    expect(textOf(encrypted)).not.toContain('hello');
    const other = await only(createPayloadCodec(ringOf('k9')).encode([plain('other')]));
    const answer = await post('/decode', bodyOf(encrypted, other), { origin });
    const [opened, kept] = await decoded(answer);
    expect([valueOf(opened), textOf(kept)]).toEqual(['hello', textOf(other)]);
    expect(answer.headers.get('access-control-allow-origin')).toBe(origin);
  });

  test('answers nobody without the token, and no page of another origin', async () => {
    for (const authorization of ['', 'Bearer wrong', `Basic ${token}`])
      expect((await post('/decode', bodyOf(), { authorization })).status).toBe(401);
    const foreign = await post('/decode', bodyOf(), { origin: 'https://evil.example' });
    expect([foreign.status, foreign.headers.get('access-control-allow-origin')]).toEqual([403, null]);
    const preflight = async (of: string): Promise<number> =>
      (await fetch(`${url}/decode`, { method: 'OPTIONS', headers: { origin: of } })).status;
    expect([await preflight(origin), await preflight('https://evil.example')]).toEqual([204, 403]);
  });

  test('lets a browser in by its cookie, which is not the token', async () => {
    const form = { authorization: '', 'content-type': 'application/x-www-form-urlencoded' };
    expect((await post('/login', 'token=wrong', form)).status).toBe(401);
    const login = await post('/login', `token=${token}`, form);
    const cookie = login.headers.get('set-cookie') ?? '';
    expect(cookie).toMatch(/HttpOnly; SameSite=Strict/);
    expect(cookie).not.toContain(token);
    const answer = await post('/decode', bodyOf(), { authorization: '', cookie: cookie.split(';')[0] ?? '', origin });
    expect(answer.status).toBe(200);
  });

  test.each(['', 'null', '{}', '{"payloads":[7]}', '{"payloads":[{"metadata":{"encoding":7}}]}', '<html>'])(
    'refuses the body %p',
    async (body) => expect((await post('/decode', body)).status).toBe(400),
  );

  test('refuses a body of 10 MB, and other paths', async () => {
    const status = await post('/decode', 'x'.repeat(10_000_000)).then(
      (answer) => answer.status,
      () => 'cut off',
    );
    expect([413, 'cut off']).toContain(status);
    expect((await post('/', bodyOf())).status).toBe(404);
  });
});
