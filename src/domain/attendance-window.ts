import type { DayWindow } from '../contracts/internal/sync.js';
import { addDays, countDaysBetween } from './zones.js';

export interface WindowRequest {
  /** From the workflow's input; decides by itself. */
  readonly window: DayWindow | null;
  /** The schedule's nominal time, ISO 8601; null where no schedule started the run. */
  readonly nominalTime: string | null;
  /** When the server started the run, ISO 8601. */
  readonly startedAt: string;
  readonly lookbackDays: number;
  readonly catchUpWithinSeconds: number;
  readonly jitterSeconds: number;
}

/** A day that every chunk boundary is counted from, so that the same dates share a chunk from one run to the next. */
const EPOCH = '1970-01-01';

/**
 * Which days an attendance run reads. A nominal time names its own UTC day; a run that started later than a late schedule could
 * explain is a backfill, and reads that day only.
 */
export function resolveAttendanceWindow(request: WindowRequest): DayWindow {
  if (request.window !== null) return request.window;
  const day = (request.nominalTime ?? request.startedAt).slice(0, 10);
  if (isBackfill(request)) return { from: day, to: day };
  return { from: addDays(day, 1 - request.lookbackDays), to: day };
}

function isBackfill({ nominalTime, startedAt, catchUpWithinSeconds, jitterSeconds }: WindowRequest): boolean {
  if (nominalTime === null) return false;
  const lateSeconds = (Date.parse(startedAt) - Date.parse(nominalTime)) / 1_000;
  return lateSeconds > catchUpWithinSeconds + jitterSeconds;
}

/** @returns the window in chunks of at most `days` days, whose inner borders lie on the same dates whatever the window. */
export function chunkDays(window: DayWindow, days: number): readonly DayWindow[] {
  const chunks: DayWindow[] = [];
  for (let from = window.from; from <= window.to;) {
    const sinceEpoch = countDaysBetween(EPOCH, from);
    const untilBorder = days - (((sinceEpoch % days) + days) % days);
    const last = addDays(from, untilBorder - 1);
    const to = last < window.to ? last : window.to;
    chunks.push({ from, to });
    from = addDays(to, 1);
  }
  return chunks;
}
