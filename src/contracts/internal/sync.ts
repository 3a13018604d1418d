import type { Endpoint } from './names.js';
import type { FailureType } from './errors.js';

/** First and last calendar day (`YYYY-MM-DD`), both included. */
export interface DayWindow {
  readonly from: string;
  readonly to: string;
}

/** The one, optional argument of every sync workflow. */
export interface SyncInput {
  /** Default: `default`. */
  readonly connection?: string;
  /** Attendances only: reads exactly these days, whatever the schedule's nominal time. */
  readonly window?: DayWindow;
  /** Employees only: decides and shows, and changes nothing that readers see. Default: false. */
  readonly preview?: boolean;
}

export interface RefreshInput {
  /** Default: `default`. */
  readonly connection?: string;
  readonly employeeId: string;
}

export type RunOutcome = 'succeeded' | 'incomplete' | 'failed' | 'braked' | 'cancelled' | 'preview';

/** Figures of one row of `sync_runs`: what a sync workflow returns and what `--json` prints. */
export interface SyncResult {
  readonly runId: string;
  readonly connectionId: string;
  readonly endpoint: Endpoint;
  readonly outcome: RunOutcome;
  readonly failureType: FailureType | null;
  /** Source that the endpoint was read from: `v1`, `v2`, or `employees` for departments that were derived. */
  readonly source: string | null;
  readonly received: number;
  readonly inserted: number;
  readonly updated: number;
  readonly unchanged: number;
  readonly missing: number;
  readonly held: number;
  readonly requests: number;
  /** One or more sentences for people; no personal data. */
  readonly message: string;
}

/** Figures of a run that changed nothing. */
export const ZERO_COUNTS = { received: 0, inserted: 0, updated: 0, unchanged: 0, missing: 0, held: 0 } as const;

/** Result of the query `progress` of a sync. */
export interface SyncProgress {
  readonly phase: string;
  /** Records so far. */
  readonly received: number;
  /** Records expected; null until the server reports it, and where it never does. */
  readonly total: number | null;
  /** Pages so far. */
  readonly page: number;
  /** ISO 8601. */
  readonly startedAt: string;
  /** Describes what the run waits for; null while it works. */
  readonly waitingFor: string | null;
}

/** The argument of the updates `approve` and `reject`. */
export interface VerdictInput {
  /** Person responsible, recorded in the audit log. */
  readonly by: string;
  readonly reason: string;
}

/** Result of the updates `approve` and `reject`. */
export interface VerdictResult {
  /** Number of people the verdict applies to. */
  readonly people: number;
  /** The workflow that reads again and commits what was approved; null after a rejection. */
  readonly freshReadId: string | null;
}
