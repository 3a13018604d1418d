import { fileURLToPath } from 'node:url';
import type { DataConverter, Payload, PayloadCodec } from '@temporalio/common';
import { decryptBytes, encryptBytes } from '../crypto/payloads.js';
import { parseKeyRing } from '../crypto/sealing.js';
import type { KeyRing } from '../crypto/sealing.js';

/** `metadata.encoding` of payloads that this codec encrypted; all others pass through. */
const ENCODING = 'binary/jwe';
/** The metadata field of Temporal's own samples, which the UI shows. */
const KEY_ID = 'encryption-key-id';

const FAILURE_CONVERTER = fileURLToPath(new URL('./failure-converter.cjs', import.meta.url));

const toText = (bytes: Uint8Array | null | undefined): string => new TextDecoder().decode(bytes ?? new Uint8Array());
const toBytes = (text: string): Uint8Array => new TextEncoder().encode(text);

/**
 * Creates a codec that encrypts every payload under the ring's first key and decrypts under any of its keys, so that
 * old histories remain readable after a rotation. The plaintext is the payload in protobuf's JSON form, which any
 * language can read.
 */
export function createPayloadCodec(ring: KeyRing): PayloadCodec {
  return {
    encode: async (payloads) => Promise.all(payloads.map(async (payload) => encryptPayload(ring, payload))),
    decode: async (payloads) => Promise.all(payloads.map(async (payload) => decryptPayload(ring, payload))),
  };
}

async function encryptPayload(ring: KeyRing, payload: Payload): Promise<Payload> {
  const [first] = ring;
  if (first === undefined || isOurs(payload)) return payload;
  const data = await encryptBytes(ring, toBytes(JSON.stringify(toPayloadJson(payload))));
  return { metadata: { encoding: toBytes(ENCODING), [KEY_ID]: toBytes(first.id) }, data: toBytes(data) };
}

async function decryptPayload(ring: KeyRing, payload: Payload): Promise<Payload> {
  if (!isOurs(payload)) return payload;
  return parsePayload(JSON.parse(toText(await decryptBytes(ring, toText(payload.data)))));
}

function isOurs({ metadata }: Payload): boolean {
  return toText(metadata?.['encoding']) === ENCODING;
}

/** A payload in protobuf's JSON form: bytes in base64. */
export interface PayloadJson {
  readonly metadata?: Readonly<Record<string, string>>;
  readonly data?: string;
}

/** Returns the JSON form of a payload. */
export function toPayloadJson({ metadata, data }: Payload): PayloadJson {
  const encodeBase64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64');
  return {
    metadata: Object.fromEntries(Object.entries(metadata ?? {}).map(([name, bytes]) => [name, encodeBase64(bytes)])),
    ...(data === null || data === undefined ? {} : { data: encodeBase64(data) }),
  };
}

/**
 * Returns the payload of its JSON form.
 *
 * @throws RangeError for a value of another shape.
 */
export function parsePayload(json: unknown): Payload {
  if (!isPayloadJson(json)) throw new RangeError('Not a payload in its JSON form.');
  const decodeBase64 = (base64: string): Uint8Array => new Uint8Array(Buffer.from(base64, 'base64'));
  return {
    metadata: Object.fromEntries(Object.entries(json.metadata ?? {}).map(([name, text]) => [name, decodeBase64(text)])),
    ...(json.data === undefined ? {} : { data: decodeBase64(json.data) }),
  };
}

function isPayloadJson(json: unknown): json is PayloadJson {
  if (typeof json !== 'object' || json === null) return false;
  const metadata: unknown = 'metadata' in json ? json.metadata : {};
  const data: unknown = 'data' in json ? json.data : '';
  if (typeof data !== 'string' || typeof metadata !== 'object' || metadata === null) return false;
  return Object.values(metadata).every((value) => typeof value === 'string');
}

/**
 * Creates the converter of everything that Temporal stores. Without keys it encrypts nothing, and decoding an encrypted
 * payload fails with a sentence that names the missing key.
 *
 * @param keys the entries of PERSONIO_SYNC_PAYLOAD_KEYS.
 */
export function createDataConverter(keys: readonly string[]): DataConverter {
  const codec = createPayloadCodec(parseKeyRing(keys));
  return { payloadCodecs: [codec], ...(keys.length === 0 ? {} : { failureConverterPath: FAILURE_CONVERTER }) };
}
