import type { Endpoint } from '../contracts/internal/names.js';
import type { SyncProgress } from '../contracts/internal/sync.js';
import type { EventReport } from '../store/events/queries.js';
import type { RunReport } from './run-sync.js';

/** One line of a run that has ended. */
export function formatRun(run: RunReport): string {
  const source = run.source === null || run.source === 'v1' ? '' : ` (read from ${run.source})`;
  const joined = run.joined ? ' — joined a run that was under way' : '';
  const failure = run.failureType === null ? '' : ` ${run.failureType}:`;
  return `${run.endpoint.padEnd(14)}  ${run.outcome}${failure}${source}  ${run.message}${joined}`;
}

export function formatProgress(endpoint: Endpoint, { phase, received, total }: SyncProgress): string {
  return `${endpoint.padEnd(14)}  … ${phase}: ${received}${total === null ? '' : ` of ${total}`} records`;
}

/** One line of an event: what, whom, when, and who answered. */
export function formatEvent(event: EventReport): string {
  const changes = event.changes.map(({ attribute }) => attribute).join(', ');
  const acknowledgements = event.deliveries.map(({ subscriber, state }) => `${state} by ${subscriber}`).join(', ');
  const what = changes === '' ? '' : ` (${changes})`;
  return `${event.kind.padEnd(19)}  employee ${event.employeeId}, ${event.effectiveDate}${what}${event.late ? ', late' : ''}  ${acknowledgements === '' ? event.state : acknowledgements}`;
}
