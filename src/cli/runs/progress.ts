import type { Endpoint } from '../../contracts/internal/names.js';
import { formatProgress } from './report-runs.js';
import type { OnProgress } from './wait-for-run.js';

const REPEAT_MS = 30_000;

export interface ProgressOptions {
  /** Prints one line. */
  readonly note: (line: string) => void;
  /** True where a person watches: every change is printed. Else a log is kept short. */
  readonly isTerminal: boolean;
  readonly getNow: () => number;
}

/**
 * Returns a listener that prints the progress of runs. On a terminal each changed line is printed; elsewhere only a new
 * phase is, and what else has changed every 30 s at most. A line that has not changed is repeated every 30 s.
 */
export function createProgressPrinter({ note, isTerminal, getNow }: ProgressOptions): OnProgress {
  const printed = new Map<Endpoint, { readonly key: string; readonly at: number }>();
  return (endpoint, progress) => {
    const line = formatProgress(endpoint, progress);
    // Phases name days and weeks; the next week is no new phase.
    const key = isTerminal ? line : progress.phase.replaceAll(/\d+/g, '');
    const last = printed.get(endpoint);
    const now = getNow();
    if (last?.key === key && now - last.at < REPEAT_MS) return;
    note(line);
    printed.set(endpoint, { key, at: now });
  };
}

/** Returns a listener that prints the progress of runs to stderr, as suits a terminal or a log. */
export function printProgress(note: (line: string) => void): OnProgress {
  return createProgressPrinter({ note, isTerminal: process.stderr.isTTY, getNow: Date.now });
}
