import { createHmac, hkdfSync } from 'node:crypto';
import { CompactEncrypt, compactDecrypt, decodeProtectedHeader } from 'jose';

/** A 32-byte key, and the id by which sealed texts refer to it. */
export interface SealingKey {
  readonly id: string;
  readonly key: Uint8Array;
}

/** Keys of which the first one seals and all of them open. */
export type KeyRing = readonly SealingKey[];

/** Authenticated with a sealed text, which opens for the same connection and purpose only. */
export interface SealingContext {
  readonly connectionId: string;
  readonly purpose: string;
}

/** Thrown when a text cannot be sealed or opened. Contains neither the text nor a key. */
export class SealError extends Error {
  override readonly name = 'SealError';
  /** Somebody must set or correct a key; a retry does not help. */
  readonly type = 'SealBroken';
}

const DIGEST_HEX_DIGITS = 20;

/** Parses entries of the form `id:base64`, as checked by the settings. */
export function parseKeyRing(entries: readonly string[]): KeyRing {
  return entries.map((entry) => {
    const colon = entry.indexOf(':');
    return { id: entry.slice(0, colon), key: Buffer.from(entry.slice(colon + 1), 'base64') };
  });
}

/** Derives a ring of one key from a secret with HKDF-SHA-256 (RFC 5869), for installations without a ring. */
export function deriveKeyRing(secret: string, purpose: string): KeyRing {
  const key = Buffer.from(hkdfSync('sha256', secret, 'personio-sync', purpose, 32));
  return [{ id: `derived-${createHmac('sha256', key).update('id').digest('hex').slice(0, 8)}`, key }];
}

/**
 * Seals a text as a compact JWE (`dir`, A256GCM). Key id, connection and purpose are in the authenticated header.
 *
 * @throws SealError if the ring is empty.
 */
export async function seal(ring: KeyRing, text: string, context: SealingContext): Promise<string> {
  const [first] = ring;
  if (first === undefined) throw new SealError('There is no key to seal with. Set PERSONIO_SYNC_KEYS.');
  return new CompactEncrypt(new TextEncoder().encode(text))
    .setProtectedHeader({
      alg: 'dir',
      enc: 'A256GCM',
      kid: first.id,
      connection: context.connectionId,
      purpose: context.purpose,
    })
    .encrypt(first.key);
}

/**
 * Opens a sealed text.
 *
 * @throws SealError if the ring lacks the key, the context differs, or a byte was changed.
 */
export async function unseal(ring: KeyRing, sealed: string, context: SealingContext): Promise<string> {
  const header = parseHeader(sealed);
  const key = ring.find(({ id }) => id === header['kid']);
  if (key === undefined)
    throw new SealError(
      'A stored secret is sealed under a key that PERSONIO_SYNC_KEYS lacks. Add that key after the first one.',
    );
  if (header['connection'] !== context.connectionId || header['purpose'] !== context.purpose) {
    throw new SealError('A stored secret was sealed for another connection or purpose.');
  }
  try {
    const { plaintext } = await compactDecrypt(sealed, key.key);
    return new TextDecoder().decode(plaintext);
  } catch {
    // The library's reason could contain what must not be shown.
    throw new SealError(
      'A stored secret cannot be opened: it was changed, or its key was replaced under the same name.',
    );
  }
}

/** Returns the id of the key that sealed a text; null if the text is not a sealed one. */
export function findKeyId(sealed: string): string | null {
  try {
    const { kid } = decodeProtectedHeader(sealed);
    return typeof kid === 'string' ? kid : null;
  } catch {
    return null;
  }
}

function parseHeader(sealed: string): Readonly<Record<string, unknown>> {
  try {
    return decodeProtectedHeader(sealed);
  } catch {
    throw new SealError('A stored secret is not a sealed text.');
  }
}

/** Creates a keyed digest for event ids: equal values have equal digests, which reveal nothing else. */
export function createDigester(key: Uint8Array): (text: string) => string {
  return (text) => createHmac('sha256', key).update(text).digest('hex').slice(0, DIGEST_HEX_DIGITS);
}

/** Returns a digest of a secret by which a changed secret is noticed. */
export function computeFingerprint(secret: string): string {
  return createHmac('sha256', 'personio-sync fingerprint').update(secret).digest('hex').slice(0, 16);
}
