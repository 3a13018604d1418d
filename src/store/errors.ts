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

/** Returns where a URL of PostgreSQL points to, as `host:port`; nothing else of it may be shown. */
export function toServerAddress(url: string): string {
  const { hostname, port } = new URL(url);
  return `${hostname === '' ? 'localhost' : hostname}:${port === '' ? '5432' : port}`;
}

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
  const reason = findDisconnectReason(code, error.message);
  if (reason !== null) return createConnectionError(server, reason);
  if (code === '28P01' || code === '28000')
    return createUnavailableError(`PostgreSQL at ${server} rejected the user or the password in DATABASE_URL.`);
  if (code === '3D000')
    return createUnavailableError(`PostgreSQL at ${server} has no database of the name in DATABASE_URL.`);
  if (isSchemaMissing(code, error.message)) return createSchemaMissingError();
  if (TEMPORARY.test(code))
    return createUnavailableError(`PostgreSQL at ${server} could not complete a statement (${code}). Try again.`, code);
  return null;
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
