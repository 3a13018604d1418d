import type { Endpoint } from './names.js';
import type { FailureType } from './errors.js';
import type { DayWindow, RunOutcome, SyncResult } from './sync.js';

/**
 * What workflows may ask of the world. Everything here is written into workflow histories: ids, counts, positions and
 * sentences, never a record, a name, a token or a secret.
 */

export interface RunRef {
  readonly connectionId: string;
  readonly endpoint: Endpoint;
  /** Temporal's first execution run id: the same over retries and continue-as-new. */
  readonly runId: string;
}

/** Where an endpoint can be read from, in the order of trying. */
export type Source = 'v1' | 'v2' | 'employees';

export interface OpenRunRequest extends RunRef {
  readonly startedAt: string;
  /** From the input; decides by itself. */
  readonly window: DayWindow | null;
  /** The schedule's nominal time (`TemporalScheduledStartTime`); null for a run that no schedule started. */
  readonly nominalTime: string | null;
}

export interface RunPlan {
  readonly sources: readonly Source[];
  /** Attendances: the days to read, in chunks that are each committed whole. Other endpoints: one chunk, null. */
  readonly chunks: readonly (DayWindow | null)[];
  /** How many pages one activity takes. */
  readonly pagesPerSegment: number;
}

/** Where the next page begins: a record offset (v1) or a cursor (v2), and what was learnt on the way there. */
export interface ReadPosition {
  readonly offset: number;
  readonly cursor: string | null;
  /** The server's own total, as the first page of this reading gave it. */
  readonly total: number | null;
  readonly pageSize: number;
  /** The id of the last record that came, which the next page has to begin with (v1). */
  readonly lastId?: string;
}

export interface SegmentRequest extends RunRef {
  readonly source: Source;
  readonly chunk: DayWindow | null;
  /** Counts the attempts to read the chunk whole, from 1. */
  readonly reading: number;
  /** Null begins the reading, on an empty staging table. */
  readonly position: ReadPosition | null;
  readonly pages: number;
}

export interface SegmentOutcome {
  /** The path is gone (404 or 410): try the next source. */
  readonly retired: boolean;
  /** Where to go on; null at the end of the collection. */
  readonly next: ReadPosition | null;
  /** Records in this segment. */
  readonly received: number;
  readonly total: number | null;
  readonly pages: number;
  readonly requests: number;
  /** Why the reading must begin again (`the total changed from 250 to 249`); null while all is well. */
  readonly moved: string | null;
}

export interface CollectActivities {
  /** Makes sure that a token is at hand, shared by all workers; says nothing of it. */
  readonly exchangeToken: (run: RunRef) => Promise<{ readonly requests: number }>;
  /** Fetches and stages the pages of one segment. Safe to repeat: resumes from its heartbeat. */
  readonly collectSegment: (request: SegmentRequest) => Promise<SegmentOutcome>;
  /** Asks by id for people who are missing from a complete reading, a portion a call. Safe to repeat: asks nobody twice. */
  readonly askForMissing: (request: RunRef & { readonly reading: number }) => Promise<MissingOutcome>;
  /** Stages one person's record; false when Personio answers 404. */
  readonly collectEmployee: (
    request: RunRef & { readonly employeeId: string },
  ) => Promise<{ readonly found: boolean; readonly requests: number }>;
}

export interface MissingOutcome {
  /** Whom Personio answered with 404. */
  readonly gone: number;
  /** Who is there, though the list left them out: the reading was incomplete. */
  readonly present: number;
  readonly isDone: boolean;
  readonly requests: number;
}

export interface CommitRequest extends RunRef {
  readonly source: Source;
  readonly chunk: DayWindow | null;
  readonly reading: number;
  /** What the server said there is; null where it never says, and then the distinct ids of the last pass. */
  readonly total: number | null;
  /** Take a snapshot that deletes more than half, since the whole window or the run before says so too. */
  readonly acceptNarrowing: boolean;
}

export interface CommitOutcome {
  /** Why nothing was committed: the staged ids do not add up. Null when committed or narrowed. */
  readonly incomplete: string | null;
  /** Committed nothing, because more than half of `heldRows` would go. */
  readonly narrowed: boolean;
  /** A run before this one saw the same, so it may be believed. */
  readonly seenBefore: boolean;
  readonly heldRows: number;
  readonly deletedRows: number;
  readonly received: number;
  readonly inserted: number;
  readonly updated: number;
  readonly unchanged: number;
  readonly missing: number;
}

export interface GateOutcome {
  /** Why the reading is not the whole; null when it is. */
  readonly incomplete: string | null;
  /** Whether a complete reading has everybody who is stored. Whom it misses is asked for by id. */
  readonly isNobodyMissing: boolean;
}

export interface EmployeesCommitRequest extends RunRef {
  readonly source: Source;
  readonly reading: number;
  readonly total: number | null;
  /** When collecting ended: the moment from which each person's *today* is taken. ISO 8601. */
  readonly collectedAt: string;
  readonly preview: boolean;
  readonly requests: number;
  /** Set for `refreshEmployee`: a snapshot of this one person. */
  readonly onlyEmployeeId: string | null;
}

export interface EmployeesCommitOutcome {
  /** Why nothing was committed; the sync collects again. */
  readonly incomplete: string | null;
  readonly result: SyncResult | null;
  /** What a person has to decide, in a sentence or more; null where nobody is asked. */
  readonly question: string | null;
  /** Braked runs whose questions this one has replaced. */
  readonly replaced: readonly string[];
}

export type Verdict = 'approved' | 'rejected';

/** What a person says to a braked run. */
export interface VerdictRequest {
  readonly connectionId: string;
  readonly runId: string;
  readonly decision: Verdict;
  readonly by: string;
  readonly reason: string;
  /** Tells a repetition from somebody who decides anew. */
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
  readonly requests: number;
  readonly detail: Readonly<Record<string, unknown>>;
}

/** Rows that were forgotten, by what they were. */
export interface RetentionResult {
  readonly attendances: number;
  readonly proposals: number;
  readonly events: number;
  readonly history: number;
  readonly people: number;
  readonly runs: number;
}

export interface StoreActivities {
  /** Forgets what is past its time, in small batches. May repeat, and may be stopped anywhere. */
  readonly applyRetention: () => Promise<RetentionResult>;
  /** Writes the run's row and says what to read. Safe to repeat. */
  readonly openRun: (request: OpenRunRequest) => Promise<RunPlan>;
  /** The completeness gate and the merge, in one transaction: all of a chunk, or nothing. */
  readonly commitSnapshot: (request: CommitRequest) => Promise<CommitOutcome>;
  /** The completeness gate for employees, before anything is decided. */
  readonly verifySnapshot: (
    request: RunRef & { readonly reading: number; readonly total: number | null },
  ) => Promise<GateOutcome>;
  /** Proposes transitions, applies the brake, merges, stores events and closes the run: one transaction. */
  readonly commitEmployees: (request: EmployeesCommitRequest) => Promise<EmployeesCommitOutcome>;
  /** Stores what a person decided on a braked run. Safe to repeat. */
  readonly decideHeld: (request: VerdictRequest) => Promise<{ readonly people: number }>;
  /** Ends the run's row and clears its staging. Safe to repeat. */
  readonly closeRun: (request: CloseRunRequest) => Promise<SyncResult>;
  /** Hands persons with open events to their `employeeLifecycle` workflows, for some seconds. May repeat. */
  readonly dispatchEvents: (request: DispatchRequest) => Promise<DispatchOutcome>;
}

export interface DispatchRequest {
  readonly connectionId: string;
  /** Hands over this one person, who does not wait behind a crowd; default: whoever has open events. */
  readonly onlyEmployeeId?: string | null;
  /** How many people the step before has left; absent in the first one. */
  readonly left?: number;
}

export interface DispatchOutcome {
  readonly persons: number;
  /** How many others wait for the next step. */
  readonly left: number;
}

export interface EmployeeRef {
  readonly connectionId: string;
  readonly employeeId: string;
}

/** A subscriber's answer, made harmless: its shape comes from other teams' code. */
export interface ParsedAcknowledgement {
  readonly deliveryId: string;
  readonly outcome: 'done' | 'failed';
  readonly note: string | null;
}

export interface ProcessPendingRequest extends EmployeeRef {
  readonly answers: readonly ParsedAcknowledgement[];
}

export interface PendingItem {
  /** Null: a planned event that nobody has asked to be told of. */
  readonly deliveryId: string | null;
  readonly eventId: string;
  readonly kind: string;
  readonly subscriber: string | null;
  readonly state: string;
  /** When something is done about it next; null while it waits for the one before it. */
  readonly at: string | null;
  /** What is awaited, in plain words. */
  readonly sentence: string;
}

export interface PendingWork {
  /** Open events and deliveries, in the order of their moments. */
  readonly items: readonly PendingItem[];
  /** How long until the next look, by the database's clock, with the turn among people who share the moment; null when nothing is open. */
  readonly nextInMs: number | null;
}

export interface LifecycleActivities {
  /**
   * Stores answers of subscribers (unknown, doubled and late ones are counted and harmless), does all that is due now for one person (events
   * fall due, signals are sent, silence is noted), and says what comes next. Safe to repeat.
   */
  readonly advanceAgenda: (request: ProcessPendingRequest) => Promise<PendingWork>;
}

export type Activities = CollectActivities & StoreActivities & LifecycleActivities;
