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
  /** Attendances only: read exactly these days, whatever the schedule's nominal time says. */
  readonly window?: DayWindow;
  /** Employees only: decide and show, change nothing that readers see. */
  readonly preview?: boolean;
}

export interface RefreshInput {
  readonly connection?: string;
  readonly employeeId: string;
}

export type RunOutcome = 'succeeded' | 'incomplete' | 'failed' | 'braked' | 'cancelled' | 'preview';

/** The figures of one row of `sync_runs`: what a sync workflow returns and what `--json` prints. */
export interface SyncResult {
  readonly runId: string;
  readonly connectionId: string;
  readonly endpoint: Endpoint;
  readonly outcome: RunOutcome;
  readonly failureType: FailureType | null;
  /** Which of the endpoint's sources answered: `v1`, `v2`, or `employees` for departments that were derived. */
  readonly source: string | null;
  readonly received: number;
  readonly inserted: number;
  readonly updated: number;
  readonly unchanged: number;
  readonly missing: number;
  readonly held: number;
  readonly requests: number;
  /** One sentence for people; no personal data. */
  readonly message: string;
}

/** Answer of the query `progress` of a sync. */
export interface SyncProgress {
  readonly phase: string;
  readonly received: number;
  /** `null` until the server has said how many there are, and where it never says. */
  readonly total: number | null;
  readonly page: number;
  readonly startedAt: string;
  /** What the run waits for, in words; `null` while it works. */
  readonly waitingFor: string | null;
}

/** The argument of the updates `approve` and `reject`: who answers for it, and why. */
export interface VerdictInput {
  readonly by: string;
  readonly reason: string;
}

/** What the update answers. */
export interface VerdictResult {
  /** People whom the decision is about. */
  readonly people: number;
  /** The workflow that reads anew and commits what was approved; null after a rejection. */
  readonly freshReadId: string | null;
}
