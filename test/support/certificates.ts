import { generateKeyPairSync, randomBytes, sign } from 'node:crypto';
import type { KeyObject } from 'node:crypto';

/** A certificate and its key, in PEM. */
export interface Certificate {
  readonly certificate: string;
  readonly key: string;
  readonly name: string;
  readonly privateKey: KeyObject;
}

/** Encodes one value of DER: a tag, a length and a content (ITU-T X.690). */
function encode(tag: number, ...content: readonly Uint8Array[]): Buffer {
  const body = Buffer.concat(content);
  const bytes = Buffer.from(body.length.toString(16).padStart(4, '0'), 'hex');
  const length = body.length < 0x80 ? Buffer.from([body.length]) : Buffer.concat([Buffer.from([0x82]), bytes]);
  return Buffer.concat([Buffer.from([tag]), length, body]);
}

const [SEQUENCE, SET, IDENTIFIER, INTEGER, TEXT, TIME, BITS, OCTETS] = [0x30, 0x31, 6, 2, 12, 0x18, 3, 4];
const NONE = Buffer.from([0]);
const toIdentifier = (hex: string): Buffer => encode(IDENTIFIER, Buffer.from(hex, 'hex'));
const COMMON_NAME = toIdentifier('550403');
const ALTERNATIVE_NAMES = toIdentifier('551d11');
const BASIC_CONSTRAINTS = toIdentifier('551d13');
const ECDSA_WITH_SHA256 = encode(SEQUENCE, toIdentifier('2a8648ce3d040302'));
const IS_CA = encode(SEQUENCE, encode(1, Buffer.from([0xff])));
const DAY_MS = 86_400_000;

const toName = (name: string): Buffer =>
  encode(SEQUENCE, encode(SET, encode(SEQUENCE, COMMON_NAME, encode(TEXT, Buffer.from(name)))));

const toTime = (time: Date): Buffer =>
  encode(TIME, Buffer.from(`${time.toISOString().replaceAll(/[-:T]/g, '').slice(0, 14)}Z`));

/** Creates a certificate for a host, signed by `issuer` or by itself. One that signs others is a CA. */
export function createCertificate(name: string, issuer: Certificate | null = null): Certificate {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const isAddress = /^[\d.]+$/.test(name);
  const host = isAddress ? encode(0x87, Buffer.from(name.split('.').map(Number))) : encode(0x82, Buffer.from(name));
  const extensions = [
    encode(SEQUENCE, ALTERNATIVE_NAMES, encode(OCTETS, encode(SEQUENCE, host))),
    ...(issuer === null ? [encode(SEQUENCE, BASIC_CONSTRAINTS, encode(OCTETS, IS_CA))] : []),
  ];
  const content = encode(
    SEQUENCE,
    encode(0xa0, encode(INTEGER, Buffer.from([2]))),
    encode(INTEGER, Buffer.from([1]), randomBytes(8)),
    ECDSA_WITH_SHA256,
    toName(issuer?.name ?? name),
    encode(SEQUENCE, toTime(new Date(Date.now() - DAY_MS)), toTime(new Date(Date.now() + DAY_MS))),
    toName(name),
    publicKey.export({ type: 'spki', format: 'der' }),
    encode(0xa3, encode(SEQUENCE, ...extensions)),
  );
  const signature = sign('sha256', content, issuer?.privateKey ?? privateKey);
  const der = encode(SEQUENCE, content, ECDSA_WITH_SHA256, encode(BITS, NONE, signature));
  const lines = der.toString('base64').replaceAll(/.{64}/g, '$&\n');
  return {
    certificate: `-----BEGIN CERTIFICATE-----\n${lines}\n-----END CERTIFICATE-----\n`,
    key: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    name,
    privateKey,
  };
}
