import { ApplicationFailure, continueAsNew, workflowInfo } from '@temporalio/workflow';
import { defineSearchAttributeKey } from '@temporalio/common';
import type { CommitOutcome, RunPlan, RunRef } from '../src/contracts/internal/activities.js';
import { withCurrentNames } from '../src/contracts/internal/former-names.js';
import { DEFAULT_CONNECTION } from '../src/contracts/internal/names.js';
import type { Endpoint } from '../src/contracts/internal/names.js';
import type { DayWindow, SyncInput, SyncResult } from '../src/contracts/internal/sync.js';
import { describeUnreadable } from '../src/domain/unreadable.js';
import { store } from './proxies.js';
import { ChunkPrefetcher, readUntilComplete } from './read-snapshot.js';
import type { ReadAttempt, ReadTally } from './read-snapshot.js';
import { openRun, withFailureRecording } from './run-record.js';
import { RunProgress, getRunRef } from './run-progress.js';

/**
 * Events after which a run continues as new: well below the server's suggestion (4,096), so that people can read a
 * history.
 */
const MAX_HISTORY_EVENTS = 400;

interface Counts {
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

/** A chunk that would lose more than half of its rows: it waits until the whole window has been read. */
interface ShrunkChunk {
  readonly attempt: ReadAttempt;
  readonly seenBefore: boolean;
  readonly storedRows: number;
  readonly deletedRows: number;
}

/** State that one execution passes to the next; plain JSON. */
interface ContinuedState {
  /** ISO 8601. */
  readonly startedAt: string;
  readonly plan: RunPlan;
  /** Index into `plan.chunks`. */
  readonly nextChunk: number;
  readonly counts: Counts;
  readonly shrunk: readonly ShrunkChunk[];
  readonly tally: ReadTally;
}

export type CollectionInput = SyncInput & { readonly continued?: ContinuedState };

/** Reads departments into PostgreSQL. */
export async function syncDepartments(input?: CollectionInput): Promise<SyncResult> {
  return syncCollection('departments', input ?? {});
}

/** Reads attendances into PostgreSQL, in chunks of days that are each committed completely. */
export async function syncAttendances(input?: CollectionInput): Promise<SyncResult> {
  return syncCollection('attendances', input ?? {});
}

/** Reads time-off types into PostgreSQL. */
export async function syncTimeOffTypes(input?: CollectionInput): Promise<SyncResult> {
  return syncCollection('time-off-types', input ?? {});
}

async function syncCollection(endpoint: Endpoint, rawInput: CollectionInput): Promise<SyncResult> {
  const input = withCurrentNames(rawInput);
  const run = getRunRef(input.connection ?? DEFAULT_CONNECTION, endpoint);
  const startedAt = input.continued?.startedAt ?? workflowInfo().startTime.toISOString();
  const progress = new RunProgress(run, startedAt);
  const tally: ReadTally = { ...(input.continued?.tally ?? { source: null, requests: 0 }) };
  return withFailureRecording(run, progress, tally, async () => {
    const state = await begin(run, input, startedAt, tally);
    await syncChunks(run, input, state, progress);
    return finish(run, state, progress);
  });
}

interface State {
  readonly startedAt: string;
  readonly plan: RunPlan;
  nextChunk: number;
  readonly counts: Counts;
  readonly shrunk: ShrunkChunk[];
  readonly tally: ReadTally;
}

async function begin(run: RunRef, input: CollectionInput, startedAt: string, tally: ReadTally): Promise<State> {
  if (input.continued !== undefined) {
    return {
      ...input.continued,
      counts: { ...input.continued.counts },
      shrunk: [...input.continued.shrunk],
      tally,
    };
  }
  const request = { ...run, startedAt, window: input.window ?? null, nominalTime: getNominalTime() };
  const plan = await openRun(request, tally);
  const counts = { received: 0, inserted: 0, updated: 0, unchanged: 0, missing: 0, storedRows: 0, deletedRows: 0 };
  return { startedAt, plan, nextChunk: 0, counts, shrunk: [], tally };
}

/** Returns the schedule's nominal time, without jitter: it decides which days are read, never the clock. */
function getNominalTime(): string | null {
  const key = defineSearchAttributeKey('TemporalScheduledStartTime', 'DATETIME');
  return workflowInfo().typedSearchAttributes.get(key)?.toISOString() ?? null;
}

/** Reads and commits one chunk after the other. While one is committed, the next is already read. */
async function syncChunks(run: RunRef, input: CollectionInput, state: State, progress: RunProgress): Promise<void> {
  const context = { run, plan: state.plan, progress, tally: state.tally };
  const { chunks } = state.plan;
  const prefetcher = new ChunkPrefetcher(context);
  const prefetchNext = (): void => {
    const { historyLength, continueAsNewSuggested } = workflowInfo();
    const isLong = historyLength > MAX_HISTORY_EVENTS || continueAsNewSuggested;
    const chunk = chunks[state.nextChunk + 1];
    if (chunk !== undefined && !isLong) prefetcher.start(chunk);
  };
  try {
    while (state.nextChunk < chunks.length) {
      await readUntilComplete(context, chunks[state.nextChunk] ?? null, prefetcher.take(), async (attempt) => {
        prefetchNext();
        const outcome = await commit(run, attempt, false);
        if (outcome.incomplete !== null) return outcome.incomplete;
        recordOutcome(state, attempt, outcome);
        return null;
      });
      state.nextChunk += 1;
      if (state.nextChunk < chunks.length && !prefetcher.isUnderWay) {
        await continueAsNew<(input: CollectionInput) => Promise<SyncResult>>({ ...input, continued: { ...state } });
      }
    }
  } finally {
    prefetcher.cancel();
  }
}

async function commit(run: RunRef, attempt: ReadAttempt, shouldAcceptShrunk: boolean): Promise<CommitOutcome> {
  const { source, chunk, total } = attempt;
  const summary = `Verify and commit ${run.endpoint}${chunk === null ? '' : ` from ${chunk.from} to ${chunk.to}`}`;
  const request = { ...run, source, chunk, attempt: attempt.attempt, total, acceptShrunk: shouldAcceptShrunk };
  return withCurrentNames(await store.commitSnapshot.executeWithOptions({ summary }, [request]));
}

function recordOutcome(state: State, attempt: ReadAttempt, outcome: CommitOutcome): void {
  const { counts } = state;
  counts.storedRows += outcome.storedRows;
  counts.deletedRows += outcome.deletedRows;
  if (outcome.shrunk) {
    const { seenBefore, storedRows, deletedRows } = outcome;
    state.shrunk.push({ attempt, seenBefore, storedRows, deletedRows });
    return;
  }
  addCommitted(counts, outcome);
}

function addCommitted(counts: Counts, outcome: CommitOutcome): void {
  counts.received += outcome.received;
  counts.inserted += outcome.inserted;
  counts.updated += outcome.updated;
  counts.unchanged += outcome.unchanged;
  counts.missing += outcome.missing;
  counts.held = (counts.held ?? 0) + (outcome.held ?? 0);
  counts.unreadable = outcome.unreadable ?? counts.unreadable ?? 0;
}

/** Commits the chunks that lost more than half if the whole window, or the run before, confirms it. */
async function finish(run: RunRef, state: State, progress: RunProgress): Promise<SyncResult> {
  const { counts, shrunk, tally } = state;
  const isWindowShrunk = counts.deletedRows * 2 > counts.storedRows;
  const refused = isWindowShrunk ? shrunk.filter((chunk) => !chunk.seenBefore) : [];
  for (const { attempt } of shrunk.filter((chunk) => !refused.includes(chunk))) {
    const outcome = await commit(run, attempt, true);
    if (outcome.incomplete !== null) throw ApplicationFailure.nonRetryable(outcome.incomplete, 'SnapshotIncomplete');
    addCommitted(counts, outcome);
  }
  if (refused.length > 0) throw createShrunkFailure(run, counts, refused);
  const { received, inserted, updated, unchanged, missing, held = 0, unreadable = 0 } = counts;
  const figures =
    `${received} ${run.endpoint} received: ${inserted} new, ${updated} changed, ${unchanged} unchanged, ` +
    `${missing} gone${held === 0 ? '' : `, ${held} held`}.`;
  const message = [figures, describeUnreadable(unreadable)].filter((sentence) => sentence !== null).join(' ');
  const result = await store.closeRun.executeWithOptions({ summary: 'Record that the run succeeded' }, [
    {
      ...run,
      outcome: 'succeeded',
      failureType: null,
      message,
      source: tally.source,
      requests: tally.requests,
      detail: {},
      received,
      inserted,
      updated,
      unchanged,
      missing,
      held,
    },
  ]);
  progress.end(result.outcome, result.message);
  return result;
}

function createShrunkFailure(run: RunRef, counts: Counts, refused: readonly ShrunkChunk[]): ApplicationFailure {
  const windows: (DayWindow | null)[] = refused.map((chunk) => chunk.attempt.chunk);
  return ApplicationFailure.create({
    message:
      `This read would delete ${counts.deletedRows} of ${counts.storedRows} stored ${run.endpoint}, ` +
      'as if the API credential had lost a permission. Nothing was deleted. If the deletions are real, ' +
      'the next run sees the same and commits them. Otherwise check in Personio what the credential may read.',
    type: 'SnapshotIncomplete',
    nonRetryable: true,
    // Stored in `sync_runs.detail`, whose keys keep their names.
    details: [{ narrowed: windows, held: counts.storedRows, wouldDelete: counts.deletedRows }],
  });
}
