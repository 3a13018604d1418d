import { activityInfo, heartbeat } from '@temporalio/activity';
import { ApplicationFailure, CancelledFailure } from '@temporalio/common';
import type { FailureType } from '../src/contracts/internal/errors.js';

/** How often a kind of failure is tried, without any progress meanwhile, before the run ends with it. */
const MAX_ATTEMPTS = {
  /** About a minute of Personio being away; the schedule's next run tries again. */
  PersonioUnavailable: 7,
  /** Each attempt waits as long as Personio asks, up to its cap. */
  PersonioRateLimited: 60,
  /** A run outlasts a database that is restarted or moved. */
  StoreUnavailable: Number.POSITIVE_INFINITY,
  /** What nobody foresaw: a few tries, for chance may have its part in it. */
  unexpected: 4,
} as const;

/** Temporal takes a delay of 0 for "do not try again": a `Retry-After` that has passed would end the run. Personio advises a second. */
const MIN_RETRY_DELAY_MS = 1_000;

/** Well within the 30 s after which a worker counts as gone. */
export const HEARTBEAT_INTERVAL_MS = 8_000;

/** An error of ours that knows its failure type. */
interface TypedError {
  readonly type: FailureType;
  readonly message: string;
  readonly retryAfterMs?: number;
}

/**
 * Wraps an activity so that every error leaves it as an `ApplicationFailure` with a promised type: the one place that decides what
 * Temporal tries again. The cause is left behind on purpose: foreign errors carry URLs, parameters and rows into histories.
 */
export function withFailureTranslation<A extends unknown[], R>(
  activity: (...args: A) => Promise<R>,
): (...args: A) => Promise<R> {
  return async (...args) => {
    try {
      return await activity(...args);
    } catch (error) {
      throw toApplicationFailure(error, activityInfo().attempt);
    }
  };
}

/** Heartbeats while a single long step (a transaction) is under way, so that a killed worker is noticed in half a minute. */
export function withHeartbeat<A extends unknown[], R>(
  activity: (...args: A) => Promise<R>,
): (...args: A) => Promise<R> {
  return async (...args) => {
    const timer = setInterval(() => {
      heartbeat();
    }, HEARTBEAT_INTERVAL_MS);
    try {
      return await activity(...args);
    } finally {
      clearInterval(timer);
    }
  };
}

/**
 * @param attempt counts from 1; of a step that goes on where it was, the attempts since it last got further.
 * @returns what Temporal is told.
 */
export function toApplicationFailure(error: unknown, attempt: number): Error {
  if (error instanceof ApplicationFailure || error instanceof CancelledFailure) return error;
  if (isTypedError(error)) return toTypedFailure(error, attempt);
  const name = error instanceof Error ? error.constructor.name : typeof error;
  return ApplicationFailure.create({
    message: `An unexpected ${name}${formatCode(error)} ended this step. The worker's log has more with LOG_LEVEL=debug.`,
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
    case 'PersonioCredentialsRejected':
    case 'PersonioPermissionMissing':
    case 'PersonioMalformedAnswer':
    case 'PersonioEndpointRetired':
    case 'SnapshotIncomplete':
      return ApplicationFailure.create({ type, message, nonRetryable: true });
  }
}

function isTypedError(error: unknown): error is TypedError {
  return (
    error instanceof Error &&
    'type' in error &&
    typeof error.type === 'string' &&
    /^(Personio|Snapshot|Store)/.test(error.type)
  );
}

/** A database's or a socket's code says what kind it was, and nothing about anybody. */
function formatCode(error: unknown): string {
  const code: unknown = error instanceof Error && 'code' in error ? error.code : undefined;
  return typeof code === 'string' && /^[A-Z0-9_]{1,40}$/.test(code) ? ` (${code})` : '';
}
