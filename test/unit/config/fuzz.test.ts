import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { parseBaseUrl } from '../../../src/config/base-url.js';
import { parsePolicy } from '../../../src/config/policy-file.js';
import { SettingsError, loadSettings } from '../../../src/config/settings.js';

const MARK = 'QZMARKED';
const NAMES = [
  'PERSONIO_CLIENT_ID',
  'PERSONIO_CLIENT_SECRET',
  'PERSONIO_CLIENT_SECRET_FILE',
  'PERSONIO_BASE_URL',
  'PERSONIO_CONNECTION',
  'DATABASE_URL',
  'DATABASE_URL_FILE',
  'TEMPORAL_ADDRESS',
  'TEMPORAL_NAMESPACE',
  'TEMPORAL_API_KEY',
  'TEMPORAL_TLS',
  'TEMPORAL_PROFILE',
  'TEMPORAL_CONFIG_FILE',
  'TEMPORAL_TLS_CLIENT_CERT_PATH',
  'PERSONIO_SYNC_KEYS',
  'PERSONIO_SYNC_PAYLOAD_KEYS',
  'PERSONIO_SYNC_CODEC_TOKEN',
  'PERSONIO_SYNC_CONFIG',
  'PERSONIO_SYNC_HOME',
  'METRICS_ADDRESS',
  'LOG_LEVEL',
  'LOG_FORMAT',
];
const folder = mkdtempSync(join(tmpdir(), 'personio-sync-fuzz-'));

/** Arbitrary texts that contain the mark, some of them close to valid ones. */
const value = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 60 }).map((text) => `${text}${MARK}`),
  fc
    .tuple(
      fc.constantFrom('https://', 'http://', 'postgres://u:', 'k1:', 'file:', '/', '\u001b[31m', "';--"),
      fc.string(),
    )
    .map(([prefix, text]) => `${prefix}${MARK}${text}`),
  fc.string({ maxLength: 20 }).map((text) => `https://user:${MARK}@host/${text}`),
  fc.constant(`${MARK}${'x'.repeat(100_000)}`),
);

describe('fuzzing', () => {
  test('1,500 settings: each is accepted, or refused by name without its value', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.constantFrom(...NAMES), value, { minKeys: 1, maxKeys: 6 }), (environment) => {
        try {
          loadSettings(environment, folder);
        } catch (error) {
          if (!(error instanceof SettingsError)) throw error;
          expect(error.faults.length).toBeGreaterThan(0);
          expect(`${error.message}${error.stack ?? ''}`.includes(MARK)).toBe(false);
        }
      }),
      { seed: 20_261_124, numRuns: 1_500 },
    );
  }, 60_000);

  test('5,000 base URLs: each gives an origin, or a fault without its value', () => {
    fc.assert(
      fc.property(fc.oneof(value, fc.webUrl({ withFragments: true, withQueryParameters: true })), (text) => {
        const parsed = parseBaseUrl(text);
        if ('origin' in parsed) expect(new URL(parsed.origin).origin).toBe(parsed.origin);
        else expect(parsed.fault.includes(MARK)).toBe(false);
      }),
      { seed: 20_261_125, numRuns: 5_000 },
    );
  }, 60_000);

  test('3,000 policy files: each gives a policy or faults, and none crashes', () => {
    const section = fc.constantFrom(
      'schedule',
      'reading',
      'attributes',
      'offices',
      'lifecycle',
      'subscribers',
      'retention',
      'secretRotationDays',
    );
    const document = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.dictionary(fc.oneof(section, fc.string()), fc.jsonValue(), { maxKeys: 4 }).map((json) => JSON.stringify(json)),
      fc.tuple(section, fc.string()).map(([name, text]) => `${name}: ${text}`),
      fc.tuple(section, fc.json()).map(([name, json]) => `${name}: ${json}`),
    );
    fc.assert(
      fc.property(document, (text) => {
        const { policy, faults } = parsePolicy(text);
        expect(policy === null).toBe(faults.length > 0);
      }),
      { seed: 20_261_126, numRuns: 3_000 },
    );
  }, 60_000);

  test('a policy file whose aliases expand too far is refused quickly', () => {
    const levels = Array.from(
      { length: 12 },
      (_, index) => `l${index + 1}: &l${index + 1} [${Array(9).fill(`*l${index}`).join(', ')}]`,
    );
    const { policy, faults } = parsePolicy(`l0: &l0 [x]\n${levels.join('\n')}\n`);
    expect([policy, faults]).toEqual([null, [expect.stringContaining('aliases')]]);
  });
});
