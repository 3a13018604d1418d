import { ENDPOINTS } from '../contracts/internal/names.js';
import type { Endpoint } from '../contracts/internal/names.js';
import type { Transaction } from './database.js';

/*
 * Advisory locks. All their keys are made here, but for the two that the migrations spell out for `erase_person`.
 * Each lock is held until its transaction ends.
 */

const toEndpointKey = (connectionId: string, endpoint: Endpoint): string => `personio:${connectionId}:${endpoint}`;
const AUDIT_LOG_KEY = 'personio:decisions';
const MIGRATIONS_KEY = 'personio:migrations';

/** Waits for other commits of the endpoint: there is one at a time. */
export async function lockEndpoint(transaction: Transaction, connectionId: string, endpoint: Endpoint): Promise<void> {
  await lock(transaction, 'pg_advisory_xact_lock', toEndpointKey(connectionId, endpoint));
}

/** Waits for all commits of the connection, and keeps others waiting. The order is that of `erase_person`. */
export async function lockConnection(transaction: Transaction, connectionId: string): Promise<void> {
  for (const endpoint of [...ENDPOINTS].sort()) await lockEndpoint(transaction, connectionId, endpoint);
}

/** Waits for a commit of the endpoint, and keeps the next one waiting; others who share the lock pass. */
export async function lockEndpointShared(
  transaction: Transaction,
  connectionId: string,
  endpoint: Endpoint,
): Promise<void> {
  await lock(transaction, 'pg_advisory_xact_lock_shared', toEndpointKey(connectionId, endpoint));
}

/** Lets one transaction at a time append to the audit log. */
export async function lockAuditLog(transaction: Transaction): Promise<void> {
  await lock(transaction, 'pg_advisory_xact_lock', AUDIT_LOG_KEY);
}

/** Returns whether this transaction may migrate. It does not wait for another one that does. */
export async function tryLockMigrations(transaction: Transaction): Promise<boolean> {
  const [row] = await transaction.query<{ locked: boolean }>(
    'select pg_try_advisory_xact_lock(hashtextextended($1, 0)) as locked',
    [MIGRATIONS_KEY],
  );
  return row?.locked === true;
}

async function lock(
  transaction: Transaction,
  take: 'pg_advisory_xact_lock' | 'pg_advisory_xact_lock_shared',
  key: string,
): Promise<void> {
  await transaction.run(`select ${take}(hashtextextended($1, 0))`, [key]);
}
