import { AsyncResource } from 'node:async_hooks';
import { activityInfo, cancellationDetails, cancellationSignal, heartbeat, log } from '@temporalio/activity';
import { ApplicationFailure, CancelledFailure } from '@temporalio/common';
import type { FailureType } from '../src/contracts/internal/errors.js';
import { describeFailure } from '../src/observability/failure.js';
import { StatementScope, areStatementsAlive } from '../src/store/statement-watch.js';

/** Attempts per kind of failure, without any progress between them, before the run ends with it. */
const MAX_ATTEMPTS = {
  /** Covers about a minute of Personio being down; the schedule's next run tries again. */
  PersonioUnavailable: 7,
  /** As above, for a response that another try may replace. */
  PersonioMalformedAnswer: 7,
  /** Each attempt waits as long as Personio asks, up to its cap. */
  PersonioRateLimited: 60,
  /** A run survives a database that is restarted or moved. */
  StoreUnavailable: Number.POSITIVE_INFINITY,
  /** Unforeseen errors may be transient. */
  unexpected: 4,
} as const;

/**
 * Temporal takes a delay of 0 as "do not retry", so a `Retry-After` in the past would end the run. Personio advises a
 * second.
 */
const MIN_RETRY_DELAY_MS = 1_000;

/** Well within the heartbeat timeout of 30 s, after which a worker counts as lost. */
const HEARTBEAT_INTERVAL_MS = 8_000;

/** An error of ours that carries its failure type. */
interface TypedError {
  readonly type: FailureType;
  readonly message: string;
  readonly retryAfterMs?: number;
  readonly isTransient?: boolean;
}

/**
 * Wraps an activity so that every error leaves it as an `ApplicationFailure` with a documented type: the one place
 * that decides what Temporal retries. It drops the cause on purpose: foreign errors carry URLs, parameters and rows,
 * which would end up in histories.
 */
export function withFailureTranslation<A extends unknown[], R>(
  activity: (...args: A) => Promise<R>,
): (...args: A) => Promise<R> {
  return async (...args) => {
    try {
      return await openScope().run(async () => activity(...args));
    } catch (error) {
      logFailure(error);
      throw toApplicationFailure(error, activityInfo().attempt);
    }
  };
}

/**
 * Opens a scope of statements that end with an activity that was cancelled, or that Temporal no longer waits for. A
 * worker that shuts down finishes what the database works on.
 */
function openScope(): StatementScope {
  const scope = new StatementScope();
  const signal = cancellationSignal();
  const end = (): void => {
    if (cancellationDetails()?.workerShutdown === true) return;
    scope.end(new CancelledFailure('The statements of this step were ended, since the step was cancelled.'));
  };
  if (signal.aborted) end();
  // The cancellation does not run in the context of this activity.
  else signal.addEventListener('abort', AsyncResource.bind(end), { once: true });
  return scope;
}

/** Logs at level `debug` what an error names, since the failure that Temporal stores drops it. */
export function logFailure(error: unknown): void {
  // Our own sentence, which was logged before where it stands for another error.
  if (error instanceof ApplicationFailure || error instanceof CancelledFailure) return;
  log.debug('A step failed', describeFailure(error));
}

/** Wraps an activity so that it heartbeats while one long step, such as a transaction, makes progress. */
export function withHeartbeat<A extends unknown[], R>(
  activity: (...args: A) => Promise<R>,
  intervalMs = HEARTBEAT_INTERVAL_MS,
): (...args: A) => Promise<R> {
  return async (...args) => {
    return heartbeatDuring(heartbeat, async () => activity(...args), intervalMs);
  };
}

/**
 * Heartbeats until `work` has ended, but not while PostgreSQL gives no sign that it works on a statement of this
 * activity. Requests to others have limits that are shorter than the heartbeat timeout.
 */
export async function heartbeatDuring<R>(
  beat: () => void,
  work: () => Promise<R>,
  intervalMs = HEARTBEAT_INTERVAL_MS,
): Promise<R> {
  const timer = setInterval(() => {
    if (areStatementsAlive()) beat();
  }, intervalMs);
  try {
    return await work();
  } finally {
    clearInterval(timer);
  }
}

/**
 * Returns the failure that Temporal sees for an error.
 *
 * @param attempt counts from 1; for a step that resumes, the attempts since it last made progress.
 */
export function toApplicationFailure(error: unknown, attempt: number): Error {
  if (error instanceof ApplicationFailure || error instanceof CancelledFailure) return error;
  if (isTypedError(error)) return toTypedFailure(error, attempt);
  const name = error instanceof Error ? error.constructor.name : typeof error;
  return ApplicationFailure.create({
    message:
      `An unexpected ${name}${formatCode(error)} ended this step. ` +
      'Set LOG_LEVEL=debug for details in the log of the worker.',
    type: 'Unexpected',
    nonRetryable: attempt >= MAX_ATTEMPTS.unexpected,
  });
}

function toTypedFailure(error: TypedError, attempt: number): ApplicationFailure {
  const { type, message } = error;
  switch (type) {
    case 'PersonioRateLimited':
      return ApplicationFailure.create({
        type,
        message,
        nonRetryable: attempt >= MAX_ATTEMPTS.PersonioRateLimited,
        ...(error.retryAfterMs === undefined
          ? {}
          : { nextRetryDelay: Math.max(error.retryAfterMs, MIN_RETRY_DELAY_MS) }),
      });
    case 'PersonioUnavailable':
    case 'StoreUnavailable':
      return ApplicationFailure.create({ type, message, nonRetryable: attempt >= MAX_ATTEMPTS[type] });
    case 'PersonioMalformedAnswer': {
      const nonRetryable = error.isTransient !== true || attempt >= MAX_ATTEMPTS[type];
      return ApplicationFailure.create({ type, message, nonRetryable });
    }
    case 'PersonioCredentialsRejected':
    case 'PersonioPermissionMissing':
    case 'PersonioEndpointRetired':
    case 'SnapshotIncomplete':
    case 'InvalidRequest':
      return ApplicationFailure.create({ type, message, nonRetryable: true });
  }
}

function isTypedError(error: unknown): error is TypedError {
  return (
    error instanceof Error &&
    'type' in error &&
    typeof error.type === 'string' &&
    /^(Personio|Snapshot|Store|InvalidRequest$)/.test(error.type)
  );
}

/** Returns the code of a database or socket error in parentheses: it names the kind and nothing personal. */
function formatCode(error: unknown): string {
  const code: unknown = error instanceof Error && 'code' in error ? error.code : undefined;
  return typeof code === 'string' && /^[A-Z0-9_]{1,40}$/.test(code) ? ` (${code})` : '';
}
