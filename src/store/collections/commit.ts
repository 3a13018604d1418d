import type { CommitOutcome, CommitRequest } from '../../contracts/internal/activities.js';
import { findIncompleteReason } from '../completeness.js';
import type { Database, Transaction } from '../database.js';
import { lockEndpoint } from '../locks.js';
import { findClosedRun } from '../runs.js';
import { isStaged, toStagingTable } from '../staging.js';
import { summarizeUnreadable } from '../unreadable.js';
import { NO_CHANGE, mergeConfirming, mergeSnapshot } from './merge.js';
import { findOverlapReason, recordCommit } from './overlaps.js';
import { selectSnapshot } from './snapshot.js';
import { TABLES, buildAttemptCondition, buildDayCondition, listColumns } from './tables.js';
import type { Collection } from './tables.js';

/**
 * Checks that a read is complete and merges it: departments, time-off types or a chunk of attendances, in one
 * transaction, all or nothing. Rows that did not change are not touched. Where another run has committed the same since
 * this attempt began, the attempt is incomplete: its records may be older than what is stored.
 */
export async function commitSnapshot(database: Database, request: CommitRequest): Promise<CommitOutcome> {
  const { endpoint } = request;
  if (endpoint === 'employees') throw new RangeError('Employees are committed with their events, see commitEmployees.');
  return database.transaction(async (transaction) => {
    await lockEndpoint(transaction, request.connectionId, endpoint);
    const closed = await findClosedRun(transaction, request);
    if (closed !== null) return { ...NO_CHANGE, incomplete: `the run has already ended as ${closed.outcome}` };
    const overlap = await findOverlapReason(transaction, request);
    if (overlap !== null) return { ...NO_CHANGE, incomplete: overlap };
    const outcome = await merge(transaction, endpoint, request);
    if (outcome.incomplete !== null || outcome.shrunk) return outcome;
    await recordCommit(transaction, request);
    if (request.isConfirming === true) return outcome;
    return { ...outcome, unreadable: await storeUnreadable(transaction, request) };
  });
}

async function merge(transaction: Transaction, endpoint: Collection, request: CommitRequest): Promise<CommitOutcome> {
  const unchanged = await countUnchangedRows(transaction, request);
  if (unchanged !== null)
    return { ...NO_CHANGE, incomplete: null, storedRows: unchanged, received: unchanged, unchanged };
  const incomplete = await findIncompleteReason(transaction, request);
  if (incomplete !== null) return { ...NO_CHANGE, incomplete };
  const { held } = await selectSnapshot(transaction, endpoint, request);
  if (request.isConfirming === true) return mergeConfirming(transaction, endpoint, request);
  const outcome = await mergeSnapshot(transaction, endpoint, request);
  return { ...outcome, received: outcome.received + held, held };
}

/** Stores which records of the run cannot be read in full. Returns their number. */
async function storeUnreadable(transaction: Transaction, request: CommitRequest): Promise<number> {
  const detail = await summarizeUnreadable(transaction, request);
  if (detail.unreadableCount > 0) {
    await transaction.run('update personio.sync_runs set detail = detail || $2::jsonb where run_id = $1', [
      request.runId,
      JSON.stringify(detail),
    ]);
  }
  return detail.unreadableCount;
}

/**
 * Recognises what most reads of attendances find: the table holds as many rows as Personio reports, and each of them
 * came once and unchanged. That is complete, and there is nothing to merge. v2 has breaks to add up first.
 *
 * @returns how many rows there are; null where anything differs or was not compared.
 */
async function countUnchangedRows(transaction: Transaction, request: CommitRequest): Promise<number | null> {
  const { endpoint, source, connectionId, total } = request;
  if (
    endpoint !== 'attendances' ||
    source === 'v2' ||
    request.isConfirming === true ||
    !(await isStaged(transaction, request))
  )
    return null;
  const { table, key, columns } = TABLES.attendances;
  const scope = `periods.connection_id = $1 and ${buildDayCondition('periods', request)}`;
  const [count] = await transaction.query<{ stored: number }>(
    `select count(*) as stored
     from ${table} as periods
     where ${scope}`,
    [connectionId],
  );
  if (count?.stored !== total) return null;
  // A full join: where an id came twice, there are more pairs than rows.
  const [row] = await transaction.query<{ pairs: number; same: number }>(
    `select
       count(*) as pairs,
       count(*) filter (
         where stored.${key} = staged.record_id
           and (${listColumns('staged', columns)})
             is not distinct from (${listColumns('stored', columns)})
       ) as same
     from (
       select *
       from ${table} as periods
       where ${scope}
     ) as stored
     full join (
       select *
       from ${toStagingTable(request)}
       where ${buildAttemptCondition(request)}
     ) as staged
       on stored.${key} = staged.record_id`,
    [connectionId],
  );
  return row?.pairs === total && row.same === total ? total : null;
}
