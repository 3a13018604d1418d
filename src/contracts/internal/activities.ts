import type { Endpoint } from './names.js';
import type { FailureType } from './errors.js';
import type { DayWindow, RunOutcome, SyncResult } from './sync.js';

/**
 * Activities that workflows call. Everything here is written into workflow histories: ids, counts, positions and
 * sentences, never a record, a name, a token or a secret. Fields with former names: see `former-names.ts`.
 */

/** Identifies one run of a sync. */
export interface RunRef {
  readonly connectionId: string;
  readonly endpoint: Endpoint;
  /** Temporal's first execution run id: the same across retries and continue-as-new. */
  readonly runId: string;
}

/** API that an endpoint is read from: `v1`, `v2`, or `employees` for departments that are derived from them. */
export type Source = 'v1' | 'v2' | 'employees';

export interface OpenRunRequest extends RunRef {
  /** ISO 8601. */
  readonly startedAt: string;
  /** Days of attendances to read, from the workflow's input; null lets the nominal time decide. */
  readonly window: DayWindow | null;
  /** The schedule's nominal time (`TemporalScheduledStartTime`), ISO 8601; null for a run that no schedule started. */
  readonly nominalTime: string | null;
}

export interface RunPlan {
  /** In the order in which they are tried. */
  readonly sources: readonly Source[];
  /** Attendances: the days to read, in chunks that are each committed completely. Other endpoints: one chunk, null. */
  readonly chunks: readonly (DayWindow | null)[];
  readonly pagesPerSegment: number;
}

/** Start of the next page: a record offset (v1) or a cursor (v2), and what the pages before it taught. */
export interface ReadPosition {
  /** In records. */
  readonly offset: number;
  readonly cursor: string | null;
  /** The server's own total, the largest that a page of this attempt gave. */
  readonly total: number | null;
  /** The total that the first page gave, if the list has grown since. */
  readonly firstTotal?: number;
  /** In records. */
  readonly pageSize: number;
  /** Id of the last record received; the next page must begin with it (v1). */
  readonly lastId?: string;
}

export interface SegmentRequest extends RunRef {
  readonly source: Source;
  readonly chunk: DayWindow | null;
  /** Counts the attempts to read the chunk completely, from 1. */
  readonly attempt: number;
  /** Null begins the attempt, on an empty staging table. */
  readonly position: ReadPosition | null;
  /** Maximum number of pages. */
  readonly pages: number;
  /** Reads again only the people whose rows vanished, a portion of them. Default: false. */
  readonly isConfirming?: boolean;
}

export interface SegmentOutcome {
  /** The path is gone (404 or 410): try the next source. */
  readonly isSourceGone: boolean;
  /** Position to continue from; null at the end of the collection. */
  readonly next: ReadPosition | null;
  /** Records in this segment. */
  readonly received: number;
  /** Records in the chunk, by the server's own count; null where it reports none. */
  readonly total: number | null;
  readonly pages: number;
  readonly requests: number;
  /** Reason to begin the read again, such as `the total changed from 250 to 249`; null while the pages add up. */
  readonly restartReason: string | null;
}

/** Activities that call Personio. */
export interface CollectActivities {
  /** Ensures that a valid token exists, which all workers share. Returns no part of it. */
  readonly exchangeToken: (run: RunRef) => Promise<{ readonly requests: number }>;
  /** Fetches and stages the pages of one segment. Safe to repeat: resumes from its heartbeat. */
  readonly collectSegment: (request: SegmentRequest) => Promise<SegmentOutcome>;
  /** Looks up employees who are missing from a complete read, a batch a call. Safe to repeat: skips those done. */
  readonly askForMissing: (request: RunRef & { readonly attempt: number }) => Promise<MissingOutcome>;
  /** Stages the record of one employee; `found` is false when Personio answers 404. Safe to repeat. */
  readonly collectEmployee: (
    request: RunRef & { readonly employeeId: string },
  ) => Promise<{ readonly found: boolean; readonly requests: number }>;
}

export interface MissingOutcome {
  /** Employees that Personio answered with 404. */
  readonly gone: number;
  /** Employees who exist although the list left them out, where their records cannot complete it. */
  readonly present: number;
  /** No further call is needed. */
  readonly isDone: boolean;
  readonly requests: number;
}

export interface CommitRequest extends RunRef {
  readonly source: Source;
  readonly chunk: DayWindow | null;
  readonly attempt: number;
  /** Records that must be staged; null counts the distinct ids of the last pass instead. */
  readonly total: number | null;
  /** Commits even if too many rows go, because the whole window or the run before confirms it. */
  readonly acceptShrunk: boolean;
  /** Rows that did not come are noted as vanished instead of deleted. Default: false. */
  readonly defersDeletions?: boolean;
  /** Commits the read of people whose rows vanished, and deletes those that vanished again. Default: false. */
  readonly isConfirming?: boolean;
}

export interface CommitOutcome {
  /** Reason why the staged ids do not add up, so that nothing was committed; null when committed or shrunk. */
  readonly incomplete: string | null;
  /** Nothing was committed, because too many of `storedRows` would go. */
  readonly shrunk: boolean;
  /** The run before this one saw the same, so it may be believed. */
  readonly seenBefore: boolean;
  readonly storedRows: number;
  /** Rows that the commit deletes, or would delete. */
  readonly deletedRows: number;
  readonly received: number;
  readonly inserted: number;
  readonly updated: number;
  readonly unchanged: number;
  readonly missing: number;
  /** New records that were left out, because what matters of them cannot be read. Absent in older histories. */
  readonly held?: number;
  /** Records of the run so far with values that cannot be read. Absent in older histories. */
  readonly unreadable?: number;
  /** Rows of the run that wait for another read to miss them too. Absent in older histories. */
  readonly vanished?: number;
}

export interface GateOutcome {
  /** Reason why the read is incomplete; null when it is complete. */
  readonly incomplete: string | null;
  /** Every stored employee is in the read. Those who are not are looked up by id. */
  readonly isNobodyMissing: boolean;
}

export interface EmployeesCommitRequest extends RunRef {
  readonly source: Source;
  readonly attempt: number;
  readonly total: number | null;
  /** End of the read, ISO 8601: each employee's *today* is taken from it. */
  readonly collectedAt: string;
  readonly preview: boolean;
  readonly requests: number;
  /** Set by `refreshEmployee`: the snapshot holds this one employee. */
  readonly onlyEmployeeId: string | null;
}

export interface EmployeesCommitOutcome {
  /** Reason why nothing was committed; the sync reads again. */
  readonly incomplete: string | null;
  readonly result: SyncResult | null;
  /** One or more sentences that an operator has to approve or reject; null where no approval is needed. */
  readonly question: string | null;
  /** Braked runs whose questions this one replaces. */
  readonly replaced: readonly string[];
}

/** An operator's answer to a braked run. */
export type Verdict = 'approved' | 'rejected';

export interface VerdictRequest {
  readonly connectionId: string;
  readonly runId: string;
  readonly verdict: Verdict;
  readonly by: string;
  readonly reason: string;
  /** Distinguishes a repeated request from a second verdict. */
  readonly requestId: string;
}

export interface CloseRunRequest extends RunRef {
  readonly outcome: RunOutcome;
  readonly failureType: FailureType | null;
  readonly message: string;
  readonly source: Source | null;
  readonly received: number;
  readonly inserted: number;
  readonly updated: number;
  readonly unchanged: number;
  readonly missing: number;
  /** Default: 0. */
  readonly held?: number;
  readonly requests: number;
  /** Stored in `sync_runs.detail`. */
  readonly detail: Readonly<Record<string, unknown>>;
}

/** Rows deleted by the retention rules, by what they were. */
export interface RetentionResult {
  readonly attendances: number;
  readonly proposals: number;
  readonly events: number;
  readonly history: number;
  readonly people: number;
  readonly runs: number;
}

/** Activities of syncs that work on the database. */
export interface StoreActivities {
  /** Deletes what the retention rules no longer allow, in small batches. Safe to repeat, and to stop at any batch. */
  readonly applyRetention: () => Promise<RetentionResult>;
  /** Inserts the run's row and returns what to read. Safe to repeat. */
  readonly openRun: (request: OpenRunRequest) => Promise<RunPlan>;
  /** Checks a chunk for completeness and merges it, in one transaction: all of it, or nothing. Safe to repeat. */
  readonly commitSnapshot: (request: CommitRequest) => Promise<CommitOutcome>;
  /** Checks a read of employees for completeness, before anything is decided. */
  readonly verifySnapshot: (
    request: RunRef & { readonly attempt: number; readonly total: number | null },
  ) => Promise<GateOutcome>;
  /**
   * Decides transitions, applies the brake, merges, stores events and closes the run, in one transaction. Safe to
   * repeat.
   */
  readonly commitEmployees: (request: EmployeesCommitRequest) => Promise<EmployeesCommitOutcome>;
  /** Stores an operator's verdict on a braked run. Safe to repeat. */
  readonly decideHeld: (request: VerdictRequest) => Promise<{ readonly people: number }>;
  /** Closes the run's row and drops its staging tables. Safe to repeat. */
  readonly closeRun: (request: CloseRunRequest) => Promise<SyncResult>;
  /** Dispatches open events to their employees' `employeeLifecycle` workflows, for some seconds. Safe to repeat. */
  readonly dispatchEvents: (request: DispatchRequest) => Promise<DispatchOutcome>;
}

export interface DispatchRequest {
  readonly connectionId: string;
  /** Dispatches this employee alone, ahead of all others; default: everybody with open events. */
  readonly onlyEmployeeId?: string | null;
  /** Employees that the step before left; absent in the first step. */
  readonly left?: number;
}

export interface DispatchOutcome {
  /** Employees whose events were dispatched. */
  readonly persons: number;
  /** Employees left for the next step. */
  readonly left: number;
}

export interface EmployeeRef {
  readonly connectionId: string;
  readonly employeeId: string;
}

/** A subscriber's acknowledgement in a safe shape: it comes from other teams' code. */
export interface ParsedAcknowledgement {
  readonly deliveryId: string;
  readonly outcome: 'done' | 'failed';
  readonly note: string | null;
}

export interface ProcessPendingRequest extends EmployeeRef {
  readonly acknowledgements: readonly ParsedAcknowledgement[];
}

/** An open delivery, or a planned event without one. */
export interface PendingItem {
  /** Null for a planned event that no subscriber asked for. */
  readonly deliveryId: string | null;
  readonly eventId: string;
  readonly kind: string;
  readonly subscriber: string | null;
  readonly state: string;
  /** Time of the next step, ISO 8601; null while it waits for the delivery before it. */
  readonly at: string | null;
  /** Describes what it waits for. */
  readonly sentence: string;
}

/** Open events and deliveries of one employee. */
export interface PendingWork {
  /** In the order in which they fall due. */
  readonly items: readonly PendingItem[];
  /** Milliseconds until the next step by the database's clock, jitter included; null when nothing is open. */
  readonly nextInMs: number | null;
}

/** The activity of `employeeLifecycle`. */
export interface LifecycleActivities {
  /**
   * Processes the pending work of one employee: stores acknowledgements (unknown, repeated and late ones are counted
   * and harmless), lets events fall due, sends and repeats deliveries, marks overdue ones, and returns what comes
   * next. Safe to repeat. Keeps the name of its first version, since Temporal stores it.
   */
  readonly advanceAgenda: (request: ProcessPendingRequest) => Promise<PendingWork>;
}

export type Activities = CollectActivities & StoreActivities & LifecycleActivities;
