import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { EVENT_KINDS } from '../../src/contracts/public/events.js';
import type { EmployeeRecord } from '../../src/domain/records.js';
import { addDays } from '../../src/domain/zones.js';
import { findHeldProblems } from '../../src/cli/status/held-people.js';
import type { Database } from '../../src/store/database.js';
import { markDue, readPendingWork } from '../../src/store/deliveries/pending.js';
import { applySubscribers } from '../../src/store/deliveries/plans.js';
import { listHeldPeople } from '../../src/store/employees/holds.js';
import { applyVerdict } from '../../src/store/employees/verdicts.js';
import { explain } from '../../src/store/events/explain.js';
import { createMigratedDatabase } from '../support/database.js';
import { createPolicy, createSubscriber } from '../support/policy.js';
import { commitCompany, employee } from '../support/staging.js';

/** Ends that are withdrawn for many people at once. The planned day is past by the clock of PostgreSQL. */

const TODAY = new Date().toISOString().slice(0, 10);
const END = addDays(TODAY, -3);
const toMoment = (daysAgo: number): string => `${addDays(TODAY, -daysAgo)}T09:00:00.000Z`;
const policy = {
  ...createPolicy(),
  subscribers: [createSubscriber({ name: 'it', events: EVENT_KINDS, when: { daysBefore: 2 } })],
};
type CommitResult = Awaited<ReturnType<typeof commitCompany>>;
let database: Database;

/** Returns a company in which everybody with an id up to this one ends. */
const endingUpTo = (last: number, more: Partial<EmployeeRecord> = {}): EmployeeRecord[] =>
  Array.from({ length: 100 }, (_, index) =>
    employee(index + 1, index < last ? { terminationDate: END, lastWorkingDay: END } : more),
  );

async function read(company: readonly EmployeeRecord[], daysAgo: number): Promise<CommitResult> {
  return commitCompany(database, policy, company, { collectedAt: toMoment(daysAgo) });
}

async function decide(runId: string, verdict: 'approved' | 'rejected'): Promise<void> {
  const attribution = { by: 'Ada', reason: 'checked', requestId: runId + verdict };
  await applyVerdict(database, { connectionId: 'default', runId, verdict, ...attribution });
}

/** Counts the events that the leavings of the 8 people caused, without announcements. */
async function countEvents(): Promise<readonly string[]> {
  const rows = await database.query<{ line: string }>(
    `select count(*) || ' ' || kind || ' ' || state as line
     from personio.lifecycle_events
     where kind <> 'leaver.announced'
     group by kind, state
     order by kind, state`,
  );
  return rows.map(({ line }) => line);
}

/** Lets the time of all planned events come. */
async function letTimePass(): Promise<void> {
  for (let id = 1; id <= 8; id++) await markDue(database, { connectionId: 'default', employeeId: String(id) });
}

beforeEach(async () => {
  database = await createMigratedDatabase();
  await read(endingUpTo(0), 20);
  expect((await read(endingUpTo(8), 15)).result).toMatchObject({ outcome: 'succeeded', updated: 8 });
});
afterEach(async () => database.close());

describe('ends that are withdrawn for many at once', () => {
  test('are held, and neither told nor due before an answer', async () => {
    const { result, runId } = await read(endingUpTo(0), 10);
    expect(result).toMatchObject({ outcome: 'braked', held: 8, updated: 0 });
    expect(result?.message).toContain('8 of 8 planned leavings would be withdrawn in this run (limit 5)');
    await letTimePass();
    expect(await countEvents()).toEqual(['8 leaver.left planned']);
    expect((await listHeldPeople(database, 'default'))[0]).toMatchObject({
      class: 'withdrawals',
      runId,
      waitingLeavingAt: expect.stringContaining(END.slice(0, 7)),
    });
  });

  test('stay the same question after the planned day has passed', async () => {
    const first = await read(endingUpTo(0), 10);
    const second = await read(endingUpTo(0), 1);
    expect(second.result).toMatchObject({ outcome: 'braked', held: 8 });
    expect(second.replaced).toEqual([first.runId]);
    expect(await countEvents()).toEqual(['8 leaver.left planned']);
  });

  test('are withdrawn by the read after an approval, even after the planned day', async () => {
    const { runId } = await read(endingUpTo(0), 10);
    await decide(runId, 'approved');
    await letTimePass();
    expect((await read(endingUpTo(0), 1)).result).toMatchObject({ outcome: 'succeeded', updated: 8, held: 0 });
    expect(await countEvents()).toEqual(['8 leaver.left superseded', '8 leaver.rescinded due']);
    const rescinded = await database.query(
      `select from personio.deliveries where event_id like '%:leaver.rescinded:%' and state = 'waiting'`,
    );
    expect(rescinded).toHaveLength(8);
  });

  test('fall due as planned once they are rejected, and rehire nobody', async () => {
    const { runId } = await read(endingUpTo(0), 10);
    await decide(runId, 'rejected');
    await letTimePass();
    expect(await countEvents()).toEqual(['8 leaver.left due']);
    const next = await read(endingUpTo(0), 1);
    expect(next.result).toMatchObject({ outcome: 'succeeded', held: 8, updated: 0 });
    expect((await read(endingUpTo(0), 0)).result).toMatchObject({ outcome: 'succeeded', held: 8 });
    expect(await countEvents()).toEqual(['8 leaver.left due']);
  });

  test('rehire the people of a rejection that is reversed after the day', async () => {
    const { runId } = await read(endingUpTo(0), 10);
    await decide(runId, 'rejected');
    await letTimePass();
    await decide(runId, 'approved');
    expect((await read(endingUpTo(0), 1)).result).toMatchObject({ outcome: 'succeeded', updated: 8 });
    expect(await countEvents()).toContain('8 joiner.rehired due');
  });

  test.each([
    { name: 'few', missing: 3 },
    { name: 'many', missing: 8 },
  ])('wait on while $name of the people are missing', async ({ missing }) => {
    await read(endingUpTo(0), 10);
    await read(endingUpTo(0).slice(missing), 5);
    await letTimePass();
    expect(await countEvents()).toEqual(['8 leaver.left planned']);
    expect(await listHeldPeople(database, 'default')).toHaveLength(8);
    expect((await read(endingUpTo(0), 1)).result).toMatchObject({ outcome: 'braked', held: 8 });
    expect(await countEvents()).toEqual(['8 leaver.left planned']);
  });

  test('stay rejected while people are missing, so that nobody is rehired', async () => {
    const { runId } = await read(endingUpTo(0), 10);
    await decide(runId, 'rejected');
    await letTimePass();
    await read(endingUpTo(0).slice(3), 2);
    await read(endingUpTo(0), 1);
    expect(await countEvents()).toEqual(['8 leaver.left due']);
  });

  test('fall due as planned once Personio has them again', async () => {
    await read(endingUpTo(0), 10);
    await letTimePass();
    expect((await read(endingUpTo(8), 1)).result).toMatchObject({ outcome: 'succeeded', held: 0 });
    expect(await countEvents()).toEqual(['8 leaver.left planned']);
    await letTimePass();
    expect(await countEvents()).toEqual(['8 leaver.left due']);
  });

  test('are few enough up to the larger of 5 and a quarter', async () => {
    expect((await read(endingUpTo(3), 10)).result).toMatchObject({ outcome: 'succeeded', updated: 5 });
    expect((await read(endingUpTo(2), 9)).result).toMatchObject({ outcome: 'braked', held: 1 });
  });

  test('count before moves, and hold nobody else', async () => {
    const company = endingUpTo(0).map((person) => (Number(person.employeeId) <= 9 ? { ...person, team: 'B' } : person));
    expect((await read(company, 10)).result).toMatchObject({ outcome: 'braked', held: 8, updated: 1 });
    expect(await countEvents()).toContain('1 mover.changed due');
  });
});

describe('while it is asked about, a leaving', () => {
  const person = { connectionId: 'default', employeeId: '1' };

  test('is shown as on hold with what it would send, and blocks nothing else', async () => {
    await read(endingUpTo(0), 10);
    const { planned, deliveries } = await readPendingWork(database, person);
    expect(planned).toMatchObject([{ kind: 'leaver.left', isOnHold: true }]);
    expect(deliveries.map(({ kind, isOnHold }) => [kind, isOnHold])).toEqual([
      ['leaver.announced', false],
      ['leaver.left', true],
    ]);
  });

  test('is on hold in explain, and a problem in status that says what waits', async () => {
    const { runId } = await read(endingUpTo(0), 10);
    const eventId = (await readPendingWork(database, person)).planned[0]?.eventId ?? '';
    expect(await explain(database, eventId, false)).toMatchObject({ onHoldByRun: runId });
    const findProblems = async (): Promise<unknown> =>
      findHeldProblems(database, 'default', await listHeldPeople(database, 'default'));
    const sentence = expect.stringContaining('8 leavings are past due and on hold');
    expect(await findProblems()).toMatchObject([{ code: 'braked', runId, sentence }]);
    await decide(runId, 'approved');
    expect(await findProblems()).toMatchObject([{ code: 'braked', sentence }]);
    await decide(runId, 'rejected');
    expect(await findProblems()).toEqual([]);
    expect(await explain(database, eventId, false)).toMatchObject({ onHoldByRun: null });
  });

  test('gets a row for a subscriber that is added', async () => {
    await read(endingUpTo(0), 10);
    const payroll = createSubscriber({ name: 'payroll', events: EVENT_KINDS });
    await applySubscribers(database, 'default', { ...policy, subscribers: [...policy.subscribers, payroll] });
    const rows = await database.query(`select from personio.deliveries where subscriber = 'payroll'`);
    expect(rows).toHaveLength(8);
  });

  test('is dispatched again when the question begins and when it ends, and not in between', async () => {
    const dispatch = async (): Promise<void> => {
      await database.run(`update personio.lifecycle_events set handed_over_to = 'here'`);
    };
    const countUndispatched = async (): Promise<number> =>
      (await database.query(`select from personio.lifecycle_events where handed_over_to is null`)).length;
    await dispatch();
    await read(endingUpTo(0), 10);
    expect(await countUndispatched()).toBe(8);
    await dispatch();
    const { runId } = await read(endingUpTo(0), 9);
    expect(await countUndispatched()).toBe(0);
    await decide(runId, 'rejected');
    expect(await countUndispatched()).toBe(8);
  });
});
