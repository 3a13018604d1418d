import { describe, expect, test } from '@jest/globals';
import {
  SealError,
  deriveKeyRing,
  createDigester,
  computeFingerprint,
  parseKeyRing,
  seal,
  unseal,
} from '../../../src/crypto/sealing.js';
import type { KeyRing } from '../../../src/crypto/sealing.js';

const TEXT = 'papi-secret ünïcödé';
const CONTEXT = { connectionId: 'default', purpose: 'client-secret' };
const OLD = `2026:${Buffer.alloc(32, 1).toString('base64')}`;
const NEW = `2027:${Buffer.alloc(32, 2).toString('base64')}`;

async function catchSealError(opening: Promise<unknown>): Promise<SealError> {
  const error: unknown = await opening.then(
    () => null,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(SealError);
  return error as SealError;
}

describe('a sealed text', () => {
  test('opens to the original', async () => {
    const ring = parseKeyRing([OLD]);
    const sealed = await seal(ring, TEXT, CONTEXT);
    expect(sealed).not.toContain('papi-secret');
    expect(await unseal(ring, sealed, CONTEXT)).toBe(TEXT);
  });

  test('differs each time', async () => {
    const ring = parseKeyRing([OLD]);
    expect(await seal(ring, TEXT, CONTEXT)).not.toBe(await seal(ring, TEXT, CONTEXT));
  });

  test.each([
    { name: 'another connection', context: { ...CONTEXT, connectionId: 'subsidiary' } },
    { name: 'another purpose', context: { ...CONTEXT, purpose: 'token' } },
  ])('is refused for $name', async ({ context }) => {
    const ring = parseKeyRing([OLD]);
    const error = await catchSealError(unseal(ring, await seal(ring, TEXT, CONTEXT), context));
    expect(error.message).toContain('another connection or purpose');
  });

  test('is refused if its header was changed to another connection', async () => {
    const ring = parseKeyRing([OLD]);
    const [header = '', ...rest] = (await seal(ring, TEXT, CONTEXT)).split('.');
    const fields = JSON.parse(Buffer.from(header, 'base64url').toString()) as object;
    const forged = Buffer.from(JSON.stringify({ ...fields, connection: 'subsidiary' })).toString('base64url');
    await catchSealError(unseal(ring, [forged, ...rest].join('.'), { ...CONTEXT, connectionId: 'subsidiary' }));
  });

  test('is refused if any part was changed', async () => {
    const ring = parseKeyRing([OLD]);
    const sealed = await seal(ring, TEXT, CONTEXT);
    for (const part of [2, 3, 4]) {
      const parts = sealed.split('.');
      const text = parts[part] ?? '';
      parts[part] = `${text.startsWith('A') ? 'B' : 'A'}${text.slice(1)}`;
      await catchSealError(unseal(ring, parts.join('.'), CONTEXT));
    }
  });

  test('reveals neither text nor key if it cannot be opened', async () => {
    const sealed = await seal(parseKeyRing([OLD]), TEXT, CONTEXT);
    const other = parseKeyRing([`2026:${Buffer.alloc(32, 9).toString('base64')}`]);
    const errors = [
      await catchSealError(unseal(other, sealed, CONTEXT)),
      await catchSealError(unseal(parseKeyRing([NEW]), sealed, CONTEXT)),
      await catchSealError(unseal(other, 'no sealed text', CONTEXT)),
    ];
    for (const error of errors) {
      const shown = `${error.message}${error.stack ?? ''}${String(error.cause)}`;
      for (const secret of [TEXT, 'papi-secret', sealed, OLD.slice(5), 'CQkJ']) expect(shown).not.toContain(secret);
      expect(error.cause).toBeUndefined();
    }
  });
});

describe('a key ring', () => {
  test('opens old texts after a rotation, and seals with its first key', async () => {
    const old = await seal(parseKeyRing([OLD]), TEXT, CONTEXT);
    const rotated = parseKeyRing([NEW, OLD]);
    expect(await unseal(rotated, old, CONTEXT)).toBe(TEXT);
    const fresh = await seal(rotated, TEXT, CONTEXT);
    expect(await unseal(parseKeyRing([NEW]), fresh, CONTEXT)).toBe(TEXT);
    await catchSealError(unseal(parseKeyRing([OLD]), fresh, CONTEXT));
  });

  test('reports a lost key', async () => {
    const old = await seal(parseKeyRing([OLD]), TEXT, CONTEXT);
    expect((await catchSealError(unseal(parseKeyRing([NEW]), old, CONTEXT))).message).toContain('PERSONIO_SYNC_KEYS');
  });

  test('seals nothing without keys', async () => {
    const none: KeyRing = [];
    expect((await catchSealError(seal(none, TEXT, CONTEXT))).message).toContain('PERSONIO_SYNC_KEYS');
  });

  test('derived from a secret depends on secret and purpose', async () => {
    const sealed = await seal(deriveKeyRing('secret', 'token'), TEXT, CONTEXT);
    expect(await unseal(deriveKeyRing('secret', 'token'), sealed, CONTEXT)).toBe(TEXT);
    await catchSealError(unseal(deriveKeyRing('another', 'token'), sealed, CONTEXT));
    await catchSealError(unseal(deriveKeyRing('secret', 'other'), sealed, CONTEXT));
  });
});

describe('a digest', () => {
  test('is equal for equal texts under one key, and reveals nothing else', () => {
    const digest = createDigester(Buffer.alloc(32, 1));
    expect(digest('Sales')).toBe(digest('Sales'));
    expect(digest('Sales')).not.toBe(digest('IT'));
    expect(digest('Sales')).not.toBe(createDigester(Buffer.alloc(32, 2))('Sales'));
    expect(digest('Sales')).toMatch(/^[0-9a-f]{20}$/);
  });

  test('a fingerprint distinguishes secrets', () => {
    expect(computeFingerprint('one')).toBe(computeFingerprint('one'));
    expect(computeFingerprint('one')).not.toBe(computeFingerprint('two'));
  });
});
