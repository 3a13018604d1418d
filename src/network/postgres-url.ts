import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createSecureContext } from 'node:tls';
import type { ConnectionOptions } from 'node:tls';

/** Where and how to connect to PostgreSQL; null is the driver's default. Contains the password: never print it. */
export interface PostgresTarget {
  /** A name, an address, or the folder of a Unix socket. */
  readonly host: string | null;
  readonly port: number;
  readonly user: string | null;
  readonly password: string | null;
  readonly database: string | null;
  /** `-c name=value` settings of the session. */
  readonly options: string | null;
  /** False is unencrypted; null leaves it to `PGSSLMODE`. */
  readonly ssl: ConnectionOptions | false | null;
  readonly isDirectTls: boolean;
  readonly bindsChannel: boolean;
}

/** Thrown inside this file with the predicate of a sentence about the URL, without any value of it. */
class Fault extends Error {}

type Parameters = ReadonlyMap<string, string>;

/**
 * Reads a URL, or `key=value` pairs, as libpq does (postgresql.org/docs/current/libpq-connect.html).
 *
 * @returns what it names, or the predicate of a sentence that says what cannot be used and what to do.
 */
export function parsePostgresUrl(text: string): { readonly target: PostgresTarget } | { readonly fault: string } {
  try {
    const scheme = /^postgres(ql)?:\/\//.exec(text)?.[0];
    if (scheme !== undefined) return { target: toTarget(readUrl(text.slice(scheme.length))) };
    if (/^\s*\w+\s*=/.test(text)) return { target: toTarget(readPairs(text)) };
    throw new Fault('is not a PostgreSQL URL: it must begin with postgres:// or postgresql://');
  } catch (error) {
    if (error instanceof Fault) return { fault: error.message };
    throw error;
  }
}

/** Returns where a URL points to, as `host:port`; nothing else of it may be shown, and nothing of a malformed one. */
export function toServerAddress(url: string): string {
  const parsed = parsePostgresUrl(url);
  if ('fault' in parsed) return 'the server in DATABASE_URL';
  const { host, port } = parsed.target;
  return `${host?.includes(':') === true ? `[${host}]` : (host ?? 'localhost')}:${port}`;
}

/** Returns the arguments that let `psql` connect to the same database, without the password. */
export function formatPsqlArguments(url: string): string {
  const parsed = parsePostgresUrl(url);
  if ('fault' in parsed) return '"$DATABASE_URL"';
  const { host, port, user, database } = parsed.target;
  return `-h ${host ?? 'localhost'} -p ${port}${user === null ? '' : ` -U ${user}`} ${database ?? ''}`.trimEnd();
}

const ENCODE = 'write @ as %40, / as %2F, ? as %3F and % as %25 in the user and the password';

/**
 * Reads a URL without its scheme. A password may contain `@`, `#` and `:`; where an unencoded `/` or `?` could begin
 * either the next part or the rest of a password, nothing is guessed, since a host is printed.
 */
function readUrl(rest: string): Parameters {
  const [, authority = '', path = '', query = ''] = /^([^/?]*)(?:\/([^?]*))?(?:\?([^]*))?$/.exec(rest) ?? [];
  const at = authority.lastIndexOf('@');
  if (`${path}${query}`.includes('@')) throw new Fault(`has an @ after the host: ${ENCODE}`);
  const parameters = new Map<string, string>();
  const [user = '', ...password] = authority.slice(0, Math.max(at, 0)).split(':');
  set(parameters, 'user', decode(user));
  set(parameters, 'password', decode(password.join(':')));
  readHosts(parameters, authority.slice(at + 1));
  set(parameters, 'dbname', decode(path));
  query.split('&').forEach((part, index) => {
    if (part === '') return;
    const [name = '', value] = part.split(/=([^]*)/);
    if (value === undefined) throw createUnknownFault(index + 1);
    setKnown(parameters, decode(name), decode(value), index + 1);
  });
  return parameters;
}

function readHosts(parameters: Map<string, string>, hosts: string): void {
  if (hosts.includes(',')) throw createHostsFault();
  const [, host, port] = /^(\[[^\]]*\]|[^:[\]]*)(?::(\d*))?$/.exec(hosts) ?? [];
  if (host === undefined)
    throw new Fault(`has a malformed host or port: write host:port, an IPv6 address in brackets, and ${ENCODE}`);
  set(parameters, 'host', decode(host.replaceAll(/^\[|\]$/g, '')));
  set(parameters, 'port', port ?? '');
}

/** Reads `host=… password='…'`, where a backslash escapes. */
function readPairs(text: string): Parameters {
  const parameters = new Map<string, string>();
  const pair = /\s*(\w+)\s*=\s*(?:'((?:[^'\\]|\\[^])*)'|((?:[^\s'\\]|\\[^])*))(?=\s|$)\s*/y;
  for (let position = 1; pair.lastIndex < text.length; position++) {
    const [, name, quoted, plain = ''] = pair.exec(text) ?? [];
    if (name === undefined) throw createUnknownFault(position);
    setKnown(parameters, name, (quoted ?? plain).replaceAll(/\\([^])/g, '$1'), position);
  }
  return parameters;
}

function decode(text: string): string {
  try {
    const decoded = decodeURIComponent(text);
    if (!decoded.includes('\0')) return decoded;
  } catch {
    // A % without two hexadecimal digits.
  }
  throw new Fault(`has a % that begins no character: ${ENCODE}`);
}

/** Parameters that this program uses. */
const USED =
  'host hostaddr port dbname user password options sslmode sslrootcert sslcert sslkey sslpassword ' +
  'sslnegotiation channel_binding target_session_attrs';
/** Parameters that change nothing here: names in the server's lists, waiting times, and hints for other drivers. */
const IGNORED =
  'application_name fallback_application_name client_encoding connect_timeout tcp_user_timeout keepalives ' +
  'keepalives_idle keepalives_interval keepalives_count load_balance_hosts gssencmode sslsni sslcompression ' +
  'uselibpqcompat';
const KNOWN = new Set(`${USED} ${IGNORED}`.split(' '));
/** Parameters that would go unheeded, with what to do instead. */
const REFUSED: Readonly<Record<string, string>> = {
  service: 'names a service, and service files are not read: write its host, database and user into DATABASE_URL',
  servicefile: 'names a service file, which is not read: write host, database and user into DATABASE_URL',
  passfile: 'names a passfile, which is not read: set PGPASSFILE, or write the password into DATABASE_URL',
  sslcrl: 'has sslcrl, and revocation lists are not read: remove it',
  sslcrldir: 'has sslcrldir, and revocation lists are not read: remove it',
  requirepeer: 'has requirepeer, which the driver cannot check: remove it',
  require_auth: 'has require_auth, which the driver cannot check: remove it, and set sslmode=verify-full',
};

function setKnown(parameters: Map<string, string>, name: string, value: string, position: number): void {
  const refusal = Object.hasOwn(REFUSED, name) ? REFUSED[name] : undefined;
  if (refusal !== undefined) throw new Fault(refusal);
  // JDBC's name, which libpq understands too.
  const mode = name === 'ssl' ? JDBC_MODES[value] : undefined;
  // Its name may be the rest of a password.
  if (mode === undefined && !KNOWN.has(name)) throw createUnknownFault(position);
  set(parameters, mode === undefined ? name : 'sslmode', mode ?? value);
}

const JDBC_MODES: Readonly<Record<string, string>> = { true: 'require', 1: 'require', false: 'disable', 0: 'disable' };

function set(parameters: Map<string, string>, name: string, value: string): void {
  if (value !== '') parameters.set(name, value);
}

function createUnknownFault(position: number): Fault {
  return new Fault(
    `has a parameter that is malformed or unknown (number ${position}): remove it, ` +
      'or write & as %26 if it belongs to the password',
  );
}

function createHostsFault(): Fault {
  return new Fault(
    'names several hosts, which the driver cannot try in turn: ' +
      'name one, such as the address that always leads to the primary server',
  );
}

const ATTRIBUTES = ['any', 'read-write', 'primary', 'prefer-standby'];
const MAX_PORT = 65_535;

function requireFeasible(get: (name: string) => string | null): void {
  if (!ATTRIBUTES.includes(get('target_session_attrs') ?? 'any'))
    throw new Fault('asks for a standby, and personio-sync writes: set target_session_attrs=read-write');
  if (get('channel_binding') === 'require')
    throw new Fault(
      'has channel_binding=require, which the driver cannot enforce: set prefer, and sslmode=verify-full',
    );
  if (get('gssencmode') === 'require')
    throw new Fault('has gssencmode=require, which the driver does not support: set sslmode=verify-full instead');
}

function toTarget(parameters: Parameters): PostgresTarget {
  const get = (name: string): string | null => parameters.get(name) ?? null;
  const [host, port] = [get('hostaddr') ?? get('host'), get('port') ?? '5432'];
  if (`${host ?? ''}${port}`.includes(',')) throw createHostsFault();
  if (host?.startsWith('@') === true) throw new Fault('names an abstract socket: name the folder of a Unix socket');
  if (!/^\d+$/.test(port) || Number(port) < 1 || Number(port) > MAX_PORT)
    throw new Fault(`has a malformed port: it must be a number from 1 to ${MAX_PORT}`);
  requireFeasible(get);
  const ssl = toTls(parameters, host);
  return {
    host,
    port: Number(port),
    user: get('user'),
    password: get('password'),
    database: get('dbname'),
    options: get('options'),
    ssl,
    isDirectTls: ssl !== false && ssl !== null && get('sslnegotiation') === 'direct',
    bindsChannel: get('channel_binding') === 'prefer',
  };
}

const MODES = ['disable', 'require', 'no-verify', 'verify-ca', 'verify-full'];

/** Returns how to encrypt, as in libpq; for the driver, `require` is verify-full. */
function toTls(parameters: Parameters, host: string | null): PostgresTarget['ssl'] {
  const mode = readMode(parameters);
  if (mode === null) return null;
  // A Unix socket has no TLS, whatever the mode.
  if (mode === 'disable' || host?.startsWith('/') === true) return false;
  const name = parameters.has('hostaddr') ? parameters.get('host') : undefined;
  return {
    ...readCertificates(parameters),
    rejectUnauthorized: mode.startsWith('verify-'),
    ...(mode === 'verify-full' ? {} : { checkServerIdentity: () => undefined }),
    ...(name === undefined ? {} : { servername: name }),
  };
}

/** Returns the mode, null without one. A CA makes `require` the same as `verify-ca`. */
function readMode(parameters: Parameters): string | null {
  const mode = parameters.get('sslmode') ?? null;
  const root = parameters.get('sslrootcert');
  if (mode !== null) requireMode(mode);
  else if (['sslrootcert', 'sslcert', 'sslkey', 'sslnegotiation'].some((name) => parameters.has(name)))
    throw new Fault('asks for TLS without sslmode: set sslmode=verify-full, or another one');
  if (mode === 'verify-ca' && (root ?? 'system') === 'system')
    throw new Fault('has sslmode=verify-ca without sslrootcert: set it to the file of the CA, or set verify-full');
  if (mode !== 'require' || root === undefined) return mode;
  return root === 'system' ? 'verify-full' : 'verify-ca';
}

function requireMode(mode: string): void {
  if (mode === 'prefer' || mode === 'allow')
    throw new Fault(`has sslmode=${mode}, and the driver cannot fall back: set sslmode=require or sslmode=disable`);
  if (!MODES.includes(mode)) throw new Fault('has an unknown sslmode: set disable, require, verify-ca or verify-full');
}

function readCertificates(parameters: Parameters): ConnectionOptions {
  const read = (name: string): string | undefined => readFile(name, parameters.get(name));
  const ca = parameters.get('sslrootcert') === 'system' ? undefined : read('sslrootcert');
  const [cert, key, passphrase] = [read('sslcert'), read('sslkey'), parameters.get('sslpassword')];
  if ((cert === undefined) !== (key === undefined)) throw new Fault('needs both of sslcert and sslkey: set both');
  const options = {
    ...(ca === undefined ? {} : { ca }),
    ...(cert === undefined || key === undefined ? {} : { cert, key }),
    ...(passphrase === undefined ? {} : { passphrase }),
  };
  try {
    if (ca !== undefined) new X509Certificate(ca);
  } catch {
    throw new Fault('names a file in sslrootcert that holds no certificate in PEM: name that of the CA');
  }
  try {
    createSecureContext(options);
  } catch {
    throw new Fault(
      'has sslcert and sslkey that do not fit: name a certificate, its key (PEM), and sslpassword for it',
    );
  }
  return options;
}

function readFile(name: string, path: string | undefined): string | undefined {
  if (path === undefined) return undefined;
  try {
    return readFileSync(path, 'utf8');
  } catch {
    throw new Fault(`names a file in ${name} that cannot be read: check its path and its permissions`);
  }
}
