import { PersonioError } from '../personio/errors.js';
import type { RequestBucket, RateLimiter } from '../personio/api.js';
import type { Database } from './database.js';

export interface RequestLimits {
  readonly requestsPerMinute: number;
  readonly requestsPerSecond: number;
}

/**
 * Personio's limits on token exchanges (developer.personio.de/reference/auth,
 * developer.personio.de/v2.0/reference/authentication).
 */
const AUTH_LIMITS: RequestLimits = { requestsPerMinute: 60, requestsPerSecond: 15 };
const AUTH_V2_LIMITS: RequestLimits = { requestsPerMinute: 150, requestsPerSecond: 15 };
/**
 * Limit for all of v1. Personio grants 2,000 requests a minute to one IP address (changelog "IP address based rate
 * limiting"). This is a little less, since requests that wait for their own endpoint count here when they are given
 * their moment.
 */
const SHARED_PER_MINUTE = 1_900;
const SHARED_BUCKET = 'all-v1';
/** Connection of the shared bucket: companies behind one IP address share the limit. */
const NO_CONNECTION = '';
/**
 * Longest wait here, shorter than any heartbeat. Temporal takes longer ones: it shows them and holds no slot
 * meanwhile.
 */
const MAX_WAIT_MS = 10_000;
/**
 * Lateness after which a process asks for another moment: otherwise, one that was busy would send all it had reserved
 * at once.
 */
const TOO_LATE_MS = 100;
const MAX_TRIES = 5;

/**
 * Limits requests across all workers of a connection. The database gives each request its moment, first come, first
 * served, and the request waits for it here. So nobody asks twice, and no endpoint overtakes another in the shared
 * limit.
 */
export function createRateLimiter(database: Database, connectionId: string, limits: RequestLimits): RateLimiter {
  return {
    acquire: async (bucket) => {
      for (let tries = 1; ; tries++) {
        const lateMs = await waitForMoment(database, toReservation(connectionId, bucket, limits), bucket);
        if (lateMs < TOO_LATE_MS || tries >= MAX_TRIES) return;
      }
    },
    backOff: async (bucket, waitMs) => {
      await database.run(
        `insert into personio.request_windows (connection_id, bucket, paused_until)
         values ($1, $2, clock_timestamp() + $3 * interval '1 millisecond')
         on conflict (connection_id, bucket) do update
         set paused_until = greatest(request_windows.paused_until, excluded.paused_until)`,
        [connectionId, bucket, waitMs],
      );
    },
  };
}

/** Waits for the moment that the database gives. Returns how late this process woke up for it, in ms. */
async function waitForMoment(database: Database, reservation: Reservation, bucket: RequestBucket): Promise<number> {
  const [row] = await database.query<{ wait_ms: number }>(
    'select personio.reserve_request($1, $2, $3, $4, $5) as wait_ms',
    [...reservation, MAX_WAIT_MS],
  );
  const waitMs = row?.wait_ms ?? 0;
  if (waitMs > MAX_WAIT_MS) throw createRateLimitError(bucket, waitMs);
  if (waitMs === 0) return 0;
  // The way to the database and back delays every request alike; only a process that is busy wakes up late.
  const sleptFromMs = Date.now();
  await new Promise((resolve) => setTimeout(resolve, waitMs));
  return Date.now() - sleptFromMs - waitMs;
}

type Reservation = readonly [string[], string[], number[], number[]];

/** Returns the buckets that a request counts against: its own first, then the one that all of v1 shares. */
function toReservation(connectionId: string, bucket: RequestBucket, limits: RequestLimits): Reservation {
  const { requestsPerSecond, requestsPerMinute } = getLimits(bucket, limits);
  if (bucket.startsWith('v2-')) return [[connectionId], [bucket], [requestsPerSecond], [requestsPerMinute]];
  // A policy that allows more than Personio grants is for a server that is not Personio's.
  const shared = Math.max(SHARED_PER_MINUTE, limits.requestsPerMinute);
  return [
    [connectionId, NO_CONNECTION],
    [bucket, SHARED_BUCKET],
    [requestsPerSecond, shared],
    [requestsPerMinute, shared],
  ];
}

function getLimits(bucket: RequestBucket, limits: RequestLimits): RequestLimits {
  if (bucket === 'auth') return AUTH_LIMITS;
  return bucket === 'v2-auth' ? AUTH_V2_LIMITS : limits;
}

function createRateLimitError(bucket: RequestBucket, waitMs: number): PersonioError {
  return new PersonioError(
    'PersonioRateLimited',
    `The rate limit of ${bucket} is used up. The next request may be sent in ${Math.ceil(waitMs / 1_000)} s; ` +
      'it is retried then.',
    { retryAfterMs: waitMs },
  );
}
