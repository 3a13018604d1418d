import { ApplicationFailure, continueAsNew, workflowInfo } from '@temporalio/workflow';
import { defineSearchAttributeKey } from '@temporalio/common';
import type { CommitOutcome, RunRef } from '../src/contracts/internal/activities.js';
import { withCurrentNames } from '../src/contracts/internal/former-names.js';
import { DEFAULT_CONNECTION } from '../src/contracts/internal/names.js';
import type { Endpoint } from '../src/contracts/internal/names.js';
import type { DayWindow, SyncInput, SyncResult } from '../src/contracts/internal/sync.js';
import { isShrunk } from '../src/domain/shrunk.js';
import { describeUnreadable } from '../src/domain/unreadable.js';
import { addCommitted, recordOutcome, splitIntoDays, withOwnChunks } from './collection-state.js';
import type { ContinuedState, Counts, ShrunkChunk, State } from './collection-state.js';
import { store } from './proxies.js';
import { ATTEMPTS_PER_CHUNK, ChunkPrefetcher, readUntilComplete } from './read-snapshot.js';
import type { ReadAttempt, ReadContext, ReadTally } from './read-snapshot.js';
import { openRun, withFailureRecording } from './run-record.js';
import { RunProgress, getRunRef } from './run-progress.js';

/**
 * Events after which a run continues as new: well below the server's suggestion (4,096), so that people can read a
 * history.
 */
const MAX_HISTORY_EVENTS = 400;
/** First attempt of the reads that confirm deletions, so that their rows and those of the chunks stay apart. */
const CONFIRMING_FROM = 1_001;

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
    const context = { run, plan: state.plan, progress, tally };
    await syncChunks(context, input, state);
    await commitShrunk(context, state);
    await confirmVanished(context, input, state);
    return finish(run, state, progress);
  });
}

async function begin(run: RunRef, input: CollectionInput, startedAt: string, tally: ReadTally): Promise<State> {
  if (input.continued !== undefined) {
    return {
      vanished: 0,
      confirmations: 0,
      ...input.continued,
      plan: withOwnChunks(input.continued.plan),
      counts: { ...input.continued.counts },
      shrunk: [...input.continued.shrunk],
      tally,
    };
  }
  const request = { ...run, startedAt, window: input.window ?? null, nominalTime: getNominalTime() };
  const plan = withOwnChunks(await openRun(request, tally));
  const counts = { received: 0, inserted: 0, updated: 0, unchanged: 0, missing: 0, storedRows: 0, deletedRows: 0 };
  return { startedAt, plan, nextChunk: 0, counts, shrunk: [], tally, vanished: 0, confirmations: 0 };
}

/** Returns the schedule's nominal time, without jitter: it decides which days are read, never the clock. */
function getNominalTime(): string | null {
  const key = defineSearchAttributeKey('TemporalScheduledStartTime', 'DATETIME');
  return workflowInfo().typedSearchAttributes.get(key)?.toISOString() ?? null;
}

/** Reads and commits one chunk after the other. While one is committed, the next is already read. */
async function syncChunks(context: ReadContext, input: CollectionInput, state: State): Promise<void> {
  const { chunks } = state.plan;
  const prefetcher = new ChunkPrefetcher(context);
  const prefetchNext = (): void => {
    const chunk = chunks[state.nextChunk + 1];
    if (chunk !== undefined && !isHistoryLong()) prefetcher.start(chunk);
  };
  let firstAttempt = 1;
  try {
    while (state.nextChunk < chunks.length) {
      const chunk = chunks[state.nextChunk] ?? null;
      const target = { chunk, prefetched: prefetcher.take(chunk), firstAttempt };
      await readUntilComplete(context, target, async (attempt) => {
        prefetchNext();
        const outcome = await commit(context, attempt);
        if (outcome.incomplete !== null) return outcome.incomplete;
        recordOutcome(state, attempt, outcome);
        return null;
      }).catch((error: unknown) => splitIntoDays(state, error));
      // The first day has the same key in staging as the chunk that was split.
      firstAttempt = chunks[state.nextChunk]?.to === chunk?.to ? 1 : 1 + ATTEMPTS_PER_CHUNK;
      if (firstAttempt > 1) continue;
      state.nextChunk += 1;
      if (state.nextChunk < chunks.length && !prefetcher.isUnderWay) {
        await continueRun(input, state);
      }
    }
  } finally {
    prefetcher.cancel();
  }
}

function isHistoryLong(): boolean {
  const { historyLength, continueAsNewSuggested } = workflowInfo();
  return historyLength > MAX_HISTORY_EVENTS || continueAsNewSuggested;
}

async function continueRun(input: CollectionInput, state: State): Promise<never> {
  return continueAsNew<(input: CollectionInput) => Promise<SyncResult>>({ ...input, continued: { ...state } });
}

async function commit(
  { run, plan }: ReadContext,
  attempt: ReadAttempt,
  how: { readonly acceptShrunk?: boolean; readonly isConfirming?: boolean } = {},
): Promise<CommitOutcome> {
  const { source, chunk, total } = attempt;
  const summary = `Verify and commit ${run.endpoint}${chunk === null ? '' : ` from ${chunk.from} to ${chunk.to}`}`;
  const request = {
    ...run,
    source,
    chunk,
    attempt: attempt.attempt,
    total,
    acceptShrunk: false,
    // A period may have moved to a chunk that was read before, and v2 has no total that proves a read.
    defersDeletions: how.isConfirming !== true && (plan.chunks.length > 1 || source === 'v2'),
    ...how,
  };
  return withCurrentNames(await store.commitSnapshot.executeWithOptions({ summary }, [request]));
}

/** Commits the chunks that lost too much if the whole window, or the run before, confirms it. */
async function commitShrunk(context: ReadContext, state: State): Promise<void> {
  const { counts } = state;
  const shrunk = state.shrunk.splice(0);
  const isRefused = isShrunk(counts.storedRows, counts.deletedRows);
  const refused = isRefused ? shrunk.filter((chunk) => !chunk.seenBefore) : [];
  for (const { attempt } of shrunk.filter((chunk) => !refused.includes(chunk))) {
    let outcome = await commit(context, attempt, { acceptShrunk: true });
    if (outcome.incomplete !== null) {
      const { chunk } = attempt;
      await readUntilComplete(context, { chunk, firstAttempt: attempt.attempt + 1 }, async (again) => {
        outcome = await commit(context, again);
        return outcome.shrunk ? 'too many rows are missing' : outcome.incomplete;
      });
    }
    state.vanished = outcome.vanished ?? state.vanished;
    addCommitted(counts, outcome);
  }
  if (refused.length > 0) throw createShrunkFailure(context.run, counts, refused);
}

/**
 * Deletes rows that no chunk brought if one more read misses them too: of the whole window, of their people. A period
 * may have moved to a day that had been read before, and a page of v2 may have skipped it.
 */
async function confirmVanished(context: ReadContext, input: CollectionInput, state: State): Promise<void> {
  const [first] = context.plan.chunks;
  const last = context.plan.chunks.at(-1);
  const chunk = first && last ? { from: first.from, to: last.to } : null;
  while (state.vanished > 0) {
    if (isHistoryLong()) await continueRun(input, state);
    const firstAttempt = CONFIRMING_FROM + state.confirmations * ATTEMPTS_PER_CHUNK;
    await readUntilComplete(context, { chunk, firstAttempt, isConfirming: true }, async (attempt) => {
      const outcome = await commit(context, attempt, { isConfirming: true });
      if (outcome.incomplete !== null) return outcome.incomplete;
      context.progress.subtractReceived(attempt.received);
      state.vanished = outcome.vanished ?? 0;
      addCommitted(state.counts, outcome);
      return null;
    });
    state.confirmations += 1;
  }
}

async function finish(run: RunRef, { counts, tally }: State, progress: RunProgress): Promise<SyncResult> {
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
