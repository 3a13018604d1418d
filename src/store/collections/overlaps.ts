import type { CommitRequest } from '../../contracts/internal/activities.js';
import type { Transaction } from '../database.js';
import { findReadStart } from '../read-starts.js';

/** Days after which a commit is forgotten. A read that is older is refused, since nobody knows what it overlaps. */
const REMEMBERED_DAYS = 30;

/**
 * Checks that no other run has committed the same collection, or overlapping days, since this attempt began: its
 * records may be older than what is stored. Call it under the endpoint's lock.
 *
 * Commits of the same run do not count: it begins to read a chunk while it commits the one before.
 *
 * @returns why the attempt must be read again; null if it may be committed.
 */
export async function findOverlapReason(transaction: Transaction, request: CommitRequest): Promise<string | null> {
  const { connectionId, endpoint, runId, attempt, chunk } = request;
  const startedAt = await findReadStart(transaction, request, { attempt, chunk: chunk?.from ?? null });
  const [row] = await transaction.query<{ overlaps: boolean; is_forgotten: boolean }>(
    `select
       $4::timestamptz < clock_timestamp() - $7 * interval '1 day' as is_forgotten,
       exists (
         select from personio.snapshot_commits as commits
         where commits.connection_id = $1
           and commits.endpoint = $2
           and commits.run_id <> $3
           and commits.committed_at >= $4::timestamptz
           and (
             $5::date is null
             or commits.window_start is null
             or (commits.window_start <= $6::date and commits.window_end >= $5::date)
           )
       ) as overlaps`,
    [connectionId, endpoint, runId, startedAt, chunk?.from ?? null, chunk?.to ?? null, REMEMBERED_DAYS],
  );
  if (row?.is_forgotten === true) return `the read began more than ${REMEMBERED_DAYS} days ago`;
  if (row?.overlaps !== true) return null;
  return `another run committed ${chunk === null ? `the ${endpoint}` : 'these days'} during the read`;
}

/** Records that a run has committed a collection, or the days of a chunk, and deletes old commits. */
export async function recordCommit(
  transaction: Transaction,
  { connectionId, endpoint, runId, chunk }: CommitRequest,
): Promise<void> {
  await transaction.run(
    `insert into personio.snapshot_commits (
       connection_id, endpoint, window_start, window_end, run_id, committed_at
     )
     values ($1, $2, $3, $4, $5, clock_timestamp())
     on conflict (connection_id, endpoint, window_start, window_end) do update
     set run_id = excluded.run_id,
       committed_at = excluded.committed_at`,
    [connectionId, endpoint, chunk?.from ?? null, chunk?.to ?? null, runId],
  );
  await transaction.run(
    `delete from personio.snapshot_commits
     where connection_id = $1
       and endpoint = $2
       and committed_at < clock_timestamp() - $3 * interval '1 day'`,
    [connectionId, endpoint, REMEMBERED_DAYS],
  );
}
