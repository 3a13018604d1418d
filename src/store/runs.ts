import type { CloseRunRequest, RunRef } from '../contracts/internal/activities.js';
import type { FailureType } from '../contracts/internal/errors.js';
import type { Endpoint } from '../contracts/internal/names.js';
import { ZERO_COUNTS } from '../contracts/internal/sync.js';
import type { DayWindow, RunOutcome, SyncResult } from '../contracts/internal/sync.js';
import type { Queries } from './database.js';

interface RunRow {
  readonly run_id: string;
  readonly connection_id: string;
  readonly endpoint: Endpoint;
  readonly outcome: RunOutcome | null;
  readonly failure_type: FailureType | null;
  readonly source: string | null;
  readonly received: number;
  readonly inserted: number;
  readonly updated: number;
  readonly unchanged: number;
  readonly missing: number;
  readonly held: number;
  readonly requests: number;
  readonly message: string | null;
}

const RESULT_COLUMNS: readonly (keyof RunRow)[] = [
  'run_id',
  'connection_id',
  'endpoint',
  'outcome',
  'failure_type',
  'source',
  'received',
  'inserted',
  'updated',
  'unchanged',
  'missing',
  'held',
  'requests',
  'message',
];

/** Inserts the run's row. Repeated, it changes nothing. */
export async function insertRun(
  queries: Queries,
  run: RunRef,
  startedAt: string,
  window: DayWindow | null,
): Promise<void> {
  await queries.run(
    `insert into personio.sync_runs (run_id, connection_id, endpoint, window_start, window_end, started_at)
     values ($1, $2, $3, $4, $5, $6)
     on conflict do nothing`,
    [run.runId, run.connectionId, run.endpoint, window?.from ?? null, window?.to ?? null, startedAt],
  );
}

/** Lists runs that have not ended, the oldest first. */
export async function listOpenRuns(queries: Queries, limit: number): Promise<readonly RunRef[]> {
  return queries.query<RunRef>(
    `select
       run_id as "runId",
       connection_id as "connectionId",
       endpoint
     from personio.sync_runs
     where outcome is null
     order by started_at
     limit $1`,
    [limit],
  );
}

/** Outcome and figures of a run that ends. */
export type RunEnding = Omit<CloseRunRequest, keyof RunRef>;

/** Ends the run, unless it has ended already: the first ending counts. Returns the figures in its row. */
export async function closeRun(queries: Queries, run: RunRef, ending: RunEnding): Promise<SyncResult> {
  await queries.run(
    `update personio.sync_runs
     set outcome = $2,
       failure_type = $3,
       message = $4,
       source = $5,
       received = $6,
       inserted = $7,
       updated = $8,
       unchanged = $9,
       missing = $10,
       held = $11,
       requests = $12,
       detail = detail || $13::jsonb,
       finished_at = clock_timestamp()
     where run_id = $1
       and outcome is null`,
    [
      run.runId,
      ending.outcome,
      ending.failureType,
      ending.message,
      ending.source,
      ending.received,
      ending.inserted,
      ending.updated,
      ending.unchanged,
      ending.missing,
      ending.held ?? 0,
      ending.requests,
      JSON.stringify(ending.detail),
    ],
  );
  const result = await findClosedRun(queries, run);
  if (result === null) throw new RangeError('The row of a run that was closed is still open.');
  return result;
}

/**
 * Returns the figures of a run that has ended; null while it runs. A run whose row is gone has ended as cancelled: its
 * connection was removed together with its data.
 */
export async function findClosedRun(queries: Queries, run: RunRef, shouldLock = false): Promise<SyncResult | null> {
  const [row] = await queries.query<RunRow>(
    `select ${RESULT_COLUMNS.join(', ')}
     from personio.sync_runs
     where run_id = $1
     ${shouldLock ? 'for update' : ''}`,
    [run.runId],
  );
  if (row === undefined) return createRemovedResult(run);
  return row.outcome === null ? null : toSyncResult(row, row.outcome);
}

function createRemovedResult({ runId, connectionId, endpoint }: RunRef): SyncResult {
  return {
    runId,
    connectionId,
    endpoint,
    outcome: 'cancelled',
    failureType: null,
    source: null,
    message: 'The connection was removed together with its data. Nothing more was changed.',
    ...ZERO_COUNTS,
    requests: 0,
  };
}

function toSyncResult(row: RunRow, outcome: RunOutcome): SyncResult {
  return {
    runId: row.run_id,
    connectionId: row.connection_id,
    endpoint: row.endpoint,
    outcome,
    failureType: row.failure_type,
    source: row.source,
    message: row.message ?? '',
    received: row.received,
    inserted: row.inserted,
    updated: row.updated,
    unchanged: row.unchanged,
    missing: row.missing,
    held: row.held,
    requests: row.requests,
  };
}

/**
 * Returns whether the endpoint's last finished run refused the same days because they had lost too many rows. The
 * second time, it is believed.
 */
export async function hasShrunkBefore(queries: Queries, run: RunRef, chunk: DayWindow | null): Promise<boolean> {
  const [last] = await queries.query<{ outcome: RunOutcome; shrunk: readonly (DayWindow | null)[] | null }>(
    `select outcome, detail -> 'narrowed' as shrunk
     from personio.sync_runs
     where connection_id = $1
       and endpoint = $2
       and run_id <> $3
       and outcome is not null
     order by started_at desc
     limit 1`,
    [run.connectionId, run.endpoint, run.runId],
  );
  if (last?.outcome !== 'incomplete' || last.shrunk === null) return false;
  return last.shrunk.some((window) => window?.from === chunk?.from && window?.to === chunk?.to);
}
