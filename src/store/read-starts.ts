import type { RunRef } from '../contracts/internal/activities.js';
import type { Queries } from './database.js';

/** Attempt and days that a staged row belongs to. */
export interface StagingKey {
  /** Number of the attempt to read the chunk, from 1. */
  readonly attempt: number;
  /** First day of the chunk; null for endpoints that are read in one. */
  readonly chunk: string | null;
}

/**
 * Records that an attempt begins, by the database's clock. Call it before the first request: what another read commits
 * from now on is newer than what this attempt has.
 *
 * The first start counts, since a worker that was given up may still stage what it read before the second one.
 */
export async function recordReadStart(queries: Queries, run: RunRef, { attempt, chunk }: StagingKey): Promise<void> {
  await queries.run(
    `insert into personio.read_starts (run_id, attempt, chunk, connection_id, started_at)
     values ($1, $2, $3, $4, clock_timestamp())
     on conflict do nothing`,
    [run.runId, attempt, chunk, run.connectionId],
  );
}

/**
 * Returns when an attempt began, as text with microseconds. An attempt without a recorded start, which an older worker
 * began, counts as begun with its run.
 */
export async function findReadStart(queries: Queries, run: RunRef, { attempt, chunk }: StagingKey): Promise<string> {
  const [row] = await queries.query<{ started_at: string }>(
    `select coalesce(starts.started_at, runs.started_at)::text as started_at
     from personio.sync_runs as runs
     left join personio.read_starts as starts
       on starts.run_id = runs.run_id
       and starts.attempt = $2
       and starts.chunk is not distinct from $3::date
     where runs.run_id = $1`,
    [run.runId, attempt, chunk],
  );
  return row?.started_at ?? '-infinity';
}

/** Deletes the starts of a run whose staging goes. */
export async function deleteReadStarts(queries: Queries, run: RunRef): Promise<void> {
  await queries.run('delete from personio.read_starts where run_id = $1', [run.runId]);
}

/** Deletes the starts that runs left behind which ended, or were erased, while one of their steps was still at work. */
export async function deleteLeftOverStarts(queries: Queries): Promise<void> {
  await queries.run(
    `delete from personio.read_starts as starts
     where not exists (
       select from personio.sync_runs as runs
       where runs.run_id = starts.run_id
         and runs.outcome is null
     )`,
  );
}
