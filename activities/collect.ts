import { activityInfo, cancellationDetails, cancellationSignal, cancelled, heartbeat } from '@temporalio/activity';
import { ApplicationFailure } from '@temporalio/common';
import type {
  CollectActivities,
  MissingOutcome,
  ReadPosition,
  RunRef,
  SegmentOutcome,
  SegmentRequest,
} from '../src/contracts/internal/activities.js';
import type { Policy } from '../src/domain/policy.js';
import type { EmployeeRecord } from '../src/domain/records.js';
import type { PersonioApi } from '../src/personio/api.js';
import { PersonioError } from '../src/personio/errors.js';
import type { SegmentPage } from '../src/personio/pages.js';
import { shouldFallBack, readEmployee, readSegment } from '../src/personio/sources.js';
import { claimVanished, listVanishedPeople } from '../src/store/collections/vanished.js';
import type { Database } from '../src/store/database.js';
import { learnPageSize, findPageSize } from '../src/store/page-sizes.js';
import { countAllowedById, listReadById, stageReadById } from '../src/store/read-by-id.js';
import { beginStaging, recordGone, stageRecords, listUnaskedMissing } from '../src/store/staging.js';
import type { StagingKey } from '../src/store/read-starts.js';
import { heartbeatDuring, logFailure, toApplicationFailure } from './failures.js';
import type { PersonioAccess } from './personio-access.js';

export interface CollectDependencies {
  readonly database: Database;
  readonly policy: Policy;
  readonly personio: PersonioAccess;
}

/** Progress of a segment. It travels in the heartbeat, from which another worker resumes. */
interface SegmentProgress {
  readonly at: ReadPosition;
  readonly received: number;
  readonly pages: number;
  readonly requests: number;
  /** Attempts that had ended when the last page was staged. Only later ones count as failed. */
  readonly attemptsBefore: number;
}

/** Creates the activities that call Personio. Records go from a page into staging, and nowhere else. */
export function createCollectActivities({ database, policy, personio }: CollectDependencies): CollectActivities {
  return {
    exchangeToken: async ({ connectionId }) => {
      const api = await personio(connectionId);
      await api.authorise();
      return { requests: api.requests };
    },
    collectSegment: async (request) =>
      collectSegment({ database, policy, api: await personio(request.connectionId) }, request),
    askForMissing: async (request) =>
      askForMissing({ database, policy, api: await personio(request.connectionId) }, request),
    collectEmployee: async ({ employeeId, ...run }) => {
      const api = await personio(run.connectionId);
      const key = { attempt: 1, chunk: null };
      await beginStaging(database, run, key);
      const record = await readEmployee(api, employeeId, policy.attributesToStore);
      if (record !== null) await stageRecords(database, run, key, { endpoint: 'employees', records: [record] });
      return { found: record !== null, requests: api.requests };
    },
  };
}

/** Employees that one activity asks for, so that it stays well within its timeout at Personio's limits. */
const MISSING_PER_CALL = 1_000;
const MISSING_IN_FLIGHT = 5;

/**
 * Stages the records of a few employees who are still there, so that one who is left out every day does not
 * keep the read from ever ending. Stops where they are too many, or one cannot be read: then the list is not complete.
 */
async function askForMissing(
  { database, policy, api }: SegmentContext,
  { attempt, ...run }: RunRef & { readonly attempt: number },
): Promise<MissingOutcome> {
  const missing = await listUnaskedMissing(database, run, attempt, MISSING_PER_CALL);
  const allowed = await countAllowedById(database, run, attempt);
  let staged = (await listReadById(database, run, attempt)).length;
  let gone = 0;
  for (let index = 0; index < missing.length; index += MISSING_IN_FLIGHT) {
    const portion = missing.slice(index, index + MISSING_IN_FLIGHT);
    const found = await Promise.all(
      portion.map(async (employeeId) => readMissing(api, employeeId, policy.attributesToStore)),
    );
    const absent = portion.filter((_, position) => found[position] === null);
    await recordGone(database, run, attempt, absent);
    gone += absent.length;
    const present = portion.length - absent.length;
    const records = found.filter((record) => record !== null && record !== UNREADABLE);
    staged += records.length;
    if (records.length < present || staged > allowed) return { gone, present, isDone: true, requests: api.requests };
    await stageReadById(database, run, attempt, records);
    heartbeat();
    await stopWhenCancelled();
  }
  return { gone, present: 0, isDone: missing.length < MISSING_PER_CALL, requests: api.requests };
}

/** Result for an employee who is there, but whose record says nothing. */
const UNREADABLE = 'unreadable';

/** Reads one employee that the list left out; null when Personio answers 404. */
async function readMissing(
  api: PersonioApi,
  employeeId: string,
  attributesToStore: readonly string[],
): Promise<EmployeeRecord | typeof UNREADABLE | null> {
  try {
    const record = await readEmployee(api, employeeId, attributesToStore);
    return record === null || record.employeeId === employeeId ? record : UNREADABLE;
  } catch (error) {
    if (error instanceof PersonioError && error.type === 'PersonioMalformedAnswer') return UNREADABLE;
    throw error;
  }
}

interface SegmentContext {
  readonly database: Database;
  readonly policy: Policy;
  readonly api: PersonioApi;
}

async function collectSegment(context: SegmentContext, request: SegmentRequest): Promise<SegmentOutcome> {
  const segment = await heartbeatDuring(beatAgain, async () => beginSegment(context, request));
  try {
    return await heartbeatDuring(
      () => segment.beat(),
      async () => segment.read(),
    );
  } catch (error) {
    // The next attempt resumes from here.
    segment.beat();
    logFailure(error);
    if (!shouldFallBack(error, request)) throw toApplicationFailure(error, segment.failedAttempts);
    // A collection that was there a page ago is not gone for good: the read begins again.
    const isUnderWay = segment.hasBegun;
    return {
      isSourceGone: !isUnderWay,
      next: null,
      restartReason: isUnderWay ? describeVanished(error) : null,
      total: null,
      received: 0,
      pages: 0,
      requests: segment.countRequests(),
    };
  }
}

/** Heartbeats with the progress of the last attempt, which must not get lost. */
function beatAgain(): void {
  heartbeat(findResumedProgress() ?? undefined);
}

async function beginSegment(context: SegmentContext, request: SegmentRequest): Promise<Segment> {
  const resumed = findResumedProgress();
  const begin = resumed?.at ?? (await beginRead(context, request));
  const employeeIds = request.isConfirming === true ? await listVanishedPeople(context.database, request) : [];
  return new Segment(context, { ...request, employeeIds }, resumed ?? createProgress(begin));
}

/** Segment of these people's records; of everybody's where there are none. */
interface PeopleRequest extends SegmentRequest {
  readonly employeeIds: readonly string[];
}

const createProgress = (at: ReadPosition): SegmentProgress => ({
  at,
  received: 0,
  pages: 0,
  requests: 0,
  attemptsBefore: 0,
});

function describeVanished(error: unknown): string {
  const reason = error instanceof PersonioError ? (error.status ?? error.type) : 'no status';
  return `the collection vanished during the read (${reason})`;
}

/** Stages the pages of a segment, and keeps its progress. */
class Segment {
  private readonly context: SegmentContext;
  private readonly request: PeopleRequest;
  private readonly resumed: SegmentProgress;
  private progress: SegmentProgress;

  constructor(context: SegmentContext, request: PeopleRequest, resumed: SegmentProgress) {
    this.context = context;
    this.request = request;
    this.resumed = resumed;
    this.progress = resumed;
  }

  /** True if this segment, or one before it, has read pages of the collection. */
  get hasBegun(): boolean {
    return this.resumed.at.offset > 0 || this.progress.received > 0;
  }

  /**
   * Attempts since the last staged page, including this one. A wait for Personio's limits ends an attempt too, so a
   * long segment has many that are no failures.
   */
  get failedAttempts(): number {
    return activityInfo().attempt - this.progress.attemptsBefore;
  }

  beat(): void {
    heartbeat(this.progress);
  }

  async read(): Promise<SegmentOutcome> {
    const { database, policy, api } = this.context;
    const { endpoint, source, chunk, pages, employeeIds } = this.request;
    const segment = readSegment(api, {
      endpoint,
      source,
      chunk,
      employeeIds,
      position: this.resumed.at,
      pages: pages - this.resumed.pages,
      attributesToStore: policy.attributesToStore,
    });
    for await (const page of segment) await this.stage(page);
    const { next, restartReason } = segment.outcome;
    const { at, received } = this.progress;
    if (at.pageSize !== this.resumed.at.pageSize) await learnPageSize(database, this.request, at.pageSize);
    return {
      isSourceGone: false,
      next,
      restartReason,
      total: at.total,
      received,
      pages: this.progress.pages,
      requests: this.countRequests(),
    };
  }

  private async stage(page: SegmentPage): Promise<void> {
    await stageRecords(this.context.database, this.request, toStagingKey(this.request), page);
    const { received, pages } = this.progress;
    this.progress = {
      at: page.position,
      received: received + page.records.length,
      pages: pages + 1,
      requests: this.countRequests(),
      attemptsBefore: activityInfo().attempt - 1,
    };
    await stopWhenCancelled();
  }

  countRequests(): number {
    return this.resumed.requests + this.context.api.requests;
  }
}

function toStagingKey({ attempt, chunk }: SegmentRequest): StagingKey {
  return { attempt, chunk: chunk?.from ?? null };
}

/** Returns the position to begin at. The first segment of a read begins its staging; later ones bring theirs. */
async function beginRead(context: SegmentContext, request: SegmentRequest): Promise<ReadPosition> {
  if (request.position !== null) return request.position;
  await beginStaging(context.database, request, toStagingKey(request));
  if (request.isConfirming === true) await claimVanished(context.database, request);
  return readFirstPosition(context, request);
}

async function readFirstPosition({ database, policy }: SegmentContext, request: SegmentRequest): Promise<ReadPosition> {
  const learnt = await findPageSize(database, request);
  const asked = policy.reading.pageSize;
  return { offset: 0, cursor: null, total: null, pageSize: learnt === null ? asked : Math.min(learnt, asked) };
}

/** Returns the progress of the last attempt at this segment; null when there was none. */
function findResumedProgress(): SegmentProgress | null {
  const details: unknown = activityInfo().heartbeatDetails;
  const isProgress = typeof details === 'object' && details !== null && 'at' in details && 'received' in details;
  // eslint-disable-next-line @typescript-eslint/no-unsafe-type-assertion -- only this activity writes its own heartbeat
  return isProgress ? (details as unknown as SegmentProgress) : null;
}

/**
 * Ends the activity when it is cancelled. When the worker is shutting down, fails it so that another worker resumes
 * from the heartbeat at once.
 */
async function stopWhenCancelled(): Promise<void> {
  if (!cancellationSignal().aborted) return;
  if (cancellationDetails()?.workerShutdown === true) {
    throw ApplicationFailure.retryable('The worker is shutting down; another one resumes from here.', 'WorkerShutdown');
  }
  await cancelled();
}
