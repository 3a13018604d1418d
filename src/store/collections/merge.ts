import type { CommitOutcome, CommitRequest } from '../../contracts/internal/activities.js';
import type { Transaction } from '../database.js';
import { isShrunk } from '../../domain/shrunk.js';
import { hasShrunkBefore } from '../runs.js';
import { TABLES, buildDayCondition, buildNearCondition, listColumns } from './tables.js';
import type { Collection, CollectionTable } from './tables.js';
import { countVanished, forgetBrought, noteVanished, takeVanished } from './vanished.js';

/** Outcome of a commit that changed nothing. */
export const NO_CHANGE: Omit<CommitOutcome, 'incomplete'> = {
  shrunk: false,
  seenBefore: false,
  storedRows: 0,
  deletedRows: 0,
  received: 0,
  inserted: 0,
  updated: 0,
  unchanged: 0,
  missing: 0,
};

/**
 * Merges the temporary table `snapshot`, unless that would delete too many rows and nobody has accepted it. Rows that
 * did not come are deleted, or noted as vanished where the request defers that.
 */
export async function mergeSnapshot(
  transaction: Transaction,
  endpoint: Collection,
  request: CommitRequest,
): Promise<CommitOutcome> {
  const { defersDeletions = false } = request;
  const statements = new SnapshotMerge(transaction, request, TABLES[endpoint]);
  if (defersDeletions) await forgetBrought(transaction, request, TABLES[endpoint].key);
  const { stored: storedRows, gone: deletedRows } = await statements.countStored();
  if (isShrunk(storedRows, deletedRows) && !request.acceptShrunk) {
    const seenBefore = await hasShrunkBefore(transaction, request, request.chunk);
    return { ...NO_CHANGE, incomplete: null, shrunk: true, seenBefore, storedRows, deletedRows };
  }
  const updated = await statements.update();
  const inserted = await statements.insert();
  if (defersDeletions) await statements.noteGone();
  else if (deletedRows > 0) await statements.remove();
  const [snapshot] = await transaction.query<{ received: number }>('select count(*) as received from snapshot');
  const received = snapshot?.received ?? 0;
  return {
    ...NO_CHANGE,
    incomplete: null,
    storedRows,
    deletedRows,
    received,
    inserted,
    updated,
    unchanged: received - inserted - updated,
    ...(defersDeletions ? { vanished: await countVanished(transaction, request) } : { missing: deletedRows }),
  };
}

/**
 * Merges the temporary table `snapshot`, a second read of the people whose rows vanished, and deletes the rows that
 * vanished again. Only what it changes counts as received, since the rest has come before in this run.
 */
export async function mergeConfirming(
  transaction: Transaction,
  endpoint: Collection,
  request: CommitRequest,
): Promise<CommitOutcome> {
  const statements = new SnapshotMerge(transaction, request, TABLES[endpoint]);
  await takeVanished(transaction, request);
  const updated = await statements.update();
  const inserted = await statements.insert();
  const missing = await statements.remove();
  const vanished = await countVanished(transaction, request);
  return { ...NO_CHANGE, incomplete: null, received: inserted + updated, inserted, updated, missing, vanished };
}

/** Statements of one merge. `stored` is the table's row, `snapshot` the row that was read. */
class SnapshotMerge {
  private readonly transaction: Transaction;
  private readonly request: CommitRequest;
  private readonly target: CollectionTable;

  constructor(transaction: Transaction, request: CommitRequest, target: CollectionTable) {
    this.transaction = transaction;
    this.request = request;
    this.target = target;
  }

  /** Counts the stored rows that the read is about, and those of them that did not come. */
  async countStored(): Promise<{ readonly stored: number; readonly gone: number }> {
    const [row] = await this.transaction.query<{ stored: number; gone: number }>(
      `select
         count(*) as stored,
         count(*) filter (where ${this.buildGoneCondition()}) as gone
       from ${this.target.table} as stored
       where ${this.buildScopeCondition()}`,
      [this.request.connectionId],
    );
    return row ?? { stored: 0, gone: 0 };
  }

  /** Updates the rows of the chunk's days, then those that are stored for other days, by their keys. */
  async update(): Promise<number> {
    const near = await this.updateWhere(buildNearCondition('stored', this.request));
    const elsewhere = await this.updateWhere(
      `stored.${this.target.key} = any(array(select key from known where is_elsewhere))`,
    );
    return near + elsewhere;
  }

  private async updateWhere(condition: string): Promise<number> {
    const { table, key, shouldKeepMissing } = this.target;
    const columns = this.target.columns.filter((column) => !this.isAbsentFromSource(column));
    const assignments = columns.map((column) => `${column} = snapshot.${column}`);
    if (shouldKeepMissing) assignments.push('missing_since = null');
    return this.transaction.run(
      `update ${table} as stored
       set ${assignments.join(',\n         ')},
         changed_at = clock_timestamp()
       from snapshot
       where stored.connection_id = $1
         and stored.${key} = snapshot.${key}
         and ${condition}
         and (
           (${listColumns('stored', columns)})
             is distinct from (${listColumns('snapshot', columns)})
           ${shouldKeepMissing ? 'or stored.missing_since is not null' : ''}
         )`,
      [this.request.connectionId],
    );
  }

  async insert(): Promise<number> {
    const { table, key, columns, shouldKeepMissing } = this.target;
    const moments = shouldKeepMissing ? ['first_seen_at', 'changed_at'] : ['changed_at'];
    return this.transaction.run(
      `insert into ${table} (connection_id, ${[key, ...columns, ...moments].join(', ')})
       select
         $1,
         ${listColumns('snapshot', [key, ...columns])},
         ${moments.map(() => 'clock_timestamp()').join(', ')}
       from snapshot
       where not exists (select from known where known.key = snapshot.${key})`,
      [this.request.connectionId],
    );
  }

  async remove(): Promise<number> {
    const { table, shouldKeepMissing } = this.target;
    const act = shouldKeepMissing
      ? `update ${table} as stored set missing_since = clock_timestamp()`
      : `delete from ${table} as stored`;
    return this.transaction.run(
      `${act}
       where ${this.buildScopeCondition()}
         and ${this.buildGoneCondition()}`,
      [this.request.connectionId],
    );
  }

  async noteGone(): Promise<void> {
    const scope = `${this.buildScopeCondition()} and ${this.buildGoneCondition()}`;
    await noteVanished(this.transaction, this.request, { ...this.target, scope });
  }

  /** v2 does not report holidays and time off, so what v1 reported stays. */
  private isAbsentFromSource(column: string): boolean {
    return this.request.source === 'v2' && ['is_holiday', 'is_on_time_off'].includes(column);
  }

  private buildScopeCondition(): string {
    const conditions = ['stored.connection_id = $1'];
    if (this.request.isConfirming === true)
      conditions.push(`stored.${this.target.key} = any(array(select record_id from vanished))`);
    // A vanished row that another run has moved out of the window was not asked for either.
    if (this.request.chunk !== null) conditions.push(buildDayCondition('stored', this.request));
    if (this.target.shouldKeepMissing) conditions.push('stored.missing_since is null');
    return conditions.join(' and ');
  }

  private buildGoneCondition(): string {
    const { key } = this.target;
    return `not exists (select from snapshot where snapshot.${key} = stored.${key})`;
  }
}
