import { activityInfo, cancellationDetails, cancellationSignal, cancelled, heartbeat } from '@temporalio/activity';
import { ApplicationFailure } from '@temporalio/common';
import type { CollectActivities, ReadPosition, RunRef, SegmentOutcome, SegmentRequest } from '../src/contracts/activities.js';
import type { Policy } from '../src/domain/policy.js';
import type { PersonioApi } from '../src/personio/api.js';
import { isRetired } from '../src/personio/paging.js';
import { readEmployee, readSegment } from '../src/personio/sources.js';
import type { Database } from '../src/store/database.js';
import { learnPageSize, learntPageSize } from '../src/store/profiles.js';
import { clearStaging, createStaging, stageRecords } from '../src/store/staging.js';
import type { PersonioAccess } from './personio-access.js';

export interface CollectDependencies {
  readonly database: Database;
  readonly policy: Policy;
  readonly personio: PersonioAccess;
}

/** What a segment has done so far: its heartbeat, from which another worker goes on. */
interface SegmentProgress {
  readonly at: ReadPosition;
  readonly received: number;
  readonly pages: number;
  readonly requests: number;
}

const HEARTBEAT_EVERY_MS = 8_000;

/** Activities that call Personio. Records go from a page into staging, and nowhere else. */
export function createCollectActivities({ database, policy, personio }: CollectDependencies): CollectActivities {
  return {
    exchangeToken: async ({ connectionId }) => {
      const api = personio(connectionId);
      await api.authorise();
      return { requests: api.requests };
    },
    collectSegment: async (request) => collectSegment({ database, policy, api: personio(request.connectionId) }, request),
    collectEmployee: async ({ employeeId, ...run }) => {
      const api = personio(run.connectionId);
      const record = await readEmployee(api, employeeId, policy.attributesToStore);
      const key = { reading: 1, chunk: null };
      await beginStaging(database, run, key);
      if (record !== null) await stageRecords(database, run, key, { endpoint: 'employees', records: [record] });
      return { found: record !== null, requests: api.requests };
    },
  };
}

interface SegmentContext {
  readonly database: Database;
  readonly policy: Policy;
  readonly api: PersonioApi;
}

async function collectSegment(context: SegmentContext, request: SegmentRequest): Promise<SegmentOutcome> {
  const { database, policy, api } = context;
  const key = { reading: request.reading, chunk: request.chunk?.from ?? null };
  const resumed = resumedProgress();
  if (resumed === null && request.position === null) await beginStaging(database, request, key);
  const begin = resumed?.at ?? request.position ?? (await firstPosition(context, request));
  let progress: SegmentProgress = resumed ?? { at: begin, received: 0, pages: 0, requests: 0 };
  const timer = setInterval(() => heartbeat(progress), HEARTBEAT_EVERY_MS);
  try {
    const { next, moved } = await readSegment(api, {
      ...{ endpoint: request.endpoint, source: request.source, chunk: request.chunk },
      ...{ position: begin, pages: request.pages - progress.pages, attributesToStore: policy.attributesToStore },
      onPage: async (page, at) => {
        await stageRecords(database, request, key, page);
        progress = {
          ...{ at, received: progress.received + page.records.length, pages: progress.pages + 1 },
          requests: (resumed?.requests ?? 0) + api.requests,
        };
        heartbeat(progress);
        await stopWhenCancelled();
      },
    });
    if (progress.at.pageSize !== begin.pageSize) await learnPageSize(database, request, progress.at.pageSize);
    const requests = (resumed?.requests ?? 0) + api.requests;
    return { retired: false, next, moved, total: progress.at.total, received: progress.received, pages: progress.pages, requests };
  } catch (error) {
    if (!isRetired(error) || begin.offset > 0) throw error;
    return { retired: true, next: null, moved: null, total: null, received: 0, pages: 0, requests: api.requests };
  } finally {
    clearInterval(timer);
  }
}

async function beginStaging(database: Database, run: RunRef, key: { reading: number; chunk: string | null }): Promise<void> {
  await createStaging(database, run);
  await clearStaging(database, run, key);
}

async function firstPosition({ database, policy }: SegmentContext, request: SegmentRequest): Promise<ReadPosition> {
  const learnt = await learntPageSize(database, request);
  const asked = policy.reading.pageSize;
  return { offset: 0, cursor: null, total: null, pageSize: learnt === null ? asked : Math.min(learnt, asked) };
}

/** Where the last attempt at this segment got to, if there was one. */
function resumedProgress(): SegmentProgress | null {
  const details: unknown = activityInfo().heartbeatDetails;
  const isProgress = typeof details === 'object' && details !== null && 'at' in details && 'received' in details;
  // eslint-disable-next-line @typescript-eslint/no-unsafe-type-assertion -- only this activity writes its own heartbeat
  return isProgress ? (details as unknown as SegmentProgress) : null;
}

/** Cancelled by somebody: ends as cancelled. The worker is going: handed back at once, so that another one goes on from the heartbeat. */
async function stopWhenCancelled(): Promise<void> {
  if (!cancellationSignal().aborted) return;
  if (cancellationDetails()?.workerShutdown === true) {
    throw ApplicationFailure.retryable('The worker is shutting down; another one goes on from here.', 'WorkerShutdown');
  }
  await cancelled();
}
