import { describe, expect, test } from '@jest/globals';
import { SettingsError } from '../../../src/config/settings.js';
import { resolveMetricsAddress } from '../../../src/worker/metrics-address.js';

describe('METRICS_ADDRESS', () => {
  test.each([
    ['127.0.0.1:9464', '127.0.0.1:9464'],
    ['0.0.0.0:9464', '0.0.0.0:9464'],
    ['[::1]:9464', '[::1]:9464'],
    ['localhost:9464', '127.0.0.1:9464'],
  ])('%s is served at %s', async (setting, address) => {
    expect(await resolveMetricsAddress(setting)).toBe(address);
  });

  test('that does not resolve is a wrong setting, named without its value', async () => {
    const error: unknown = await resolveMetricsAddress('no-such-host.invalid:9464').catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(SettingsError);
    expect((error as SettingsError).message).toMatch(/METRICS_ADDRESS names a host that does not resolve/);
    expect((error as SettingsError).message).not.toContain('no-such-host');
  });
});
