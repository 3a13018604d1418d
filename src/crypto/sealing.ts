import { createHmac, hkdfSync } from 'node:crypto';
import { CompactEncrypt, compactDecrypt, decodeProtectedHeader } from 'jose';

/** A 32-byte key and the name under which sealed texts refer to it. */
export interface SealingKey {
  readonly id: string;
  readonly key: Uint8Array;
}

/** The first key seals, all open. */
export type KeyRing = readonly SealingKey[];

/** What a sealed text is bound to: it opens for the same connection and purpose only. */
export interface SealingContext {
  readonly connectionId: string;
  readonly purpose: string;
}

/** A sealed text that cannot be opened. Carries neither the text nor a key. */
export class SealError extends Error {
  override readonly name = 'SealError';
  /** Somebody has to set or correct a key; trying again does not help. */
  readonly type = 'SealBroken';
}

const DIGEST_HEX_DIGITS = 20;

/** @param entries `id:base64` each, as checked by the settings. */
export function parseKeyRing(entries: readonly string[]): KeyRing {
  return entries.map((entry) => {
    const colon = entry.indexOf(':');
    return { id: entry.slice(0, colon), key: Buffer.from(entry.slice(colon + 1), 'base64') };
  });
}

/** A key ring of one key, derived from a secret with HKDF-SHA-256 (RFC 5869), where no ring is set. */
export function deriveKeyRing(secret: string, purpose: string): KeyRing {
  const key = Buffer.from(hkdfSync('sha256', secret, 'personio-sync', purpose, 32));
  return [{ id: `derived-${createHmac('sha256', key).update('id').digest('hex').slice(0, 8)}`, key }];
}

/** Seals as a compact JWE (`dir`, A256GCM); key id, connection and purpose stand in the authenticated header. */
export async function seal(ring: KeyRing, text: string, context: SealingContext): Promise<string> {
  const [first] = ring;
  if (first === undefined) throw new SealError('There is no key to seal with: set PERSONIO_SYNC_KEYS.');
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

/** @throws SealBroken when the key is missing, the context is another, or a byte was changed. */
export async function unseal(ring: KeyRing, sealed: string, context: SealingContext): Promise<string> {
  const header = parseHeader(sealed);
  const key = ring.find(({ id }) => id === header['kid']);
  if (key === undefined)
    throw new SealError(`A stored secret is sealed under a key that PERSONIO_SYNC_KEYS does not have.`);
  if (header['connection'] !== context.connectionId || header['purpose'] !== context.purpose) {
    throw new SealError('A stored secret belongs to another connection or purpose than it stands in.');
  }
  try {
    const { plaintext } = await compactDecrypt(sealed, key.key);
    return new TextDecoder().decode(plaintext);
  } catch {
    // The library's reason could only repeat what must not be shown.
    throw new SealError('A stored secret cannot be opened: it was changed, or the key of that name is another one.');
  }
}

/** @returns the id of the key under which a text is sealed; null where it is no sealed text. */
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
    throw new SealError('A stored secret is no sealed text.');
  }
}

/** @returns a keyed digest for event ids: says whether two values are equal, and nothing about them. */
export function createDigester(key: Uint8Array): (text: string) => string {
  return (text) => createHmac('sha256', key).update(text).digest('hex').slice(0, DIGEST_HEX_DIGITS);
}

/** @returns a digest of a secret, to notice that it is another one. */
export function computeFingerprint(secret: string): string {
  return createHmac('sha256', 'personio-sync fingerprint').update(secret).digest('hex').slice(0, 16);
}
