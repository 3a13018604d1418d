import { CompactEncrypt, compactDecrypt } from 'jose';
import { SealError, findKeyId } from './sealing.js';
import type { KeyRing } from './sealing.js';

/** Encrypts bytes as a compact JWE (`dir`, A256GCM) under the first key, whose id stands in the header. */
export async function encryptBytes(ring: KeyRing, bytes: Uint8Array): Promise<string> {
  const [first] = ring;
  if (first === undefined) throw new SealError('There is no key to encrypt with: set PERSONIO_SYNC_PAYLOAD_KEYS.');
  return new CompactEncrypt(bytes).setProtectedHeader({ alg: 'dir', enc: 'A256GCM', kid: first.id }).encrypt(first.key);
}

/** @throws SealBroken when the key is missing or a byte was changed; says nothing of the content. */
export async function decryptBytes(ring: KeyRing, encrypted: string): Promise<Uint8Array> {
  const id = findKeyId(encrypted);
  const key = ring.find((known) => known.id === id);
  if (key === undefined) {
    const name = id !== null && /^[\w.-]{1,64}$/.test(id) ? ` ${id}` : '';
    throw new SealError(
      `A payload is encrypted under the key${name}, which PERSONIO_SYNC_PAYLOAD_KEYS does not have. Add it behind the first.`,
    );
  }
  try {
    return (await compactDecrypt(encrypted, key.key, { contentEncryptionAlgorithms: ['A256GCM'] })).plaintext;
  } catch {
    throw new SealError('A payload cannot be decrypted: it was changed, or the key of that name is another one.');
  }
}
