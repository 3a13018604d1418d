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
