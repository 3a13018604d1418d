import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { EmployeeRecord } from '../../src/domain/records.js';
import type { Database } from '../../src/store/database.js';
import { listHeldPeople } from '../../src/store/employees/holds.js';
import { readPreview } from '../../src/store/employees/preview.js';
import { applyVerdict } from '../../src/store/employees/verdicts.js';
import { listUnaskedMissing } from '../../src/store/staging.js';
import { countWrites, createMigratedDatabase } from '../support/database.js';
import { createPolicy } from '../support/policy.js';
import { SteppedRead, commitCompany, employee } from '../support/staging.js';

const policy = createPolicy();
const LEFT = { status: 'inactive', terminationDate: '2024-01-31', lastWorkingDay: '2024-01-31' } as const;
const company = Array.from({ length: 20 }, (_, index) => employee(index + 1));
/** Returns the company in which one person differs. */
const withPerson = (id: number, more: Partial<EmployeeRecord>): EmployeeRecord[] =>
  company.map((person) => (person.employeeId === String(id) ? { ...person, ...more } : person));

let database: Database;
beforeEach(async () => {
  database = await createMigratedDatabase();
  await commitCompany(database, policy, company);
});
afterEach(async () => database.close());

const begin = async (more: ConstructorParameters<typeof SteppedRead>[2] = {}): Promise<SteppedRead> =>
  new SteppedRead(database, policy, more).begin();

async function refresh(person: EmployeeRecord): Promise<ReturnType<SteppedRead['commit']>> {
  return commitCompany(database, policy, [person], { onlyEmployeeId: person.employeeId });
}

async function listEvents(): Promise<readonly string[]> {
  const rows = await database.query<{ event: string }>(
    `select concat_ws(' ', employee_id, kind, state) as event
     from personio.lifecycle_events
     order by employee_id, kind`,
  );
  return rows.map(({ event }) => event);
}

async function findState(id: number): Promise<unknown> {
  const [row] = await database.query(
    'select lifecycle_state, missing_since from personio.employees where employee_id = $1',
    [String(id)],
  );
  return row;
}

async function readDetail(runId: string): Promise<Readonly<Record<string, unknown>>> {
  const [row] = await database.query<{ detail: Record<string, unknown> }>(
    'select detail from personio.sync_runs where run_id = $1',
    [runId],
  );
  return row?.detail ?? {};
}

describe('a full read during which one person was refreshed', () => {
  test('leaves the leaver as the refresh has committed it', async () => {
    const full = await (await begin()).stage(company);
    await refresh(employee(1, LEFT));
    const { result, runId } = await full.commit();
    expect(result).toMatchObject({ outcome: 'succeeded', received: 20, unchanged: 19, held: 1 });
    expect(result?.message).toMatch(/1 employee was left out, because another read committed them during this one/);
    expect(await readDetail(runId)).toMatchObject({ leftOut: 1 });
    expect(await listEvents()).toEqual(['1 leaver.left due']);
    expect(await findState(1)).toMatchObject({ lifecycle_state: 'left' });
    await commitCompany(database, policy, withPerson(1, LEFT));
    expect(await listEvents()).toEqual(['1 leaver.left due']);
  });

  test('commits everybody else', async () => {
    const full = await (await begin()).stage(withPerson(2, LEFT));
    await refresh(employee(1, LEFT));
    expect((await full.commit()).result).toMatchObject({ updated: 1, unchanged: 18, held: 1 });
    expect(await listEvents()).toEqual(['1 leaver.left due', '2 leaver.left due']);
  });

  test('leaves out a person that the refresh found unchanged', async () => {
    const full = await (await begin()).stage(withPerson(1, LEFT));
    const writes = await countWrites(database, 'employees');
    await refresh(employee(1));
    expect(await countWrites(database, 'employees')).toBe(writes);
    expect((await full.commit()).result).toMatchObject({ updated: 0, held: 1 });
    expect(await listEvents()).toEqual([]);
  });

  test('neither misses nor asks for a joiner that the refresh has committed', async () => {
    const full = await (await begin()).stage(company);
    await refresh(employee(500));
    const run = { connectionId: 'default', endpoint: 'employees' as const, runId: full.runId };
    expect(await listUnaskedMissing(database, run, 1, 10)).toEqual([]);
    expect((await full.commit()).result).toMatchObject({ outcome: 'succeeded', missing: 0, unchanged: 20 });
    expect(await findState(500)).toEqual({ lifecycle_state: 'employed', missing_since: null });
  });

  test('is committed where the refresh came before it began', async () => {
    await refresh(employee(1));
    const full = await (await begin()).stage(withPerson(1, LEFT));
    expect((await full.commit()).result).toMatchObject({ updated: 1, held: 0 });
    expect(await database.query('select from personio.refreshed_people')).toEqual([]);
  });

  test('that is a preview leaves the person out and says so', async () => {
    const preview = await (await begin({ preview: true })).stage(company);
    await refresh(employee(1, LEFT));
    const { result, runId } = await preview.commit();
    expect(result).toMatchObject({ outcome: 'preview', unchanged: 19, held: 1 });
    expect(result?.message).toMatch(/1 employee was left out/);
    expect((await readPreview(database, runId)).events).toEqual([]);
    expect(await database.query('select from personio.refreshed_people')).toHaveLength(1);
  });
});

describe('a refresh during which a full read was committed', () => {
  test('leaves its person out', async () => {
    const one = await (await begin({ onlyEmployeeId: '1' })).stage([employee(1)]);
    await commitCompany(database, policy, withPerson(1, LEFT));
    const { result } = await one.commit();
    expect(result).toMatchObject({ outcome: 'succeeded', received: 1, unchanged: 0, held: 1 });
    expect(await listEvents()).toEqual(['1 leaver.left due']);
  });

  test('leaves its person out after another refresh of the same person', async () => {
    const one = await (await begin({ onlyEmployeeId: '1' })).stage([employee(1)]);
    await refresh(employee(1, LEFT));
    expect((await one.commit()).result).toMatchObject({ held: 1 });
    expect(await listEvents()).toEqual(['1 leaver.left due']);
  });

  test('commits its person after a refresh of another one', async () => {
    const one = await (await begin({ onlyEmployeeId: '1' })).stage([employee(1, LEFT)]);
    await refresh(employee(2, LEFT));
    expect((await one.commit()).result).toMatchObject({ updated: 1, held: 0 });
  });
});

describe('two full reads that overlap', () => {
  test.each([{ isFirstNewer: true }, { isFirstNewer: false }])(
    'keep what was committed first (newer: $isFirstNewer)',
    async ({ isFirstNewer }) => {
      const [first, second] = [await begin(), await begin()];
      const changed = [...withPerson(1, LEFT), employee(21)];
      const [earlier, later] = isFirstNewer ? [changed, company] : [company, changed];
      await first.stage(earlier);
      await second.stage(later);
      await first.commit();
      const events = await listEvents();
      const { result, runId } = await second.commit();
      const people = later.length;
      expect(result).toMatchObject({ outcome: 'succeeded', received: people, unchanged: 0, missing: 0, held: people });
      expect(result?.message).toMatch(`${people} employees were left out`);
      expect(await readDetail(runId)).toMatchObject({ leftOut: people });
      expect(await listEvents()).toEqual(events);
      await commitCompany(database, policy, changed);
      expect(await listEvents()).toEqual(['1 leaver.left due', '21 joiner.started due']);
    },
  );

  test('do not starve the third one', async () => {
    const [first, second] = [await begin(), await begin()];
    await first.stage(company);
    await second.stage(company);
    await first.commit();
    const third = await (await begin()).stage(withPerson(1, LEFT));
    await second.commit();
    expect((await third.commit()).result).toMatchObject({ updated: 1, held: 0 });
  });

  test('of which one began before the baseline are committed once', async () => {
    const empty = await createMigratedDatabase();
    const [first, second] = [new SteppedRead(empty, policy), new SteppedRead(empty, policy)];
    for (const read of [first, second]) await (await read.begin()).stage(company);
    const early = await commitCompany(empty, policy, [employee(1)], { onlyEmployeeId: '1' });
    expect(early.incomplete).toMatch(/no complete read/);
    expect((await first.commit()).result).toMatchObject({ inserted: 20, held: 0 });
    expect((await second.commit()).result).toMatchObject({ inserted: 0, held: 20 });
    await empty.close();
  });

  test('of which one has no recorded start count it from the start of the run', async () => {
    const old = await (await begin()).stage(company);
    await database.run('delete from personio.read_starts');
    await commitCompany(database, policy, withPerson(1, LEFT));
    expect((await old.commit()).result).toMatchObject({ held: 20 });
  });
});

describe('an approval whose fresh read leaves people out', () => {
  const everybodyLeft = company.map((person) => ({ ...person, status: 'inactive' }));
  const approve = async (runId: string): Promise<unknown> =>
    applyVerdict(database, {
      connectionId: 'default',
      runId,
      verdict: 'approved',
      by: 'Ada',
      reason: 'checked',
      requestId: `${runId}-approve`,
    });
  const listDecisions = async (): Promise<readonly string[]> =>
    (await listHeldPeople(database, 'default')).map(({ employeeId, decision }) => `${employeeId} ${decision}`);

  test('holds for the next read where everybody was left out', async () => {
    const { runId } = await commitCompany(database, policy, everybodyLeft);
    const other = await (await begin()).stage(everybodyLeft);
    const fresh = await (await begin()).stage(everybodyLeft);
    await other.commit();
    await approve(runId);
    expect((await fresh.commit()).result).toMatchObject({ outcome: 'succeeded', held: 20 });
    expect(await listDecisions()).toContain('1 approved');
    expect((await commitCompany(database, policy, everybodyLeft)).result).toMatchObject({ updated: 20, held: 0 });
  });

  test('holds for the next read of a person who was left out, and is said', async () => {
    await commitCompany(database, policy, everybodyLeft);
    const fresh = await (await begin()).stage(everybodyLeft);
    const { runId } = await refresh({ ...employee(1), status: 'inactive' });
    await approve(runId);
    const { result } = await fresh.commit();
    expect(result?.message).toMatch(/1 employee was left out.* Of them, 1 approved/);
    expect(await listDecisions()).toContain('1 approved');
    expect((await commitCompany(database, policy, everybodyLeft)).result).toMatchObject({ updated: 1, held: 19 });
  });

  test('asks on about a person who was left out and not approved', async () => {
    const asked = await commitCompany(database, policy, everybodyLeft);
    const full = await (await begin()).stage(company);
    const { runId, result } = await refresh({ ...employee(1), status: 'inactive' });
    expect(result?.outcome).toBe('braked');
    const outcome = await full.commit();
    expect(outcome.result).toMatchObject({ outcome: 'braked', unchanged: 19, held: 1 });
    expect(outcome.question).toMatch(/1 employee who was left out is still on hold/);
    expect([...outcome.replaced].sort()).toEqual([asked.runId, runId].sort());
    expect(await listDecisions()).toEqual(['1 asked']);
    await approve(outcome.runId);
    expect((await commitCompany(database, policy, everybodyLeft)).result).toMatchObject({ updated: 1, held: 19 });
  });
});
