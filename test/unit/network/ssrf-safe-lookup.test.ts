import { describe, expect, test } from '@jest/globals';
import { isMetadataAddress } from '../../../src/network/metadata-addresses.js';
import { createHttp } from '../../../src/personio/http.js';
import { ssrfSafeLookup, isMetadataHost } from '../../../src/network/ssrf-safe-lookup.js';

describe('a metadata address', () => {
  test.each([
    '169.254.169.254',
    '169.254.0.1',
    '100.100.100.200',
    '168.63.129.16',
    '192.0.0.192',
    'fe80::1',
    'FEBF::2',
  ])('%s is refused', (address) => expect(isMetadataAddress(address)).toBe(true));
  test.each(['fd00:ec2::254', '::ffff:169.254.169.254', '::ffff:a9fe:a9fe', '[::ffff:a9fe:1]', '[fe80::1]'])(
    '%s is refused in IPv6 notation',
    (address) => expect(isMetadataAddress(address)).toBe(true),
  );
  test.each(['127.0.0.1', '10.0.0.1', '52.1.169.254', '::1', '2600:9000::1', 'api.personio.de', '::ffff:10.0.0.1'])(
    '%s is not refused',
    (address) => expect(isMetadataAddress(address)).toBe(false),
  );
});

describe('looking up a name', () => {
  test('refuses names of metadata addresses only', async () => {
    expect(await isMetadataHost('https://169.254.169.254')).toBe(true);
    expect(await isMetadataHost('http://127.0.0.1:1')).toBe(false);
    const code = await new Promise((resolve) =>
      ssrfSafeLookup('169.254.169.254', {}, (error) => resolve(error !== null && 'code' in error && error.code)),
    );
    expect(code).toBe('EMETADATA');
  });

  test('reports an unresolvable name as unavailable', async () => {
    const http = createHttp('http://does-not-exist.invalid', 'test');
    const failure = http({ route: { method: 'GET', template: '/v1/x' }, path: '/v1/x' });
    await expect(failure).rejects.toMatchObject({ type: 'PersonioUnavailable' });
  });
});
