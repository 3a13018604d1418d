import { ApplicationFailure, continueAsNew, workflowInfo } from '@temporalio/workflow';
import { defineSearchAttributeKey } from '@temporalio/common';
import type { CommitOutcome, RunPlan, RunRef } from '../src/contracts/internal/activities.js';
import { DEFAULT_CONNECTION } from '../src/contracts/internal/names.js';
import type { Endpoint } from '../src/contracts/internal/names.js';
import type { DayWindow, SyncInput, SyncResult } from '../src/contracts/internal/sync.js';
import { openRun } from './open-run.js';
import { store } from './proxies.js';
import { ChunkPrefetcher, readUntilComplete } from './read-snapshot.js';
import type { ReadAttempt, ReadTally } from './read-snapshot.js';
import { withFailureRecording } from './run-failure.js';
import { RunProgress, getRunRef } from './run-progress.js';

/** Well below the server's suggestion (4,096 events), so that a history stays readable for people. */
const MAX_HISTORY_EVENTS = 400;

interface Counts {
  received: number;
  inserted: number;
  updated: number;
  unchanged: number;
  missing: number;
  heldRows: number;
  deletedRows: number;
}

/** A chunk that would lose more than half of its rows: it waits until the whole window has been seen. */
interface ShrunkChunk {
  readonly reading: ReadAttempt;
  readonly seenBefore: boolean;
  readonly heldRows: number;
  readonly deletedRows: number;
}

/** What one execution hands to the next; plain JSON. */
interface ContinuedState {
  readonly startedAt: string;
  readonly plan: RunPlan;
  readonly nextChunk: number;
  readonly counts: Counts;
  readonly narrowed: readonly ShrunkChunk[];
  readonly tally: ReadTally;
}

export type CollectionInput = SyncInput & { readonly continued?: ContinuedState };

/** Reads departments into PostgreSQL. */
export async function syncDepartments(input?: CollectionInput): Promise<SyncResult> {
  return syncCollection('departments', input ?? {});
}

/** Reads attendances into PostgreSQL, in chunks of days that are each committed whole. */
export async function syncAttendances(input?: CollectionInput): Promise<SyncResult> {
  return syncCollection('attendances', input ?? {});
}

/** Reads time-off types into PostgreSQL. */
export async function syncTimeOffTypes(input?: CollectionInput): Promise<SyncResult> {
  return syncCollection('time-off-types', input ?? {});
}

async function syncCollection(endpoint: Endpoint, input: CollectionInput): Promise<SyncResult> {
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
  readonly narrowed: ShrunkChunk[];
  readonly tally: ReadTally;
}

async function begin(run: RunRef, input: CollectionInput, startedAt: string, tally: ReadTally): Promise<State> {
  if (input.continued !== undefined) {
    return {
      ...input.continued,
      counts: { ...input.continued.counts },
      narrowed: [...input.continued.narrowed],
      tally,
    };
  }
  const request = { ...run, startedAt, window: input.window ?? null, nominalTime: getNominalTime() };
  const plan = await openRun(request, tally);
  const counts = { received: 0, inserted: 0, updated: 0, unchanged: 0, missing: 0, heldRows: 0, deletedRows: 0 };
  return { startedAt, plan, nextChunk: 0, counts, narrowed: [], tally };
}

/** The schedule's nominal time, without jitter, decides which days are read; never the clock. */
function getNominalTime(): string | null {
  const key = defineSearchAttributeKey('TemporalScheduledStartTime', 'DATETIME');
  return workflowInfo().typedSearchAttributes.get(key)?.toISOString() ?? null;
}

/** One chunk after the other. While one is committed, the next is read already. */
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
  const summary = `Check and commit ${run.endpoint}${chunk === null ? '' : ` from ${chunk.from} to ${chunk.to}`}`;
  return store.commitSnapshot.executeWithOptions({ summary }, [
    { ...run, source, chunk, reading: attempt.reading, total, acceptNarrowing: shouldAcceptShrunk },
  ]);
}

function recordOutcome(state: State, attempt: ReadAttempt, outcome: CommitOutcome): void {
  const { counts } = state;
  counts.heldRows += outcome.heldRows;
  counts.deletedRows += outcome.deletedRows;
  if (outcome.narrowed) {
    const { seenBefore, heldRows, deletedRows } = outcome;
    state.narrowed.push({ reading: attempt, seenBefore, heldRows, deletedRows });
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
}

/** Commits the chunks that lost more than half where the whole window, or the run before, says that it may be believed. */
async function finish(run: RunRef, state: State, progress: RunProgress): Promise<SyncResult> {
  const { counts, narrowed: shrunk, tally } = state;
  const isWindowShrunk = counts.deletedRows * 2 > counts.heldRows;
  const refused = isWindowShrunk ? shrunk.filter((chunk) => !chunk.seenBefore) : [];
  for (const { reading: attempt } of shrunk.filter((chunk) => !refused.includes(chunk))) {
    const outcome = await commit(run, attempt, true);
    if (outcome.incomplete !== null) throw ApplicationFailure.nonRetryable(outcome.incomplete, 'SnapshotIncomplete');
    addCommitted(counts, outcome);
  }
  if (refused.length > 0) throw createShrunkFailure(run, counts, refused);
  const { received, inserted, updated, unchanged, missing } = counts;
  const message = `${received} ${run.endpoint} received: ${inserted} new, ${updated} changed, ${unchanged} unchanged, ${missing} gone.`;
  const result = await store.closeRun.executeWithOptions({ summary: 'Note that the run succeeded' }, [
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
    },
  ]);
  progress.end(result.outcome, result.message);
  return result;
}

function createShrunkFailure(run: RunRef, counts: Counts, refused: readonly ShrunkChunk[]): ApplicationFailure {
  const windows: (DayWindow | null)[] = refused.map((chunk) => chunk.reading.chunk);
  return ApplicationFailure.create({
    message:
      `A complete read would delete ${counts.deletedRows} of ${counts.heldRows} stored ${run.endpoint}, which is what a withdrawn permission looks like. ` +
      'They were left as they are. If the deletions are real, the next run sees the same and commits them; else check in Personio what the API credential may read.',
    type: 'SnapshotIncomplete',
    nonRetryable: true,
    details: [{ narrowed: windows, held: counts.heldRows, wouldDelete: counts.deletedRows }],
  });
}
