import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { ApplicationFailure } from '@temporalio/common';
import { MockActivityEnvironment } from '@temporalio/testing';
import { pino } from 'pino';
import { createCollectActivities } from '../../activities/collect.js';
import { createPersonioAccess } from '../../activities/personio-access.js';
import type { CollectActivities } from '../../src/contracts/internal/activities.js';
import { startFakePersonio } from '../../src/fake-personio/server.js';
import type { FakePersonio } from '../../src/fake-personio/server.js';
import type { Database } from '../../src/store/database.js';
import { createMigratedDatabase } from '../support/database.js';
import { createPolicy } from '../support/policy.js';

const ATTEMPTS = 7;
const run = { connectionId: 'default', endpoint: 'employees', runId: 'run-of-many-attempts' } as const;
const start = { offset: 0, cursor: null, total: null, pageSize: 50 };

let database: Database;
let fake: FakePersonio;
let activities: CollectActivities;
beforeAll(async () => {
  database = await createMigratedDatabase();
  fake = await startFakePersonio({ employees: 300, seed: 3, foundedOn: '2026-11-20' });
  fake.behaviour.employeesPerPage = 50;
  const policy = createPolicy();
  const connections = [{ connectionId: 'default', baseUrl: fake.url, clientId: 'id', clientSecret: 'secret' }];
  const logger = pino({ level: 'silent' });
  const personio = createPersonioAccess({ database, logger, limits: policy.reading, ring: [], connections });
  activities = createCollectActivities({ database, policy, personio });
});
afterAll(async () => {
  await fake.close();
  await database.close();
});

/** Runs an attempt of a segment that resumes from its heartbeat. Personio becomes unavailable after some pages. */
async function runAttempt(attempt: number, attemptsBefore: number, pagesBeforeItFails: number): Promise<unknown> {
  fake.faults.clear();
  fake.faults.add({
    path: '/v1/company/employees',
    after: pagesBeforeItFails,
    respond: () => ({ status: 503, body: 'away' }),
  });
  const heartbeatDetails = { at: start, received: 0, pages: 0, requests: 0, attemptsBefore };
  const environment = new MockActivityEnvironment({ attempt, ...(attempt === 1 ? {} : { heartbeatDetails }) });
  const request = { ...run, source: 'v1', chunk: null, attempt: 1, position: null, pages: 300 } as const;
  return environment.run(activities.collectSegment, request).catch((error: unknown) => error);
}

test.each(['<html>Maintenance</html>', ''])(
  'a page that is no JSON (%p) is malformed after seven attempts',
  async (body) => {
    fake.faults.clear();
    fake.faults.add({ path: '/v1/company/employees', respond: () => ({ status: body === '' ? 204 : 200, body }) });
    const request = { ...run, source: 'v1', chunk: null, attempt: 1, position: null, pages: 300 } as const;
    for (const attempt of [1, ATTEMPTS]) {
      const environment = new MockActivityEnvironment({ attempt });
      const failure: unknown = await environment
        .run(activities.collectSegment, request)
        .catch((error: unknown) => error);
      expect(failure).toMatchObject({ type: 'PersonioMalformedAnswer', nonRetryable: attempt === ATTEMPTS });
    }
  },
);

/** Returns whether Temporal retries a failure of Personio. */
function isRetried(failure: unknown): boolean {
  expect(failure).toBeInstanceOf(ApplicationFailure);
  expect(failure).toHaveProperty('type', 'PersonioUnavailable');
  return (failure as ApplicationFailure).nonRetryable !== true;
}

test('a read fails after seven attempts in a row without a page', async () => {
  expect(isRetried(await runAttempt(1, 0, 0))).toBe(true);
  expect(isRetried(await runAttempt(ATTEMPTS, 0, 0))).toBe(false);
  // Waits for the limits have used up attempts, but each of them staged pages.
  expect(isRetried(await runAttempt(ATTEMPTS + 3, ATTEMPTS + 1, 0))).toBe(true);
  expect(isRetried(await runAttempt(2 * ATTEMPTS, ATTEMPTS, 0))).toBe(false);
  // This attempt stages pages before Personio becomes unavailable.
  expect(isRetried(await runAttempt(2 * ATTEMPTS, ATTEMPTS, 3))).toBe(true);
});
