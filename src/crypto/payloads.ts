import { CompactEncrypt, compactDecrypt } from 'jose';
import { SealError, findKeyId } from './sealing.js';
import type { KeyRing } from './sealing.js';

/**
 * Encrypts bytes as a compact JWE (`dir`, A256GCM) under the first key, whose id is in the header.
 *
 * @throws SealError if the ring is empty.
 */
export async function encryptBytes(ring: KeyRing, bytes: Uint8Array): Promise<string> {
  const [first] = ring;
  if (first === undefined) throw new SealError('There is no key to encrypt with. Set PERSONIO_SYNC_PAYLOAD_KEYS.');
  return new CompactEncrypt(bytes).setProtectedHeader({ alg: 'dir', enc: 'A256GCM', kid: first.id }).encrypt(first.key);
}

/**
 * Decrypts bytes that `encryptBytes` encrypted.
 *
 * @throws SealError if the ring lacks the key or a byte was changed; never shows the content.
 */
export async function decryptBytes(ring: KeyRing, encrypted: string): Promise<Uint8Array> {
  const id = findKeyId(encrypted);
  const key = ring.find((known) => known.id === id);
  if (key === undefined) {
    const name = id !== null && /^[\w.-]{1,64}$/.test(id) ? ` ${id}` : '';
    throw new SealError(
      `A payload is encrypted under the key${name}, which PERSONIO_SYNC_PAYLOAD_KEYS lacks. ` +
        'Add it after the first key.',
    );
  }
  try {
    return (await compactDecrypt(encrypted, key.key, { contentEncryptionAlgorithms: ['A256GCM'] })).plaintext;
  } catch {
    throw new SealError('A payload cannot be decrypted: it was changed, or its key was replaced under the same name.');
  }
}
