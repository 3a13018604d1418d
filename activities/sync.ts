import { cancellationSignal } from '@temporalio/activity';
import { ApplicationFailure } from '@temporalio/common';
import type {
  GateOutcome,
  OpenRunRequest,
  RetentionResult,
  RunPlan,
  StoreActivities,
} from '../src/contracts/internal/activities.js';
import { findWindowFault, resolveAttendanceWindow, chunkDays } from '../src/domain/attendance-window.js';
import { findChangedFormats } from '../src/domain/unreadable.js';
import type { Policy } from '../src/domain/policy.js';
import { listSources } from '../src/personio/sources.js';
import { commitSnapshot } from '../src/store/collections/commit.js';
import { findIncompleteReason } from '../src/store/completeness.js';
import type { Database } from '../src/store/database.js';
import { commitEmployees } from '../src/store/employees/commit.js';
import { applyVerdict } from '../src/store/employees/verdicts.js';
import { applyRetention } from '../src/store/retention.js';
import { closeRun, insertRun } from '../src/store/runs.js';
import { dropStaging, listUnaskedMissing } from '../src/store/staging.js';
import { countUnreadable } from '../src/store/unreadable.js';
import { withHeartbeat } from './failures.js';

export interface SyncDependencies {
  readonly database: Database;
  readonly policy: Policy;
  readonly digest: (text: string) => string;
  readonly dispatch: StoreActivities['dispatchEvents'];
  /** Ends runs that were terminated, and drops what runs have left in staging. */
  readonly cleanUp: () => Promise<void>;
}

/** Pages of one activity: about a minute at Personio's limits, and few events in the history. */
const PAGES_PER_SEGMENT = 300;
/** Attendances change all day long, so the total of several weeks would never be stable. */
const DAYS_PER_CHUNK = 7;

/** Creates the activities of syncs that work on the database. */
export function createSyncActivities(dependencies: SyncDependencies): StoreActivities {
  const { database, policy, digest, dispatch, cleanUp } = dependencies;
  return {
    openRun: async (request) => {
      // The next run, and retention, try again.
      await cleanUp().catch(() => undefined);
      return openRun(database, policy, request);
    },
    commitSnapshot: withHeartbeat(async (request) => {
      await refuseChangedFormat(database, request);
      return commitSnapshot(database, request);
    }),
    verifySnapshot: withHeartbeat(async (request) => verifySnapshot(database, request)),
    commitEmployees: withHeartbeat(async (request) => {
      const outcome = await commitEmployees(database, request, { policy, digest });
      if (outcome.result !== null) await dropStaging(database, request);
      return outcome;
    }),
    decideHeld: async (request) => applyVerdict(database, request),
    closeRun: withHeartbeat(async (request) => {
      const result = await closeRun(database, request, request);
      await dropStaging(database, request);
      return result;
    }),
    dispatchEvents: withHeartbeat(dispatch),
    applyRetention: withHeartbeat(async () => {
      await cleanUp();
      return runRetention(database, policy);
    }),
  };
}

async function verifySnapshot(
  database: Database,
  request: Parameters<StoreActivities['verifySnapshot']>[0],
): Promise<GateOutcome> {
  const incomplete = await findIncompleteReason(database, request);
  if (incomplete !== null) return { incomplete, isNobodyMissing: false };
  await refuseChangedFormat(database, request);
  const [missing] = await listUnaskedMissing(database, request, request.attempt, 1);
  return { incomplete, isNobodyMissing: missing === undefined };
}

/** @throws ApplicationFailure `PersonioMalformedAnswer` when an attribute cannot be read in too many records. */
async function refuseChangedFormat(database: Database, request: Parameters<typeof countUnreadable>[1]): Promise<void> {
  const { counts, received } = await countUnreadable(database, request);
  const changed = findChangedFormats(counts, received).map(({ attribute, records }) => `${attribute} (${records})`);
  if (changed.length === 0) return;
  throw ApplicationFailure.nonRetryable(
    `Of ${received} ${request.endpoint}, too many have an attribute that cannot be read: ${changed.join(', ')}. ` +
      'Its format seems to have changed. Nothing was changed. Report this with this message.',
    'PersonioMalformedAnswer',
  );
}

async function openRun(database: Database, { schedule, reading }: Policy, request: OpenRunRequest): Promise<RunPlan> {
  const sources = listSources(request.endpoint);
  if (request.endpoint !== 'attendances') {
    await insertRun(database, request, request.startedAt, null);
    return { sources, chunks: [null], pagesPerSegment: PAGES_PER_SEGMENT };
  }
  await refuseInvalidWindow(database, request);
  const window = resolveAttendanceWindow({
    window: request.window,
    nominalTime: request.nominalTime,
    startedAt: request.startedAt,
    lookbackDays: reading.attendanceLookbackDays,
    catchUpWithinSeconds: schedule.catchUpWithinSeconds,
    jitterSeconds: schedule.jitterSeconds,
  });
  await insertRun(database, request, request.startedAt, window);
  return { sources, chunks: chunkDays(window, DAYS_PER_CHUNK), pagesPerSegment: PAGES_PER_SEGMENT };
}

/** @throws ApplicationFailure `InvalidRequest` for a window that cannot be read. The run's row records it. */
async function refuseInvalidWindow(database: Database, request: OpenRunRequest): Promise<void> {
  const fault = request.window === null ? null : findWindowFault(request.window);
  if (fault === null) return;
  await insertRun(database, request, request.startedAt, null);
  throw ApplicationFailure.nonRetryable(
    `${fault} Nothing was read. Start the run again with other days.`,
    'InvalidRequest',
  );
}

/** Applies the retention rules. Deleted rows stay deleted, so the next attempt continues where this one stopped. */
async function runRetention(database: Database, { retention }: Policy): Promise<RetentionResult> {
  return applyRetention(database, retention, () => {
    if (cancellationSignal().aborted)
      throw ApplicationFailure.retryable('Retention was stopped between two batches.', 'WorkerShutdown');
  });
}
