import { expect, test } from '@jest/globals';
import type { Database } from '../../../src/store/database.js';
import { createRateLimiter } from '../../../src/store/rate-limiter.js';

test('a database that is far away costs one reservation a request', async () => {
  let reservations = 0;
  const far: Pick<Database, 'query' | 'run'> = {
    query: async <T>() => {
      reservations += 1;
      await new Promise((resolve) => setTimeout(resolve, 130));
      return [{ wait_ms: 20 }] as unknown as readonly T[];
    },
    run: async () => Promise.resolve(0),
  };
  const limits = { requestsPerMinute: 300, requestsPerSecond: 15 };
  const limiter = createRateLimiter(far as Database, 'default', limits);
  for (let request = 0; request < 3; request += 1) await limiter.acquire('employees');
  expect(reservations).toBe(3);
});
