import type { FailureType } from '../contracts/internal/errors.js';

/**
 * Failure of the database, in a sentence that carries no row and no parameter. `type` is null where trying again
 * does not help and no promised type fits.
 */
export class StoreError extends Error {
  override readonly name = 'StoreError';
  readonly type: Extract<FailureType, 'StoreUnavailable' | 'SnapshotIncomplete'> | null;
  /** The server's code of a statement that it ended, such as 40P01. */
  readonly code: string | null;

  constructor(type: StoreError['type'], sentence: string, code: string | null = null) {
    super(sentence);
    this.type = type;
    this.code = code;
  }
}

/**
 * Codes that mean that there is no connection (PostgreSQL, appendix A): connections (08), shutting down or starting
 * (57P), and no connection left (53300).
 */
const DISCONNECTED = /^(08|57P|53300$)/;
/**
 * Codes of statements that may succeed when repeated: resources (53), system errors (58), conflicts between
 * transactions (40001, 40P01), locks that were not obtained in time (55P03), and a server that is read-only after a
 * failover (25006).
 */
const TEMPORARY = /^(53|58)|^(40001|40P01|55P03|25006)$/;
/** Codes of statements that another transaction was in the way of: a serialization failure, and a deadlock. */
const CONFLICT = /^(40001|40P01)$/;
/** Codes of Node's sockets and TLS, such as ECONNREFUSED. */
const NETWORK = /^(E[A-Z]+|ERR_.*)$/;
/** Messages of the driver, whose errors have no code. */
const DRIVER_MESSAGES: readonly (readonly [message: RegExp, reason: string])[] = [
  [/timeout exceeded when trying to connect|Query read timeout/, 'timeout'],
  [/Connection terminated|Client has encountered|Client was closed|Cannot use a pool/, 'connection terminated'],
];

/**
 * Returns the driver's error as a `StoreError` where there is a sentence that says what to do; other errors as they
 * are.
 *
 * @param server the server's `host:port`, for the sentence.
 */
export function translateError(error: unknown, server: string): unknown {
  if (!(error instanceof Error) || error instanceof StoreError) return error;
  const translated = findSentence(error, server);
  if (translated === null) return error;
  // For the debug log, which shows what it names.
  translated.cause = error;
  return translated;
}

function findSentence(error: Error, server: string): StoreError | null {
  const code = 'code' in error && typeof error.code === 'string' ? error.code : '';
  const refusal = describeRefusal(code, error, `PostgreSQL at ${server}`);
  if (refusal !== null) return createUnavailableError(refusal, code === '' ? null : code);
  const reason = findDisconnectReason(code, error.message);
  if (reason !== null) return createConnectionError(server, reason);
  if (isSchemaMissing(code, error.message)) return createSchemaMissingError();
  if (code === '42501') return createPrivilegeError(`PostgreSQL at ${server}`);
  if (TEMPORARY.test(code))
    return createUnavailableError(`PostgreSQL at ${server} could not complete a statement (${code}). Try again.`, code);
  return null;
}

/** Codes of Node's TLS for a certificate that no known CA has signed, or that is no longer or not yet valid. */
const UNVERIFIED = /CERT|^UNABLE_TO_|^INVALID_CA$|^INVALID_PURPOSE$|^PATH_LENGTH_EXCEEDED$/;
/** Codes of a handshake that either side broke off, such as for want of the client's certificate. */
const HANDSHAKE = /^(ERR_SSL_|ERR_TLS_|EPROTO$)/;

/** Returns a sentence about a connection that either side refused, or null. `server` begins it. */
function describeRefusal(code: string, error: Error, server: string): string | null {
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID')
    return (
      `The certificate of ${server} is for another host. Write the host that it names into DATABASE_URL, ` +
      'or set sslmode=verify-ca with sslrootcert, which does not compare names.'
    );
  if (HANDSHAKE.test(code))
    return `${server} and this program agreed on no TLS (${code}). Check sslmode, sslcert and sslkey in DATABASE_URL.`;
  if (UNVERIFIED.test(code))
    return (
      `The certificate of ${server} cannot be verified (${code}). Set sslrootcert in DATABASE_URL to the file of ` +
      'the CA that signed it, or renew the certificate; sslmode=require without sslrootcert verifies nothing.'
    );
  if (/does not support SSL|establishing an SSL/.test(error.message))
    return `${server} offers no TLS, for which sslmode in DATABASE_URL asks. Enable it there, or set sslmode=disable.`;
  return describeLogin(code, error, server);
}

function describeLogin(code: string, error: Error, server: string): string | null {
  if (code.startsWith('28')) return describeRejection(error.message, server);
  if (code === '3D000') return `${server} has no database of the name in DATABASE_URL.`;
  if (error.message.includes('client password must be'))
    return `${server} asks for a password, and there is none. Write it into DATABASE_URL.`;
  if (code === '' && /^SASL:|authentication/i.test(error.message))
    return `${server} asks for an authentication that the driver does not know. Set scram-sha-256 in its pg_hba.conf.`;
  const isFatal = 'severity' in error && error.severity === 'FATAL';
  if (!isFatal || DISCONNECTED.test(code)) return null;
  return code === '42501'
    ? `${server} lets the user in DATABASE_URL not connect. Run: grant connect on database … to …`
    : `${server} refused the connection (${code}). Check the user, the database and the options in DATABASE_URL.`;
}

function describeRejection(message: string, server: string): string {
  if (/no encryption|SSL off/.test(message))
    return `${server} accepts no unencrypted connection. Set sslmode=verify-full in DATABASE_URL, or sslmode=require.`;
  if (message.includes('certificate'))
    return `${server} asks for a certificate of the client. Set sslcert and sslkey in DATABASE_URL.`;
  return `${server} rejected the user or the password in DATABASE_URL.`;
}

/** Returns whether a statement or a transaction was undone because of another one, so that it can be repeated. */
export function isConflict(error: unknown): boolean {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' && CONFLICT.test(error.code);
}

function findDisconnectReason(code: string, message: string): string | null {
  if (DISCONNECTED.test(code) || NETWORK.test(code)) return code;
  return DRIVER_MESSAGES.find(([pattern]) => pattern.test(message))?.[1] ?? null;
}

/**
 * Returns whether a table (42P01) or the schema itself (3F000) is missing. Staging tables come and go, so they do not
 * count.
 */
function isSchemaMissing(code: string, message: string): boolean {
  if (code === '42P01') return /\bpersonio(_read)?\./.test(message);
  return code === '3F000' && /\bpersonio(_read|_staging)?\b/.test(message);
}

function createConnectionError(server: string, reason: string): StoreError {
  return createUnavailableError(
    `Cannot connect to PostgreSQL at ${server} (${reason}). Check that it is running and that DATABASE_URL is correct.`,
  );
}

/** May be tried again: the work continues once somebody has granted what is missing. */
function createPrivilegeError(server: string): StoreError {
  return createUnavailableError(
    `${server} denied a statement to the user in DATABASE_URL. Run \`personio-sync migrate\` as the owner of the ` +
      'schemas personio, personio_read and personio_staging; grant the role personio_sync_worker to the user of ' +
      'workers, and personio_sync_operator to that of operators.',
    '42501',
  );
}

function createUnavailableError(sentence: string, code: string | null = null): StoreError {
  return new StoreError('StoreUnavailable', sentence, code);
}

/** Returns the error of a database that was never migrated. */
export function createSchemaMissingError(): StoreError {
  return new StoreError(
    null,
    'The database lacks the schema of personio-sync. Run `personio-sync migrate`, then try again.',
  );
}
