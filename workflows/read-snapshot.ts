import { ApplicationFailure, CancellationScope } from '@temporalio/workflow';
import type { RunPlan, RunRef, SegmentOutcome, SegmentRequest, Source } from '../src/contracts/internal/activities.js';
import { withCurrentNames } from '../src/contracts/internal/former-names.js';
import type { DayWindow } from '../src/contracts/internal/sync.js';
import { collect } from './proxies.js';
import type { RunProgress } from './run-progress.js';

/** Attempts at a collection that changes while it is read, before the run gives up as `SnapshotIncomplete`. */
export const ATTEMPTS_PER_CHUNK = 3;

/** One complete pass over a chunk, staged and not yet verified. */
export interface ReadAttempt {
  readonly source: Source;
  readonly chunk: DayWindow | null;
  /** Counts the attempts at this chunk, from 1. */
  readonly attempt: number;
  readonly total: number | null;
  readonly received: number;
}

/** Source of a run, and the requests that all its attempts have used. */
export interface ReadTally {
  source: Source | null;
  requests: number;
}

export interface ReadContext {
  readonly run: RunRef;
  readonly plan: RunPlan;
  readonly progress: RunProgress;
  readonly tally: ReadTally;
}

/** Collection, or chunk, to read until it is complete. */
export interface ReadTarget {
  readonly chunk: DayWindow | null;
  /** The first attempt, if it has begun already. */
  readonly prefetched?: Promise<ReadAttempt | string> | null;
  /** Number of the first attempt: no attempt of a run shares its number with another at the same days. Default: 1. */
  readonly firstAttempt?: number;
  /** Default: false. */
  readonly isConfirming?: boolean;
}

/**
 * Reads a chunk until `accept` takes an attempt, at most three times.
 *
 * @param accept returns why the attempt is incomplete, or null to take it.
 * @throws ApplicationFailure `SnapshotIncomplete`; nothing that readers of the tables see has changed.
 */
export async function readUntilComplete(
  context: ReadContext,
  { prefetched = null, firstAttempt = 1, ...target }: ReadTarget,
  accept: (attempt: ReadAttempt) => Promise<string | null>,
): Promise<void> {
  let reason = '';
  for (let attempt = firstAttempt; attempt < firstAttempt + ATTEMPTS_PER_CHUNK; attempt++) {
    const isPrefetched = attempt === firstAttempt && prefetched !== null;
    const read = await (isPrefetched ? prefetched : readOnce(context, target, attempt));
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
      'Nothing was changed, and the next run reads again. If this persists, ' +
      'check the permissions of the API credential in Personio.',
    'SnapshotIncomplete',
  );
}

/** Begins the first attempt at the next chunk while the chunk before it is committed. */
export class ChunkPrefetcher {
  private readonly context: ReadContext;
  private readonly scope = new CancellationScope();
  private attempt: Promise<ReadAttempt | string> | null = null;
  private chunk: DayWindow | null = null;

  constructor(context: ReadContext) {
    this.context = context;
  }

  get isUnderWay(): boolean {
    return this.attempt !== null;
  }

  /** Does nothing if an attempt is under way. */
  start(chunk: DayWindow | null): void {
    if (this.attempt !== null) return;
    this.chunk = chunk;
    this.attempt = this.scope.run(async () => readOnce(this.context, { chunk }, 1));
    // Awaited by the caller of `take`: its failure matters once the chunk before it is committed.
    this.attempt.catch(() => undefined);
  }

  /** Returns the attempt at a chunk, if it is the one under way. */
  take(chunk: DayWindow | null): Promise<ReadAttempt | string> | null {
    if (chunk?.from !== this.chunk?.from) return null;
    const { attempt } = this;
    this.attempt = null;
    return attempt;
  }

  /** Cancels an attempt that nobody needs, because the chunk before it ended the run. */
  cancel(): void {
    this.scope.cancel();
  }
}

/** Returns the attempt, or the reason to begin again. */
async function readOnce(context: ReadContext, target: ReadTarget, attempt: number): Promise<ReadAttempt | string> {
  for (const source of listRemainingSources(context)) {
    const outcome = await readFrom(context, source, target, attempt);
    if (outcome === 'source-gone') {
      // A run never mixes two sources: one that served it a moment ago has a brief fault, and the read begins again.
      if (context.tally.source === source) return `${source} answered that it is gone, after it had served this run`;
      continue;
    }
    noteSource(context.tally, source);
    return outcome;
  }
  throw ApplicationFailure.nonRetryable(
    `Personio answered 404 or 410 on every source of the ${context.run.endpoint} ` +
      `(${context.plan.sources.join(', ')}). ` +
      'Update personio-sync, or turn off the schedule of this endpoint.',
    'PersonioEndpointRetired',
  );
}

/** Returns the sources to try; one that has answered in this run is kept. */
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

/** Returns the attempt, the reason to begin again, or `source-gone`. */
async function readFrom(
  { run, plan, progress, tally }: ReadContext,
  source: Source,
  { chunk, isConfirming = false }: ReadTarget,
  attempt: number,
): Promise<ReadAttempt | string> {
  const phase = describePhase(run, chunk, isConfirming);
  const before = progress.begin(phase);
  let received = 0;
  let segment: SegmentOutcome | null = null;
  do {
    segment = await collectSegment(`${phase}${segment === null ? '' : `, from record ${received}`}`, {
      ...run,
      source,
      chunk,
      attempt,
      position: segment?.next ?? null,
      pages: plan.pagesPerSegment,
      ...(isConfirming ? { isConfirming } : {}),
    });
    noteRequests(tally, segment.requests);
    if (segment.isSourceGone) return 'source-gone';
    received += segment.received;
    const total = segment.total === null ? null : before + segment.total;
    progress.addReceived(segment.received, segment.pages, total, phase);
    if (segment.restartReason !== null) {
      progress.subtractReceived(received);
      return segment.restartReason;
    }
  } while (segment.next !== null);
  // Without a total, an attempt brings each id once: their number is what the commit must find.
  return { source, chunk, attempt, total: segment.total ?? received, received };
}

function describePhase({ endpoint }: RunRef, chunk: DayWindow | null, isConfirming: boolean): string {
  const verb = isConfirming ? 'Confirming what vanished from' : 'Reading';
  return `${verb} ${endpoint}${chunk === null ? '' : ` from ${chunk.from} to ${chunk.to}`}`;
}

async function collectSegment(summary: string, request: SegmentRequest): Promise<SegmentOutcome> {
  return withCurrentNames(await collect.collectSegment.executeWithOptions({ summary }, [request]));
}
