import type { Endpoint } from '../../contracts/internal/names.js';
import type { SyncProgress } from '../../contracts/internal/sync.js';
import type { RunReport } from './wait-for-run.js';

/** Returns the line of a run that has ended. */
export function formatRun(run: RunReport): string {
  const source = run.source === null || run.source === 'v1' ? '' : ` (read from ${run.source})`;
  const joined = run.joined ? ' — joined a run that was under way' : '';
  const failure = run.failureType === null ? '' : ` ${run.failureType}:`;
  return `${run.endpoint.padEnd(14)}  ${run.outcome}${failure}${source}  ${run.message}${joined}`;
}

/** Returns the line of a run that is under way. */
export function formatProgress(endpoint: Endpoint, { phase, received, total }: SyncProgress): string {
  return `${endpoint.padEnd(14)}  … ${phase}: ${received}${total === null ? '' : ` of ${total}`} records`;
}
