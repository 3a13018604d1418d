import { ApplicationFailure, CancellationScope } from '@temporalio/workflow';
import type { RunPlan, RunRef, SegmentOutcome, Source } from '../src/contracts/internal/activities.js';
import type { DayWindow } from '../src/contracts/internal/sync.js';
import { collect } from './proxies.js';
import type { RunProgress } from './run-progress.js';

/** How often a collection that will not hold still is read before the run gives up as `SnapshotIncomplete`. */
const ATTEMPTS_PER_CHUNK = 3;

/** One whole pass over a chunk, staged and not yet believed. */
export interface ReadAttempt {
  readonly source: Source;
  readonly chunk: DayWindow | null;
  readonly reading: number;
  readonly total: number | null;
  readonly received: number;
}

/** What the readings of a run have used up. */
export interface ReadTally {
  source: Source | null;
  requests: number;
}

interface ReadContext {
  readonly run: RunRef;
  readonly plan: RunPlan;
  readonly progress: RunProgress;
  readonly tally: ReadTally;
}

/**
 * Reads a chunk until `accept` believes a reading, at most three times.
 *
 * @param prefetched the first of these readings, where it has begun already.
 * @param accept the gate: why the reading is incomplete, or null.
 * @throws ApplicationFailure `SnapshotIncomplete`; nothing that readers of the tables see has changed.
 */
export async function readUntilComplete(
  context: ReadContext,
  chunk: DayWindow | null,
  prefetched: Promise<ReadAttempt | string> | null,
  accept: (attempt: ReadAttempt) => Promise<string | null>,
): Promise<void> {
  let reason = '';
  for (let attempt = 1; attempt <= ATTEMPTS_PER_CHUNK; attempt++) {
    const isPrefetched = attempt === 1 && prefetched !== null;
    const read = await (isPrefetched ? prefetched : readOnce(context, chunk, attempt));
    if (typeof read !== 'string') {
      const refused = await accept(read);
      if (refused === null) return;
      reason = refused;
      context.progress.subtractReceived(read.received);
    } else {
      reason = read;
    }
  }
  throw ApplicationFailure.nonRetryable(
    `The ${context.run.endpoint} were read ${ATTEMPTS_PER_CHUNK} times and never added up: ${reason}. ` +
      'Nothing was changed; the next run reads again. If it stays so, check the permissions of the API credential in Personio.',
    'SnapshotIncomplete',
  );
}

/** The first reading of the next chunk, while the chunk before it is committed. */
export class ChunkPrefetcher {
  private readonly context: ReadContext;
  private readonly scope = new CancellationScope();
  private attempt: Promise<ReadAttempt | string> | null = null;

  constructor(context: ReadContext) {
    this.context = context;
  }

  get isUnderWay(): boolean {
    return this.attempt !== null;
  }

  /** Does nothing where one is under way. */
  start(chunk: DayWindow | null): void {
    if (this.attempt !== null) return;
    this.attempt = this.scope.run(async () => readOnce(this.context, chunk, 1));
    // Its failure counts when its turn has come.
    this.attempt.catch(() => undefined);
  }

  take(): Promise<ReadAttempt | string> | null {
    const { attempt: attempt } = this;
    this.attempt = null;
    return attempt;
  }

  /** Where the chunk before it has ended the run. */
  cancel(): void {
    this.scope.cancel();
  }
}

/** @returns the reading, or the reason why it has to begin again. */
async function readOnce(context: ReadContext, chunk: DayWindow | null, attempt: number): Promise<ReadAttempt | string> {
  for (const source of listRemainingSources(context)) {
    const outcome = await readFrom(context, source, chunk, attempt);
    if (outcome === 'retired') {
      // One run is not made of two sources: what served it a moment ago is a hiccup, and the reading begins again.
      if (context.tally.source === source) return `${source} answered that it is gone, and had served this run before`;
      continue;
    }
    noteSource(context.tally, source);
    return outcome;
  }
  throw ApplicationFailure.nonRetryable(
    `No source of the ${context.run.endpoint} is left: Personio answered 404 or 410 on each of them (${context.plan.sources.join(', ')}). ` +
      'Update personio-sync, or leave this endpoint out of the schedule.',
    'PersonioEndpointRetired',
  );
}

/** A source that answered once in this run is kept. */
function listRemainingSources({ plan, tally }: ReadContext): readonly Source[] {
  const from = tally.source === null ? 0 : plan.sources.indexOf(tally.source);
  return plan.sources.slice(Math.max(from, 0));
}

function noteSource(tally: ReadTally, source: Source): void {
  tally.source = source;
}

function noteRequests(tally: ReadTally, requests: number): void {
  tally.requests += requests;
}

async function readFrom(
  { run, plan, progress, tally }: ReadContext,
  source: Source,
  chunk: DayWindow | null,
  attempt: number,
): Promise<ReadAttempt | string> {
  const phase = `Reading ${run.endpoint}${chunk === null ? '' : ` from ${chunk.from} to ${chunk.to}`}`;
  const before = progress.begin(phase);
  let received = 0;
  let segment: SegmentOutcome | null = null;
  do {
    segment = await collect.collectSegment.executeWithOptions(
      { summary: `${phase}${segment === null ? '' : `, from record ${received}`}` },
      [{ ...run, source, chunk, reading: attempt, position: segment?.next ?? null, pages: plan.pagesPerSegment }],
    );
    noteRequests(tally, segment.requests);
    if (segment.retired) return 'retired';
    received += segment.received;
    const total = segment.total === null ? null : before + segment.total;
    progress.addReceived(segment.received, segment.pages, total, phase);
    if (segment.moved !== null) {
      progress.subtractReceived(received);
      return segment.moved;
    }
  } while (segment.next !== null);
  // Without a total, a reading brings each id once: then their number is what has to be there when it is committed.
  return { source, chunk, reading: attempt, total: segment.total ?? received, received };
}
