import { activityInfo, heartbeat } from '@temporalio/activity';
import { ApplicationFailure, CancelledFailure } from '@temporalio/common';
import type { FailureType } from '../src/contracts/errors.js';

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
const SHORTEST_RETRY_DELAY_MS = 1_000;

/** Well within the 30 s after which a worker counts as gone. */
export const HEARTBEAT_EVERY_MS = 8_000;

/** An error of ours that knows its failure type. */
interface Typed {
  readonly type: FailureType;
  readonly message: string;
  readonly retryAfterMs?: number;
}

/**
 * Wraps an activity so that every error leaves it as an `ApplicationFailure` with a promised type: the one place that decides what
 * Temporal tries again. The cause is left behind on purpose: foreign errors carry URLs, parameters and rows into histories.
 */
export function translatingFailures<A extends unknown[], R>(
  activity: (...args: A) => Promise<R>,
): (...args: A) => Promise<R> {
  return async (...args) => {
    try {
      return await activity(...args);
    } catch (error) {
      throw translated(error, activityInfo().attempt);
    }
  };
}

/** Heartbeats while a single long step (a transaction) is under way, so that a killed worker is noticed in half a minute. */
export function heartbeating<A extends unknown[], R>(activity: (...args: A) => Promise<R>): (...args: A) => Promise<R> {
  return async (...args) => {
    const timer = setInterval(() => {
      heartbeat();
    }, HEARTBEAT_EVERY_MS);
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
export function translated(error: unknown, attempt: number): Error {
  if (error instanceof ApplicationFailure || error instanceof CancelledFailure) return error;
  if (isTyped(error)) return translatedTyped(error, attempt);
  const name = error instanceof Error ? error.constructor.name : typeof error;
  return ApplicationFailure.create({
    message: `An unexpected ${name}${codeOf(error)} ended this step. The worker's log has more with LOG_LEVEL=debug.`,
    type: 'Unexpected',
    nonRetryable: attempt >= MAX_ATTEMPTS.unexpected,
  });
}

function translatedTyped(error: Typed, attempt: number): ApplicationFailure {
  const { type, message } = error;
  switch (type) {
    case 'PersonioRateLimited':
      return ApplicationFailure.create({
        ...{ type, message, nonRetryable: attempt >= MAX_ATTEMPTS.PersonioRateLimited },
        ...(error.retryAfterMs === undefined
          ? {}
          : { nextRetryDelay: Math.max(error.retryAfterMs, SHORTEST_RETRY_DELAY_MS) }),
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

function isTyped(error: unknown): error is Typed {
  return (
    error instanceof Error &&
    'type' in error &&
    typeof error.type === 'string' &&
    /^(Personio|Snapshot|Store)/.test(error.type)
  );
}

/** A database's or a socket's code says what kind it was, and nothing about anybody. */
function codeOf(error: unknown): string {
  const code: unknown = error instanceof Error && 'code' in error ? error.code : undefined;
  return typeof code === 'string' && /^[A-Z0-9_]{1,40}$/.test(code) ? ` (${code})` : '';
}
