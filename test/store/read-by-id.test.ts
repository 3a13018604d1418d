import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { MockActivityEnvironment } from '@temporalio/testing';
import { pino } from 'pino';
import { createCollectActivities } from '../../activities/collect.js';
import { createPersonioAccess } from '../../activities/personio-access.js';
import type { CollectActivities, MissingOutcome } from '../../src/contracts/internal/activities.js';
import type { EmployeeRecord } from '../../src/domain/records.js';
import { addDays } from '../../src/domain/zones.js';
import { startFakePersonio } from '../../src/fake-personio/server.js';
import type { FakePersonio } from '../../src/fake-personio/server.js';
import type { Database } from '../../src/store/database.js';
import { createMigratedDatabase } from '../support/database.js';
import { createPolicy } from '../support/policy.js';
import { SteppedRead, commitCompany, employee } from '../support/staging.js';

/** People that the list omits although Personio serves them by id. */

const TODAY = new Date().toISOString().slice(0, 10);
const policy = createPolicy();
let fake: FakePersonio;
let database: Database;
let activities: CollectActivities;
let everybody: readonly EmployeeRecord[];

beforeAll(async () => {
  fake = await startFakePersonio({ employees: 500, seed: 3, foundedOn: TODAY });
});
afterAll(async () => fake.close());

beforeEach(async () => {
  database = await createMigratedDatabase();
  const connections = [{ connectionId: 'default', baseUrl: fake.url, clientId: 'id', clientSecret: 'secret' }];
  const logger = pino({ level: 'silent' });
  const personio = createPersonioAccess({ database, logger, limits: policy.reading, ring: [], connections });
  activities = createCollectActivities({ database, policy, personio });
  everybody = fake.company.employees.map(({ id }) => employee(id));
});
afterEach(async () => {
  fake.behaviour.fault = null;
  await database.close();
});

/** Stages a list without the first people, asks for them by id, and commits. */
async function readWithout(
  people: number,
  size = everybody.length,
): Promise<{ readonly asked: MissingOutcome; readonly committed: Awaited<ReturnType<SteppedRead['commit']>> }> {
  const company = everybody.slice(0, size);
  await commitCompany(database, policy, company);
  const read = await new SteppedRead(database, policy, { isAskedById: false, runId: 'omitting' }).begin();
  await read.stage(company.slice(people));
  const run = { connectionId: 'default', endpoint: 'employees', runId: 'omitting', attempt: 1 } as const;
  const asked = await new MockActivityEnvironment().run<
    [typeof run],
    MissingOutcome,
    CollectActivities['askForMissing']
  >(activities.askForMissing, run);
  return { asked, committed: await read.commit() };
}

describe('a list that omits people', () => {
  test('takes the records that are served by id, and a leaver among them leaves', async () => {
    const [leaver] = fake.company.employees;
    Object.assign(leaver ?? {}, { terminationDate: addDays(TODAY, -1), lastWorkingDay: addDays(TODAY, -1) });
    const { asked, committed } = await readWithout(3, 100);
    expect(asked).toMatchObject({ gone: 0, present: 0, isDone: true });
    expect(committed.result).toMatchObject({ outcome: 'succeeded', received: 100, missing: 0 });
    expect(committed.result?.message).toContain('3 employees were missing from the list, and read by id');
    const [run] = await database.query(
      `select detail -> 'readById' as ids from personio.sync_runs where run_id = 'omitting'`,
    );
    expect(run?.['ids']).toHaveLength(3);
    const left = await database.query(`select employee_id from personio.lifecycle_events where kind = 'leaver.left'`);
    expect(left).toContainEqual({ employee_id: String(leaver?.id) });
  });

  test.each([
    { size: 100, people: 4 },
    { size: 500, people: 6 },
  ])('is not complete without $people of $size', async ({ size, people }) => {
    const { asked } = await readWithout(people, size);
    expect(asked).toMatchObject({ present: expect.any(Number), isDone: true });
    expect(asked.present).toBeGreaterThan(0);
  });

  test('may omit one percent of a larger company', async () => {
    expect((await readWithout(4)).committed.result).toMatchObject({ outcome: 'succeeded', received: 500 });
  });

  test.each([
    { what: 'no record', body: { success: true, data: {} } },
    { what: 'another person', body: { success: true, data: { type: 'Employee', attributes: { id: { value: 1 } } } } },
  ])('is not complete where Personio answers with $what', async ({ body }) => {
    fake.behaviour.fault = ({ path }) =>
      path.startsWith('/v1/company/employees/') ? { status: 200, body } : undefined;
    const { asked, committed } = await readWithout(1);
    expect(asked.present).toBe(1);
    expect(committed.incomplete).toMatch(/not asked for by id/);
  });
});
