import { createHash } from 'node:crypto';
import type { Database, Queries, Transaction } from './database.js';
import { lockAuditLog } from './locks.js';

/** Entry of the audit log, which is the table `decisions`. */
export interface AuditEntry {
  /** Person responsible: a name as given, or the operating system's user. */
  readonly actor: string;
  /** Action, such as `approve`, `reject`, `erase`, `readmit`, `redeliver`, `rotate-secret`, `rotate-keys`. */
  readonly what: string;
  /** Ids only: of a run, of a connection and employee, of a delivery. */
  readonly subject: string;
  readonly reason: string;
}

/** Person responsible for an action, and their reason. */
export type Attribution = Pick<AuditEntry, 'actor' | 'reason'>;

/** Fields that an entry's hash is computed from. */
interface ChainedEntry extends AuditEntry {
  readonly at: string;
  readonly previousHash: string | null;
}

/** Appends an entry. Its hash covers the hash of the entry before, so that a changed or missing row shows. */
export async function appendAuditEntry(transaction: Transaction, entry: AuditEntry): Promise<void> {
  // One at a time, so that the chain has no branches.
  await lockAuditLog(transaction);
  const [last] = await transaction.query<{ hash: string }>(
    'select hash from personio.decisions order by decision_id desc limit 1',
  );
  const [clock] = await transaction.query<{ now: string }>('select clock_timestamp() as now');
  const chained: ChainedEntry = { ...entry, at: clock?.now ?? '', previousHash: last?.hash ?? null };
  await transaction.run(
    `insert into personio.decisions (at, actor, what, subject, reason, previous_hash, hash)
     values ($1, $2, $3, $4, $5, $6, $7)`,
    [
      chained.at,
      chained.actor,
      chained.what,
      chained.subject,
      chained.reason,
      chained.previousHash,
      hashEntry(chained),
    ],
  );
}

/** Returns the SHA-256 of the fields in a fixed order, as hexadecimal text. */
function hashEntry({ at, actor, what, subject, reason, previousHash }: ChainedEntry): string {
  const text = JSON.stringify([at, actor, what, subject, reason, previousHash]);
  return createHash('sha256').update(text).digest('hex');
}

/** Result of `audit verify`. */
export interface AuditReport {
  /** Number of entries. */
  readonly decisions: number;
  /** Hash of the newest entry, to be kept elsewhere; null while there is none. */
  readonly lastHash: string | null;
  /** Sentence that says where the chain is broken; null while it is intact. */
  readonly fault: string | null;
}

interface AuditRow extends AuditEntry {
  readonly id: number;
  readonly at: string;
  readonly previousHash: string | null;
  readonly hash: string;
}

const PAGE_ROWS = 1_000;

/** Follows the chain from its beginning: each entry must match its own hash and follow the entry before. */
export async function verifyAuditLog(database: Database): Promise<AuditReport> {
  return database.transaction(async (transaction) => {
    await transaction.run('set transaction isolation level repeatable read, read only');
    let [decisions, lastHash, lastId] = [0, null as string | null, 0];
    for (;;) {
      const rows = await listEntriesAfter(transaction, lastId);
      for (const row of rows) {
        const fault = findFault(row, lastHash);
        if (fault !== null) return { decisions, lastHash, fault };
        decisions += 1;
        [lastHash, lastId] = [row.hash, row.id];
      }
      if (rows.length < PAGE_ROWS) break;
    }
    return { decisions, lastHash, fault: await findEndFault(transaction, decisions, lastHash) };
  });
}

async function listEntriesAfter(queries: Queries, id: number): Promise<readonly AuditRow[]> {
  return queries.query<AuditRow>(
    `select
       decision_id as id, at, actor, what, subject, reason, previous_hash as "previousHash", hash
     from personio.decisions
     where decision_id > $1
     order by decision_id
     limit ${PAGE_ROWS}`,
    [id],
  );
}

function findFault(row: AuditRow, previousHash: string | null): string | null {
  if (row.previousHash !== previousHash)
    return (
      `Audit log entry ${row.id} does not follow the one before it: ` +
      'an entry between them is missing or was added, or its hash was changed.'
    );
  if (hashEntry(row) !== row.hash) return `Audit log entry ${row.id} was changed after it was written.`;
  return null;
}

/**
 * Entries that are missing at the end leave the rest intact, so the table `decision_chain` keeps the chain's length
 * and last hash.
 */
async function findEndFault(queries: Queries, decisions: number, lastHash: string | null): Promise<string | null> {
  const [chain] = await queries.query<{ decisions: number; lastHash: string | null }>(
    'select decisions, last_hash as "lastHash" from personio.decision_chain',
  );
  if (chain?.decisions === decisions && chain.lastHash === lastHash) return null;
  return (
    `The audit log ends after ${decisions} entries, but ${chain?.decisions ?? 0} were written: ` +
    'entries at its end are missing, or were added without personio-sync.'
  );
}
