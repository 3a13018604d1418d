import { PersonioError } from '../personio/errors.js';
import type { RequestBucket, RequestGovernor } from '../personio/api.js';
import type { Database } from './database.js';

export interface RequestLimits {
  readonly requestsPerMinute: number;
  readonly requestsPerSecond: number;
}

/** Personio's limit of token exchanges (developer.personio.de/reference/auth). */
const AUTH_LIMITS: RequestLimits = { requestsPerMinute: 60, requestsPerSecond: 15 };
/** A longer wait belongs to Temporal, which shows it and holds no slot for it. */
const MAX_WAIT_MS = 10_000;

/** Limits requests over all workers of a connection: who may send next is decided by one row in the database. */
export function createGovernor(database: Database, connectionId: string, limits: RequestLimits): RequestGovernor {
  const take = async (bucket: RequestBucket): Promise<void> => {
    const { requestsPerMinute, requestsPerSecond } = bucket === 'auth' ? AUTH_LIMITS : limits;
    for (let waitedMs = 0; ;) {
      const [row] = await database.rows<{ wait_ms: number }>(
        'select personio.take_request($1, $2, $3, $4) as wait_ms',
        [connectionId, bucket, requestsPerSecond, requestsPerMinute],
      );
      const waitMs = row?.wait_ms ?? 0;
      if (waitMs === 0) return;
      if (waitedMs + waitMs > MAX_WAIT_MS) throw waiting(bucket, waitMs);
      await new Promise((resolve) => setTimeout(resolve, waitMs));
      waitedMs += waitMs;
    }
  };
  return {
    take,
    pause: async (bucket, waitMs) => {
      await database.run(
        `insert into personio.request_windows (connection_id, bucket, paused_until) values ($1, $2, clock_timestamp() + $3 * interval '1 millisecond')
         on conflict (connection_id, bucket) do update set paused_until = greatest(request_windows.paused_until, excluded.paused_until)`,
        [connectionId, bucket, waitMs],
      );
    },
  };
}

function waiting(bucket: RequestBucket, waitMs: number): PersonioError {
  return new PersonioError(
    'PersonioRateLimited',
    `The limit of requests to ${bucket} is used up: the next may be sent in ${Math.ceil(waitMs / 1_000)} s. It is tried again then.`,
    { retryAfterMs: waitMs },
  );
}
