import type { DayWindow } from '../contracts/internal/sync.js';
import { addDays, countDaysBetween, isCalendarDay } from './zones.js';

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

/** Longest window of one run: ten years. */
const MAX_WINDOW_DAYS = 3_660;

/** Returns why a window cannot be read; null for two real days, in order, at most ten years apart. */
export function findWindowFault(window: unknown): string | null {
  if (typeof window !== 'object' || window === null) return 'A window is an object with the days `from` and `to`.';
  const { from, to }: { readonly from?: unknown; readonly to?: unknown } = window;
  if (!isCalendarDay(from)) return 'The window needs `from`, a calendar day (YYYY-MM-DD).';
  if (!isCalendarDay(to)) return 'The window needs `to`, a calendar day (YYYY-MM-DD).';
  if (from > to) return `The window ends on ${to}, before it begins on ${from}.`;
  const days = countDaysBetween(from, to) + 1;
  return days > MAX_WINDOW_DAYS
    ? `The window has ${days} days. One run reads at most ${MAX_WINDOW_DAYS}: split it into several.`
    : null;
}

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

/**
 * Splits a window into chunks of at most `days` days. Inner boundaries fall on the same dates for every window.
 *
 * @throws RangeError for a window with a fault: without this limit the loop could run for years of chunks.
 */
export function chunkDays(window: DayWindow, days: number): readonly DayWindow[] {
  const fault = findWindowFault(window);
  if (fault !== null) throw new RangeError(fault);
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
