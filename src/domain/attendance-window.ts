import type { DayWindow } from '../contracts/internal/sync.js';
import { addDays, countDaysBetween } from './zones.js';

export interface WindowRequest {
  /** The window of the workflow's input, which overrides everything else. */
  readonly window: DayWindow | null;
  /** The schedule's nominal time, ISO 8601; null for a run that no schedule started. */
  readonly nominalTime: string | null;
  /** Moment when the server started the run, ISO 8601. */
  readonly startedAt: string;
  readonly lookbackDays: number;
  readonly catchUpWithinSeconds: number;
  readonly jitterSeconds: number;
}

/** Origin of all chunk boundaries, so that the same dates share a chunk in every run. */
const EPOCH = '1970-01-01';

/**
 * Returns the days that an attendance run reads, up to the UTC day of its nominal time. A run that started later than
 * a delayed schedule could explain is a backfill, and reads only that day.
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

/** Splits a window into chunks of at most `days` days. Inner boundaries fall on the same dates for every window. */
export function chunkDays(window: DayWindow, days: number): readonly DayWindow[] {
  const chunks: DayWindow[] = [];
  for (let from = window.from; from <= window.to;) {
    const sinceEpoch = countDaysBetween(EPOCH, from);
    const untilBoundary = days - (((sinceEpoch % days) + days) % days);
    const last = addDays(from, untilBoundary - 1);
    const to = last < window.to ? last : window.to;
    chunks.push({ from, to });
    from = addDays(to, 1);
  }
  return chunks;
}
