import { createHash } from 'node:crypto';
import type { Transaction } from './database.js';

/** What a person, or the operating system's user, has decided. */
export interface Decision {
  /** Who answers for it: a name as given, or the operating system's user. */
  readonly actor: string;
  /** Such as `approve`, `reject`, `erase`, `readmit`, `redeliver`, `rotate-secret`, `rotate-keys`. */
  readonly what: string;
  /** What it is about: a run, a connection and employee id, a delivery. Ids only. */
  readonly subject: string;
  readonly reason: string;
}

/** One row of `decisions`, as its hash is made of it. */
interface Link extends Decision {
  readonly at: string;
  readonly previousHash: string | null;
}

/** Appends a decision; each row is bound to the one before by its hash, so that a changed or missing row shows. */
export async function appendDecision(transaction: Transaction, decision: Decision): Promise<void> {
  // One at a time: the chain has no branches.
  await transaction.run(`select pg_advisory_xact_lock(hashtextextended('personio:decisions', 0))`);
  const [last] = await transaction.rows<{ hash: string }>(
    'select hash from personio.decisions order by decision_id desc limit 1',
  );
  const [clock] = await transaction.rows<{ now: string }>('select clock_timestamp() as now');
  const link: Link = { ...decision, at: clock?.now ?? '', previousHash: last?.hash ?? null };
  await transaction.run(
    `insert into personio.decisions (at, actor, what, subject, reason, previous_hash, hash) values ($1, $2, $3, $4, $5, $6, $7)`,
    [link.at, link.actor, link.what, link.subject, link.reason, link.previousHash, hashOf(link)],
  );
}

/** @returns SHA-256 over the row's fields in a fixed order, as hexadecimal text. */
export function hashOf({ at, actor, what, subject, reason, previousHash }: Link): string {
  const text = JSON.stringify([at, actor, what, subject, reason, previousHash]);
  return createHash('sha256').update(text).digest('hex');
}
