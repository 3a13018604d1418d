import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { SettingsError, loadSettings } from '../../../src/config/settings.js';
import { formatPsqlArguments, parsePostgresUrl, toServerAddress } from '../../../src/network/postgres-url.js';

const readTarget = (url: string): unknown => {
  const parsed = parsePostgresUrl(url);
  return 'target' in parsed ? parsed.target : parsed.fault;
};
const readFault = (url: string): string => {
  const parsed = parsePostgresUrl(url);
  return 'fault' in parsed ? parsed.fault : 'accepted';
};

describe('a URL of PostgreSQL', () => {
  test.each([
    ['postgresql://', { host: null, port: 5432, user: null, password: null, database: null, ssl: null }],
    ['postgres://host/db', { host: 'host', port: 5432, user: null, database: 'db' }],
    ['postgresql:///db?host=/var/run/postgresql', { host: '/var/run/postgresql', database: 'db' }],
    ['postgresql://%2Fvar%2Frun%2Fpostgresql/db', { host: '/var/run/postgresql', database: 'db' }],
    ['postgresql:///db?host=/tmp&port=5433&sslmode=require', { host: '/tmp', port: 5433, ssl: false }],
    ['postgresql://u:p@[::1]:5433/db', { host: '::1', port: 5433, user: 'u', password: 'p' }],
    ['postgresql://u:p@ss#w:rd@host:1/db', { host: 'host', port: 1, user: 'u', password: 'p@ss#w:rd' }],
    ['postgresql://u:p%2Fa%3Fb%25c+d@host/db', { host: 'host', password: 'p/a?b%c+d' }],
    ['postgresql://me%40server:p@host/db', { host: 'host', user: 'me@server' }],
    ['postgresql://host/db?user=u&password=a+b%26c', { host: 'host', user: 'u', password: 'a+b&c' }],
    ['postgresql://name/db?hostaddr=127.0.0.1', { host: '127.0.0.1' }],
    ['postgresql://host/db?options=-c%20lock_timeout%3D1s', { options: '-c lock_timeout=1s' }],
    ['postgresql://host/db?ssl=true', { ssl: expect.objectContaining({ rejectUnauthorized: false }) }],
    ['postgresql://host/db?sslmode=require', { ssl: expect.objectContaining({ rejectUnauthorized: false }) }],
    ['postgresql://host/db?sslmode=verify-full', { ssl: { rejectUnauthorized: true } }],
    ['postgresql://host/db?sslmode=disable&target_session_attrs=read-write', { ssl: false }],
    [`host=h port=5433 dbname = db user=u password='a b\\'c@/#%'`, { host: 'h', port: 5433, password: `a b'c@/#%` }],
  ])('is read as libpq does: %s', (url, target) => {
    expect(readTarget(url)).toMatchObject(target);
  });

  test.each([
    ['mysql://u:s3cret@host/db', /must begin with postgres:/],
    ['postgresql://u:s3/cret@host/db', /write @ as %40, \/ as %2F/],
    ['postgresql://u:12/s3cret@host/db', /write @ as %40, \/ as %2F/],
    ['postgresql://u:12?s3cret@host/db', /write @ as %40, \/ as %2F/],
    ['postgresql://u:s3cret%@host/db', /% as %25/],
    ['postgresql://u:s3cret%ff@host/db', /% as %25/],
    ['postgresql://u:s3/cret', /malformed host or port/],
    ['postgresql://u:s3cret@host1,host2:5433/db?target_session_attrs=read-write', /several hosts.* name one/],
    ['postgresql:///db?host=a,b', /several hosts/],
    ['postgresql://host/db?port=1,2', /several hosts/],
    ['postgresql://u:s3cret@::1/db', /IPv6 address in brackets/],
    ['postgresql://host:99999/db', /port/],
    ['postgresql:///db?service=prod', /service files are not read/],
    ['service=prod', /service files are not read/],
    ['host=h password=a s3cret', /number 3/],
    ['postgresql://host/db?password=a&s3cret', /number 2.* & as %26/],
    ['postgresql://host/db?password=a&s3cret=b', /number 2.* & as %26/],
    ['postgresql://host/db?sslmode=s3cret', /unknown sslmode/],
    ['postgresql://host/db?sslmode=prefer', /cannot fall back/],
    ['postgresql://host/db?sslmode=verify-ca', /without sslrootcert/],
    ['postgresql://host/db?sslmode=verify-full&sslrootcert=/s3cret', /file in sslrootcert that cannot be read/],
    ['postgresql://host/db?sslrootcert=/s3cret', /without sslmode/],
    ['postgresql://host/db?target_session_attrs=standby', /personio-sync writes/],
    ['postgresql://host/db?channel_binding=require', /set prefer/],
  ])('is refused with the remedy, and without a value: %s', (url, remedy) => {
    expect(readFault(url)).toMatch(remedy);
    expect(`${readFault(url)}${toServerAddress(url)}${formatPsqlArguments(url)}`).not.toMatch(/s3|cret/);
  });

  test('is refused together with the other faults of the settings', () => {
    const environment = { DATABASE_URL: 'postgresql://a,b/db', LOG_FORMAT: 'xml' };
    const faults = [expect.stringMatching(/^DATABASE_URL names several hosts.*\.$/), expect.stringMatching(/^LOG/)];
    const load = (): unknown => loadSettings(environment, '/nowhere');
    expect(load).toThrow(SettingsError);
    expect(load).toThrow(expect.objectContaining({ faults: expect.arrayContaining(faults) }));
  });

  test('shows no part of its password, whatever it looks like', () => {
    const piece = fc.constantFrom('@', '/', '#', '?', ':', '%', '&', '=', ',', '[', ']', ' ', '%2F', '12', 'QZ');
    const password = fc.array(piece, { maxLength: 8 }).map((pieces) => `${pieces.join('')}QZ`);
    fc.assert(
      fc.property(password, (secret) => {
        for (const url of [`postgresql://u:${secret}@host:1/db`, `host=host password=${secret}`]) {
          const shown = `${readFault(url)} ${toServerAddress(url)} ${formatPsqlArguments(url)}`;
          expect(shown).not.toMatch(/QZ/);
        }
      }),
      { seed: 20_261_130, numRuns: 3_000 },
    );
  });
});
