import { ApplicationFailure, continueAsNew, workflowInfo } from '@temporalio/workflow';
import { defineSearchAttributeKey } from '@temporalio/common';
import type { CommitOutcome, RunPlan, RunRef } from '../src/contracts/activities.js';
import { DEFAULT_CONNECTION } from '../src/contracts/names.js';
import type { Endpoint } from '../src/contracts/names.js';
import type { DayWindow, SyncInput, SyncResult } from '../src/contracts/sync.js';
import { openRun } from './open-run.js';
import { store } from './proxies.js';
import { ReadAhead, readUntilComplete } from './read-snapshot.js';
import type { Reading, ReadingTally } from './read-snapshot.js';
import { recordingFailure } from './run-failure.js';
import { RunProgress, thisRun } from './run-progress.js';

/** Well below the server's suggestion (4,096 events), so that a history stays readable for people. */
const EVENTS_BEFORE_CONTINUING = 400;

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
interface Narrowed {
  readonly reading: Reading;
  readonly seenBefore: boolean;
  readonly heldRows: number;
  readonly deletedRows: number;
}

/** What one execution hands to the next; plain JSON. */
interface Continued {
  readonly startedAt: string;
  readonly plan: RunPlan;
  readonly nextChunk: number;
  readonly counts: Counts;
  readonly narrowed: readonly Narrowed[];
  readonly tally: ReadingTally;
}

export type CollectionInput = SyncInput & { readonly continued?: Continued };

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
  const run = thisRun(input.connection ?? DEFAULT_CONNECTION, endpoint);
  const startedAt = input.continued?.startedAt ?? workflowInfo().startTime.toISOString();
  const progress = new RunProgress(run, startedAt);
  const tally: ReadingTally = { ...(input.continued?.tally ?? { source: null, requests: 0 }) };
  return recordingFailure(run, progress, tally, async () => {
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
  readonly narrowed: Narrowed[];
  readonly tally: ReadingTally;
}

async function begin(run: RunRef, input: CollectionInput, startedAt: string, tally: ReadingTally): Promise<State> {
  if (input.continued !== undefined) {
    return {
      ...input.continued,
      counts: { ...input.continued.counts },
      narrowed: [...input.continued.narrowed],
      tally,
    };
  }
  const request = { ...run, startedAt, window: input.window ?? null, nominalTime: nominalTime() };
  const plan = await openRun(request, tally);
  const counts = { received: 0, inserted: 0, updated: 0, unchanged: 0, missing: 0, heldRows: 0, deletedRows: 0 };
  return { startedAt, plan, nextChunk: 0, counts, narrowed: [], tally };
}

/** The schedule's nominal time, without jitter, decides which days are read; never the clock. */
function nominalTime(): string | null {
  const key = defineSearchAttributeKey('TemporalScheduledStartTime', 'DATETIME');
  return workflowInfo().typedSearchAttributes.get(key)?.toISOString() ?? null;
}

/** One chunk after the other. While one is committed, the next is read already. */
async function syncChunks(run: RunRef, input: CollectionInput, state: State, progress: RunProgress): Promise<void> {
  const context = { run, plan: state.plan, progress, tally: state.tally };
  const { chunks } = state.plan;
  const ahead = new ReadAhead(context);
  const readAhead = (): void => {
    const { historyLength, continueAsNewSuggested } = workflowInfo();
    const isLong = historyLength > EVENTS_BEFORE_CONTINUING || continueAsNewSuggested;
    const chunk = chunks[state.nextChunk + 1];
    if (chunk !== undefined && !isLong) ahead.begin(chunk);
  };
  try {
    while (state.nextChunk < chunks.length) {
      await readUntilComplete(context, chunks[state.nextChunk] ?? null, ahead.take(), async (reading) => {
        readAhead();
        const outcome = await commit(run, reading, false);
        if (outcome.incomplete !== null) return outcome.incomplete;
        note(state, reading, outcome);
        return null;
      });
      state.nextChunk += 1;
      if (state.nextChunk < chunks.length && !ahead.isUnderWay) {
        await continueAsNew<(input: CollectionInput) => Promise<SyncResult>>({ ...input, continued: { ...state } });
      }
    }
  } finally {
    ahead.drop();
  }
}

async function commit(run: RunRef, reading: Reading, acceptNarrowing: boolean): Promise<CommitOutcome> {
  const { source, chunk, total } = reading;
  const summary = `Check and commit ${run.endpoint}${chunk === null ? '' : ` from ${chunk.from} to ${chunk.to}`}`;
  return store.commitSnapshot.executeWithOptions({ summary }, [
    { ...run, source, chunk, reading: reading.reading, total, acceptNarrowing },
  ]);
}

function note(state: State, reading: Reading, outcome: CommitOutcome): void {
  const { counts } = state;
  counts.heldRows += outcome.heldRows;
  counts.deletedRows += outcome.deletedRows;
  if (outcome.narrowed) {
    const { seenBefore, heldRows, deletedRows } = outcome;
    state.narrowed.push({ reading, seenBefore, heldRows, deletedRows });
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
  const { counts, narrowed, tally } = state;
  const isWindowNarrowed = counts.deletedRows * 2 > counts.heldRows;
  const refused = isWindowNarrowed ? narrowed.filter((chunk) => !chunk.seenBefore) : [];
  for (const { reading } of narrowed.filter((chunk) => !refused.includes(chunk))) {
    const outcome = await commit(run, reading, true);
    if (outcome.incomplete !== null) throw ApplicationFailure.nonRetryable(outcome.incomplete, 'SnapshotIncomplete');
    addCommitted(counts, outcome);
  }
  if (refused.length > 0) throw narrowedFailure(run, counts, refused);
  const { received, inserted, updated, unchanged, missing } = counts;
  const message = `${received} ${run.endpoint} received: ${inserted} new, ${updated} changed, ${unchanged} unchanged, ${missing} gone.`;
  const result = await store.closeRun.executeWithOptions({ summary: 'Note that the run succeeded' }, [
    {
      ...run,
      ...{
        outcome: 'succeeded',
        failureType: null,
        message,
        source: tally.source,
        requests: tally.requests,
        detail: {},
      },
      ...{ received, inserted, updated, unchanged, missing },
    },
  ]);
  progress.end(result.outcome, result.message);
  return result;
}

function narrowedFailure(run: RunRef, counts: Counts, refused: readonly Narrowed[]): ApplicationFailure {
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
