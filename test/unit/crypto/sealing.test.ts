import { describe, expect, test } from '@jest/globals';
import {
  SealBroken,
  derivedKeyRing,
  digester,
  fingerprintOf,
  keyRingOf,
  seal,
  unseal,
} from '../../../src/crypto/sealing.js';
import type { KeyRing } from '../../../src/crypto/sealing.js';

const TEXT = 'papi-secret ünïcödé';
const CONTEXT = { connectionId: 'default', purpose: 'client-secret' };
const OLD = `2026:${Buffer.alloc(32, 1).toString('base64')}`;
const NEW = `2027:${Buffer.alloc(32, 2).toString('base64')}`;

async function brokenBy(opening: Promise<unknown>): Promise<SealBroken> {
  const error: unknown = await opening.then(
    () => null,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(SealBroken);
  return error as SealBroken;
}

describe('a sealed text', () => {
  test('opens to what was sealed', async () => {
    const ring = keyRingOf([OLD]);
    const sealed = await seal(ring, TEXT, CONTEXT);
    expect(sealed).not.toContain('papi-secret');
    expect(await unseal(ring, sealed, CONTEXT)).toBe(TEXT);
  });

  test('is another one each time', async () => {
    const ring = keyRingOf([OLD]);
    expect(await seal(ring, TEXT, CONTEXT)).not.toBe(await seal(ring, TEXT, CONTEXT));
  });

  test.each([
    { name: 'another connection', context: { ...CONTEXT, connectionId: 'subsidiary' } },
    { name: 'another purpose', context: { ...CONTEXT, purpose: 'token' } },
  ])('is refused for $name', async ({ context }) => {
    const ring = keyRingOf([OLD]);
    const error = await brokenBy(unseal(ring, await seal(ring, TEXT, CONTEXT), context));
    expect(error.message).toContain('another connection or purpose');
  });

  test('is refused when its header was changed to fit another connection', async () => {
    const ring = keyRingOf([OLD]);
    const [header = '', ...rest] = (await seal(ring, TEXT, CONTEXT)).split('.');
    const fields = JSON.parse(Buffer.from(header, 'base64url').toString()) as object;
    const forged = Buffer.from(JSON.stringify({ ...fields, connection: 'subsidiary' })).toString('base64url');
    await brokenBy(unseal(ring, [forged, ...rest].join('.'), { ...CONTEXT, connectionId: 'subsidiary' }));
  });

  test('is refused when any of its parts was changed', async () => {
    const ring = keyRingOf([OLD]);
    const sealed = await seal(ring, TEXT, CONTEXT);
    for (const part of [2, 3, 4]) {
      const parts = sealed.split('.');
      const text = parts[part] ?? '';
      parts[part] = `${text.startsWith('A') ? 'B' : 'A'}${text.slice(1)}`;
      await brokenBy(unseal(ring, parts.join('.'), CONTEXT));
    }
  });

  test('says nothing of the text or the key when it cannot be opened', async () => {
    const sealed = await seal(keyRingOf([OLD]), TEXT, CONTEXT);
    const other = keyRingOf([`2026:${Buffer.alloc(32, 9).toString('base64')}`]);
    const errors = [
      await brokenBy(unseal(other, sealed, CONTEXT)),
      await brokenBy(unseal(keyRingOf([NEW]), sealed, CONTEXT)),
      await brokenBy(unseal(other, 'no sealed text', CONTEXT)),
    ];
    for (const error of errors) {
      const shown = `${error.message}${error.stack ?? ''}${String(error.cause)}`;
      for (const secret of [TEXT, 'papi-secret', sealed, OLD.slice(5), 'CQkJ']) expect(shown).not.toContain(secret);
      expect(error.cause).toBeUndefined();
    }
  });
});

describe('a key ring', () => {
  test('that was rotated opens old texts, and seals with its first key', async () => {
    const old = await seal(keyRingOf([OLD]), TEXT, CONTEXT);
    const rotated = keyRingOf([NEW, OLD]);
    expect(await unseal(rotated, old, CONTEXT)).toBe(TEXT);
    const fresh = await seal(rotated, TEXT, CONTEXT);
    expect(await unseal(keyRingOf([NEW]), fresh, CONTEXT)).toBe(TEXT);
    await brokenBy(unseal(keyRingOf([OLD]), fresh, CONTEXT));
  });

  test('that lost its old key says so', async () => {
    const old = await seal(keyRingOf([OLD]), TEXT, CONTEXT);
    expect((await brokenBy(unseal(keyRingOf([NEW]), old, CONTEXT))).message).toContain('PERSONIO_SYNC_KEYS');
  });

  test('without keys seals nothing', async () => {
    const none: KeyRing = [];
    expect((await brokenBy(seal(none, TEXT, CONTEXT))).message).toContain('PERSONIO_SYNC_KEYS');
  });

  test('derived from a secret is the same for the same secret and purpose alone', async () => {
    const sealed = await seal(derivedKeyRing('secret', 'token'), TEXT, CONTEXT);
    expect(await unseal(derivedKeyRing('secret', 'token'), sealed, CONTEXT)).toBe(TEXT);
    await brokenBy(unseal(derivedKeyRing('another', 'token'), sealed, CONTEXT));
    await brokenBy(unseal(derivedKeyRing('secret', 'other'), sealed, CONTEXT));
  });
});

describe('digests', () => {
  test('are equal for equal texts under one key, and say nothing else', () => {
    const digest = digester(Buffer.alloc(32, 1));
    expect(digest('Sales')).toBe(digest('Sales'));
    expect(digest('Sales')).not.toBe(digest('IT'));
    expect(digest('Sales')).not.toBe(digester(Buffer.alloc(32, 2))('Sales'));
    expect(digest('Sales')).toMatch(/^[0-9a-f]{20}$/);
  });

  test('a fingerprint tells secrets apart', () => {
    expect(fingerprintOf('one')).toBe(fingerprintOf('one'));
    expect(fingerprintOf('one')).not.toBe(fingerprintOf('two'));
  });
});
