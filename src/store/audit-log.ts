import { createHash } from 'node:crypto';
import type { Database, Queries, Transaction } from './database.js';

/** What a person, or the operating system's user, has decided. */
export interface AuditEntry {
  /** Who answers for it: a name as given, or the operating system's user. */
  readonly actor: string;
  /** Such as `approve`, `reject`, `erase`, `readmit`, `redeliver`, `rotate-secret`, `rotate-keys`. */
  readonly what: string;
  /** What it is about: a run, a connection and employee id, a delivery. Ids only. */
  readonly subject: string;
  readonly reason: string;
}

/** One row of `decisions`, as its hash is made of it. */
interface ChainedEntry extends AuditEntry {
  readonly at: string;
  readonly previousHash: string | null;
}

/** Appends a decision; each row is bound to the one before by its hash, so that a changed or missing row shows. */
export async function appendAuditEntry(transaction: Transaction, entry: AuditEntry): Promise<void> {
  // One at a time: the chain has no branches.
  await transaction.run(`select pg_advisory_xact_lock(hashtextextended('personio:decisions', 0))`);
  const [last] = await transaction.query<{ hash: string }>(
    'select hash from personio.decisions order by decision_id desc limit 1',
  );
  const [clock] = await transaction.query<{ now: string }>('select clock_timestamp() as now');
  const chained: ChainedEntry = { ...entry, at: clock?.now ?? '', previousHash: last?.hash ?? null };
  await transaction.run(
    `insert into personio.decisions (at, actor, what, subject, reason, previous_hash, hash) values ($1, $2, $3, $4, $5, $6, $7)`,
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

/** @returns SHA-256 over the row's fields in a fixed order, as hexadecimal text. */
function hashEntry({ at, actor, what, subject, reason, previousHash }: ChainedEntry): string {
  const text = JSON.stringify([at, actor, what, subject, reason, previousHash]);
  return createHash('sha256').update(text).digest('hex');
}

/** What `audit verify` found. */
export interface AuditReport {
  readonly decisions: number;
  /** The hash of the newest decision, to be noted elsewhere; null while there is none. */
  readonly lastHash: string | null;
  /** Where the chain is broken, in a sentence; null while it is whole. */
  readonly fault: string | null;
}

interface AuditRow extends AuditEntry {
  readonly id: number;
  readonly at: string;
  readonly previousHash: string | null;
  readonly hash: string;
}

const PAGE_ROWS = 1_000;

/** Follows the chain from its beginning: each row has to hash to what it says, and to follow the row before. */
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
    `select decision_id as id, at, actor, what, subject, reason, previous_hash as "previousHash", hash
     from personio.decisions where decision_id > $1 order by decision_id limit ${PAGE_ROWS}`,
    [id],
  );
}

function findFault(row: AuditRow, previousHash: string | null): string | null {
  if (row.previousHash !== previousHash)
    return `Decision ${row.id} does not follow the one before it: a row between them is missing, was added, or had its hash changed.`;
  if (hashEntry(row) !== row.hash) return `Decision ${row.id} was changed after it was written.`;
  return null;
}

/** Rows that are missing at the end leave the rest whole; how long the chain is stands elsewhere. */
async function findEndFault(queries: Queries, decisions: number, lastHash: string | null): Promise<string | null> {
  const [chain] = await queries.query<{ decisions: number; lastHash: string | null }>(
    'select decisions, last_hash as "lastHash" from personio.decision_chain',
  );
  if (chain?.decisions === decisions && chain.lastHash === lastHash) return null;
  return `The chain ends after ${decisions} decisions, and ${chain?.decisions ?? 0} were written: rows at its end are missing or were added by hand.`;
}
