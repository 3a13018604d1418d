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

/** Texts of every kind, each with the mark in it, some of them near to what is right. */
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
  test('settings, 1,500 cases: accepted, or refused by name without a value', () => {
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

  test('base URLs, 5,000 cases: an origin, or a fault without the value', () => {
    fc.assert(
      fc.property(fc.oneof(value, fc.webUrl({ withFragments: true, withQueryParameters: true })), (text) => {
        const parsed = parseBaseUrl(text);
        if ('origin' in parsed) expect(new URL(parsed.origin).origin).toBe(parsed.origin);
        else expect(parsed.fault.includes(MARK)).toBe(false);
      }),
      { seed: 20_261_125, numRuns: 5_000 },
    );
  }, 60_000);

  test('policy files, 3,000 cases: a policy, or faults, and never a crash', () => {
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

  test('a policy file whose aliases multiply beyond measure is refused, and quickly', () => {
    const levels = Array.from(
      { length: 12 },
      (_, index) => `l${index + 1}: &l${index + 1} [${Array(9).fill(`*l${index}`).join(', ')}]`,
    );
    const { policy, faults } = parsePolicy(`l0: &l0 [x]\n${levels.join('\n')}\n`);
    expect([policy, faults]).toEqual([null, [expect.stringContaining('aliases')]]);
  });
});
