import type { RetentionResult } from '../contracts/internal/activities.js';
import type { RetentionPolicy } from '../domain/policy.js';
import type { Queries } from './database.js';

/** Steps in their order, each with the setting that says after how many days rows are forgotten. */
const STEPS = [
  { what: 'attendances', days: 'attendancesDays' },
  { what: 'proposals', days: 'rawRunsDays' },
  { what: 'events', days: 'eventsDays' },
  { what: 'history', days: 'historyDays' },
  { what: 'people', days: 'historyDays' },
  { what: 'runs', days: 'rawRunsDays' },
] as const satisfies readonly { readonly what: keyof RetentionResult; readonly days: keyof RetentionPolicy }[];

/** Rows per statement: few enough to block nobody. */
const BATCH_ROWS = 1_000;

/**
 * Deletes what has outlived its retention, in small batches, each in its own transaction. Safe to repeat and to stop
 * anywhere.
 *
 * @param onBatch is called after each batch; it may throw to stop.
 */
export async function applyRetention(
  queries: Queries,
  policy: RetentionPolicy,
  onBatch: () => void = () => undefined,
): Promise<RetentionResult> {
  const forgotten = { attendances: 0, proposals: 0, events: 0, history: 0, people: 0, runs: 0 };
  for (const { what, days } of STEPS) {
    for (let rows = BATCH_ROWS; rows >= BATCH_ROWS;) {
      const [row] = await queries.query<{ rows: number }>(
        `select personio.forget_batch($1, clock_timestamp() - $2 * interval '1 day', $3) as rows`,
        [what, policy[days], BATCH_ROWS],
      );
      rows = row?.rows ?? 0;
      forgotten[what] += rows;
      onBatch();
    }
  }
  return forgotten;
}
