import { ApplicationFailure, patched } from '@temporalio/workflow';
import type { CommitOutcome, RunPlan } from '../src/contracts/internal/activities.js';
import type { DayWindow } from '../src/contracts/internal/sync.js';
import { chunkDays } from '../src/domain/attendance-window.js';
import type { ReadAttempt, ReadTally } from './read-snapshot.js';

/** Figures of a run so far. */
export interface Counts {
  received: number;
  inserted: number;
  updated: number;
  unchanged: number;
  missing: number;
  storedRows: number;
  deletedRows: number;
  /** Absent in the state of older executions. */
  held?: number;
  unreadable?: number;
}

/** A chunk that would lose too many of its rows: it waits until the whole window has been read. */
export interface ShrunkChunk {
  readonly attempt: ReadAttempt;
  readonly seenBefore: boolean;
  readonly storedRows: number;
  readonly deletedRows: number;
}

/** State that one execution passes to the next; plain JSON. */
export interface ContinuedState {
  /** ISO 8601. */
  readonly startedAt: string;
  readonly plan: RunPlan;
  /** Index into `plan.chunks`. */
  readonly nextChunk: number;
  readonly counts: Counts;
  readonly shrunk: readonly ShrunkChunk[];
  readonly tally: ReadTally;
  /** Absent in the state of older executions. */
  readonly vanished?: number;
  readonly confirmations?: number;
}

/** State of a run. */
export interface State {
  readonly startedAt: string;
  /** Its chunks change where one is split into days. */
  readonly plan: RunPlan & { readonly chunks: (DayWindow | null)[] };
  nextChunk: number;
  readonly counts: Counts;
  readonly shrunk: ShrunkChunk[];
  readonly tally: ReadTally;
  /** Rows that vanished and wait for a confirming read. */
  vanished: number;
  /** Confirming reads so far. */
  confirmations: number;
}

/** Returns a plan whose chunks may be replaced. */
export const withOwnChunks = (plan: RunPlan): State['plan'] => ({ ...plan, chunks: [...plan.chunks] });

/**
 * Replaces a chunk that moved during each attempt by its days, of which each is read in a moment.
 *
 * @throws the error where the chunk is one day already, or the read failed for another reason.
 */
export function splitIntoDays({ plan: { chunks }, nextChunk }: State, error: unknown): void {
  const chunk = chunks[nextChunk];
  const isIncomplete = error instanceof ApplicationFailure && error.type === 'SnapshotIncomplete';
  if (!isIncomplete || !chunk || chunk.from === chunk.to || !patched('split-into-days')) throw error;
  chunks.splice(nextChunk, 1, ...chunkDays(chunk, 1));
}

/** Adds the outcome of a chunk's commit, or keeps the chunk for the end if it has shrunk. */
export function recordOutcome(state: State, attempt: ReadAttempt, outcome: CommitOutcome): void {
  const { counts } = state;
  state.vanished = outcome.vanished ?? state.vanished;
  counts.storedRows += outcome.storedRows;
  counts.deletedRows += outcome.deletedRows;
  if (outcome.shrunk) {
    const { seenBefore, storedRows, deletedRows } = outcome;
    state.shrunk.push({ attempt, seenBefore, storedRows, deletedRows });
    return;
  }
  addCommitted(counts, outcome);
}

/** Adds what a commit changed. */
export function addCommitted(counts: Counts, outcome: CommitOutcome): void {
  counts.received += outcome.received;
  counts.inserted += outcome.inserted;
  counts.updated += outcome.updated;
  counts.unchanged += outcome.unchanged;
  counts.missing += outcome.missing;
  counts.held = (counts.held ?? 0) + (outcome.held ?? 0);
  counts.unreadable = outcome.unreadable ?? counts.unreadable ?? 0;
}
