import type { Endpoint } from '../../contracts/internal/names.js';
import type { SyncProgress } from '../../contracts/internal/sync.js';
import { EXIT, pickWorst } from '../exit.js';
import type { ExitCode } from '../exit.js';
import type { Output } from '../output.js';
import type { RunReport } from './wait-for-run.js';

/** Prints the document that `sync`, `backfill`, `approve` and `dev` share, and returns the exit code of the runs. */
export function reportRuns(output: Output, runs: readonly RunReport[], events: readonly object[]): ExitCode {
  const exitCode = pickWorst(runs.map(toExitCode));
  output.printJson({ ok: exitCode === EXIT.done, exitCode, runs, events });
  return exitCode;
}

/** Returns the exit code of one run. */
export function toExitCode({ outcome }: Pick<RunReport, 'outcome'>): ExitCode {
  if (outcome === 'succeeded' || outcome === 'preview') return EXIT.done;
  return outcome === 'braked' ? EXIT.waiting : EXIT.failed;
}

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
