import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { EmployeeRecord } from '../../src/domain/records.js';
import type { Database } from '../../src/store/database.js';
import { applyVerdict, listHeldPeople } from '../../src/store/employees/holds.js';
import { createMigratedDatabase } from '../support/database.js';
import { createPolicy } from '../support/policy.js';
import { commitCompany, employee } from '../support/staging.js';

const TODAY = new Date().toISOString().slice(0, 10);
const policy = createPolicy();
const everybody = people(100);
let database: Database;

function people(count: number, more: (id: number) => Partial<EmployeeRecord> | null = () => ({})): EmployeeRecord[] {
  return Array.from({ length: count }, (_, index) => index + 1).flatMap((id) => {
    const change = more(id);
    return change === null ? [] : [employee(id, change)];
  });
}

/** Whoever has an id up to this is inactive. */
const inactiveUpTo = (last: number): EmployeeRecord[] =>
  people(100, (id) => (id <= last ? { status: 'inactive' } : {}));
/** Whoever has an id up to this is missing. */
const missingUpTo = (last: number): EmployeeRecord[] => people(100, (id) => (id <= last ? null : {}));

type CommitResult = Awaited<ReturnType<typeof commitCompany>>;

async function read(company: readonly EmployeeRecord[]): Promise<CommitResult> {
  return commitCompany(database, policy, company);
}

async function decide(runId: string, decision: 'approved' | 'rejected', requestId = runId + decision): Promise<number> {
  const verdict = { by: 'Ada', reason: 'checked with HR', requestId };
  return (await applyVerdict(database, { connectionId: 'default', runId, decision, ...verdict })).people;
}

async function listEventKinds(): Promise<readonly string[]> {
  const rows = await database.query<{ kind: string; count: number }>(
    `select kind, count(*) as count from personio.lifecycle_events group by 1 order by 1`,
  );
  return rows.map(({ kind, count }) => `${count} ${kind}`);
}

async function listHoldIds(runId: string, decision: string): Promise<readonly string[]> {
  const rows = await database.query<{ event_id: string }>(
    'select event_id from personio.lifecycle_proposals where run_id = $1 and decision = $2 order by 1',
    [runId, decision],
  );
  return rows.map((row) => row.event_id);
}

const listHeldIds = async (): Promise<readonly string[]> =>
  (await listHeldPeople(database, 'default')).map(({ employeeId }) => employeeId).sort();

beforeEach(async () => {
  database = await createMigratedDatabase();
  await read(everybody);
});
afterEach(async () => database.close());

describe('people who are held', () => {
  test('stay held under the same ids while Personio says the same, and each run ends as braked', async () => {
    const first = await read(inactiveUpTo(30));
    const second = await read(inactiveUpTo(30));
    expect([first.result?.outcome, second.result?.outcome]).toEqual(['braked', 'braked']);
    expect(await listHoldIds(second.runId, 'asked')).toEqual(await listHoldIds(first.runId, 'replaced'));
    expect(await listHoldIds(second.runId, 'asked')).toHaveLength(30);
    expect(second.replaced).toEqual([first.runId]);
    expect(await listEventKinds()).toEqual([]);
  });

  test('a run that is asked for its answer again, as after a lost one, says the same', async () => {
    const first = await read(inactiveUpTo(30));
    const second = await read(inactiveUpTo(30));
    const again = await commitCompany(database, policy, inactiveUpTo(30), { runId: second.runId });
    expect(again).toEqual(second);
    expect(again.replaced).toEqual([first.runId]);
    expect(again.question).toMatch(/^30 of 100 people would leave at once, at most 10 may: /);
  });

  test('leave the list when they change, and new ones join it', async () => {
    await read(inactiveUpTo(30));
    const second = await read(people(100, (id) => (id > 5 && id <= 31 ? { status: 'inactive' } : {})));
    expect(second.result).toMatchObject({ outcome: 'braked', held: 26 });
    expect(await listHeldIds()).not.toContain('5');
    expect(await listHeldIds()).toContain('31');
  });

  test('stay held without an answer even when they have become few, and nobody else waits for them', async () => {
    await read(inactiveUpTo(30));
    const second = await read(people(100, (id) => (id <= 3 || id === 50 ? { status: 'inactive' } : {})));
    expect(second.result).toMatchObject({ outcome: 'braked', held: 3, updated: 1 });
    expect(second.result?.message).toMatch(/3 people stay held as leaving, since nobody has decided on them yet/);
    expect(await listEventKinds()).toEqual(['1 leaver.left']);
  });

  test('are forgotten when all is well again, and nothing was told', async () => {
    const first = await read(inactiveUpTo(30));
    const second = await read(everybody);
    expect(second.result).toMatchObject({ outcome: 'succeeded', held: 0, unchanged: 100 });
    expect(second.replaced).toEqual([first.runId]);
    expect(await listHeldIds()).toEqual([]);
    expect(await listEventKinds()).toEqual([]);
  });

  test('pass in a reorganisation by nobody: movers wait, and the leaver of the day leaves', async () => {
    const moved = people(100, (id) => (id <= 60 ? { team: 'New' } : id === 70 ? { status: 'inactive' } : {}));
    const { result } = await read(moved);
    expect(result).toMatchObject({ outcome: 'braked', held: 60, updated: 1 });
    expect(await listEventKinds()).toEqual(['1 leaver.left']);
  });
});

describe('approving', () => {
  test('commits with the next read what was approved, and holds what has come since', async () => {
    const { runId } = await read(inactiveUpTo(30));
    expect(await decide(runId, 'approved')).toBe(30);
    const fresh = await read(people(100, (id) => (id <= 30 || id > 80 ? { status: 'inactive' } : {})));
    expect(fresh.result).toMatchObject({ outcome: 'braked', updated: 30, held: 20 });
    expect(await listEventKinds()).toEqual(['30 leaver.left']);
    expect(await listHeldIds()).toHaveLength(20);
  });

  test('covers the ids that a run listed though a newer run has replaced it', async () => {
    const { runId } = await read(inactiveUpTo(30));
    await read(inactiveUpTo(31));
    await decide(runId, 'approved');
    const fresh = await read(inactiveUpTo(31));
    // One has come since: within the limit, but asked about and not approved.
    expect(fresh.result).toMatchObject({ outcome: 'braked', updated: 30, held: 1 });
  });

  test('does not let a changed date pass', async () => {
    const end = (day: string): EmployeeRecord[] =>
      people(100, (id) => (id <= 30 ? { terminationDate: `${Number(TODAY.slice(0, 4)) + 1}-01-${day}` } : {}));
    const { runId } = await read(end('10'));
    await decide(runId, 'approved');
    expect((await read(end('05'))).result).toMatchObject({ outcome: 'braked', updated: 0, held: 30 });
  });

  test('holds for the next committed read alone: the same a week later is a new question', async () => {
    const { runId } = await read(inactiveUpTo(30));
    await decide(runId, 'approved');
    await read(everybody);
    expect((await read(inactiveUpTo(30))).result).toMatchObject({ outcome: 'braked', held: 30 });
  });

  test('does not count in the rolling day', async () => {
    const { runId } = await read(inactiveUpTo(30));
    await decide(runId, 'approved');
    await read(inactiveUpTo(30));
    const next = await read(inactiveUpTo(37));
    expect(next.result).toMatchObject({ outcome: 'succeeded', updated: 7 });
  });

  test('is written down with name and reason, once', async () => {
    const { runId } = await read(inactiveUpTo(30));
    await decide(runId, 'approved', 'request-1');
    await decide(runId, 'approved', 'request-1');
    expect(await database.query('select actor, what, subject, reason from personio.decisions')).toEqual([
      { actor: 'Ada', what: 'approve', subject: `run ${runId}`, reason: 'checked with HR' },
    ]);
  });
});

describe('rejecting', () => {
  test('keeps people held without asking again, and others pass meanwhile', async () => {
    const { runId } = await read(inactiveUpTo(30));
    await decide(runId, 'rejected');
    const next = await read(inactiveUpTo(33));
    expect(next.result).toMatchObject({ outcome: 'succeeded', held: 30, updated: 3 });
    expect(next.question).toBeNull();
    expect(next.result?.message).toMatch(/30 people stay held, as was decided/);
    const [person] = await listHeldPeople(database, 'default');
    expect(person).toMatchObject({ decision: 'rejected', runId, class: 'leavers' });
    expect(await listHoldIds(runId, 'rejected')).toHaveLength(30);
  });

  test('can be taken back by approving the rejected run', async () => {
    const { runId } = await read(inactiveUpTo(30));
    await decide(runId, 'rejected');
    await read(inactiveUpTo(30));
    await decide(runId, 'approved');
    expect((await read(inactiveUpTo(30))).result).toMatchObject({ outcome: 'succeeded', updated: 30, held: 0 });
  });

  test('is over when Personio says something else: the next leaving of the same person is no rejected one', async () => {
    const { runId } = await read(inactiveUpTo(30));
    await decide(runId, 'rejected');
    await read(everybody);
    expect((await read(inactiveUpTo(1))).result).toMatchObject({ outcome: 'succeeded', updated: 1, held: 0 });
  });
});

describe('mistakes in slices', () => {
  test('are held once the rolling day is full', async () => {
    expect((await read(inactiveUpTo(8))).result).toMatchObject({ outcome: 'succeeded', updated: 8 });
    const second = await read(inactiveUpTo(16));
    expect(second.result).toMatchObject({ outcome: 'braked', held: 8, updated: 0 });
    expect(second.result?.message).toMatch(/16 of 92 people would leave at once \(within 24 hours\), at most 9 may/);
  });
});

describe('who is gone', () => {
  const findDeletedAt = async (id: number): Promise<unknown> =>
    (
      await database.query('select missing_since, deleted_at from personio.employees where employee_id = $1', [
        String(id),
      ])
    )[0];

  test('is missing since the first read without them, and deleted in the second', async () => {
    const first = await read(missingUpTo(1));
    expect(first.result).toMatchObject({ outcome: 'succeeded', missing: 1, received: 99, unchanged: 99 });
    expect(await findDeletedAt(1)).toEqual({ missing_since: expect.any(String), deleted_at: null });
    expect(await listEventKinds()).toEqual([]);
    const second = await read(missingUpTo(1));
    expect(second.result).toMatchObject({ outcome: 'succeeded', missing: 1 });
    expect(await listEventKinds()).toEqual(['1 leaver.deleted']);
    expect(await findDeletedAt(1)).toMatchObject({ deleted_at: expect.any(String) });
    await read(missingUpTo(1));
    expect(await listEventKinds()).toEqual(['1 leaver.deleted']);
  });

  test('is not deleted when seen in between', async () => {
    await read(missingUpTo(1));
    await read(everybody);
    expect(await findDeletedAt(1)).toEqual({ missing_since: null, deleted_at: null });
    await read(missingUpTo(1));
    expect(await listEventKinds()).toEqual([]);
  });

  test('is rehired when back after being deleted', async () => {
    await read(missingUpTo(1));
    await read(missingUpTo(1));
    await read(everybody);
    expect(await listEventKinds()).toEqual(['1 joiner.rehired', '1 joiner.started', '1 leaver.deleted']);
    expect(await findDeletedAt(1)).toEqual({ missing_since: null, deleted_at: null });
  });

  test('was asked for by id, or nothing is committed', async () => {
    const { incomplete } = await commitCompany(database, policy, missingUpTo(1), { isAskedById: false });
    expect(incomplete).toMatch(/not asked for by id/);
    expect(await findDeletedAt(1)).toEqual({ missing_since: null, deleted_at: null });
  });

  test('in numbers is held for the deletion that it would become; approved, they are deleted by the fresh read', async () => {
    const first = await read(missingUpTo(6));
    expect(first.result).toMatchObject({ outcome: 'braked', missing: 0, held: 0 });
    expect(first.result?.message).toMatch(/6 of 100 people are missing at once, at most 5 may/);
    expect(await findDeletedAt(1)).toEqual({ missing_since: null, deleted_at: null });
    const ids = await listHoldIds(first.runId, 'asked');
    expect(ids.every((id) => id.includes(':leaver.deleted:'))).toBe(true);
    const second = await read(missingUpTo(6));
    expect(await listHoldIds(second.runId, 'asked')).toEqual(ids);
    await decide(second.runId, 'approved');
    const [held] = await listHeldPeople(database, 'default');
    expect((await read(missingUpTo(6))).result).toMatchObject({ outcome: 'succeeded', missing: 6 });
    expect(await listEventKinds()).toEqual(['6 leaver.deleted']);
    expect(await findDeletedAt(1)).toMatchObject({ missing_since: held?.since });
  });
});

describe('a whole group that is missing at once', () => {
  test.each([
    { what: 'an office', more: { office: 'Hamburg' }, says: 'All 2 people of the office Hamburg are missing at once' },
    {
      what: 'a department',
      more: { departmentId: '9', department: 'Legal' },
      says: 'All 2 people of the department Legal are missing at once',
    },
    {
      what: 'a legal entity',
      more: { subcompany: 'Tiny Ltd' },
      says: 'All 2 people of the legal entity Tiny Ltd are missing at once',
    },
    { what: 'the inactive', more: { status: 'inactive' }, says: 'All 2 inactive people are missing at once' },
  ])('is held however few they are: $what', async ({ more, says }) => {
    await read(people(100, (id) => (id <= 2 ? more : {})));
    const { result } = await read(missingUpTo(2));
    expect(result).toMatchObject({ outcome: 'braked', missing: 0 });
    expect(result?.message).toContain(says);
    const next = await read(missingUpTo(2));
    expect(next.result?.outcome).toBe('braked');
    expect(await listEventKinds()).not.toContain('2 leaver.deleted');
  });

  test('is no group of one: the only person of an office may be gone', async () => {
    await read(people(100, (id) => (id === 1 ? { office: 'Hamburg' } : {})));
    expect((await read(missingUpTo(1))).result).toMatchObject({ outcome: 'succeeded', missing: 1 });
  });
});

test('the order in which people come changes nothing: the same events with the same ids', async () => {
  const other = await createMigratedDatabase();
  const after = people(110, (id) =>
    id <= 8 ? { status: 'inactive' } : id <= 20 ? { team: 'New' } : id === 30 ? null : {},
  );
  const listIdsAfter = async (
    of: Database,
    order: (company: EmployeeRecord[]) => EmployeeRecord[],
  ): Promise<unknown> => {
    await commitCompany(of, policy, order([...everybody]));
    await commitCompany(of, policy, order([...after]));
    return of.query('select event_id, kind, state from personio.lifecycle_events order by event_id');
  };
  const forwards = await listIdsAfter(database, (company) => company);
  expect(await listIdsAfter(other, (company) => company.reverse())).toEqual(forwards);
  expect(forwards).toHaveLength(30);
  await other.close();
});

describe('what is odd in HR data', () => {
  const readAnomalies = async (runId: string): Promise<unknown> =>
    (
      await database.query(`select detail -> 'oddities' as oddities from personio.sync_runs where run_id = $1`, [runId])
    )[0]?.['oddities'];

  test('is reported with the run and stops nothing', async () => {
    const odd = people(100, (id) => {
      if (id === 1) return { supervisorId: '2' };
      if (id === 2) return { supervisorId: '1' };
      if (id === 3) return { supervisorId: '3' };
      return id === 4 ? { terminationDate: '2019-01-01', office: 'Moon' } : {};
    });
    const { runId, result } = await commitCompany(
      database,
      policy,
      [...odd, employee(5, { position: 'Somebody else' }), employee(5)],
      { total: 100 },
    );
    expect(result).toMatchObject({ outcome: 'succeeded', received: 100 });
    expect(await readAnomalies(runId)).toEqual({
      records: { 'end before start': 1, 'supervises themselves': 1 },
      officesWithoutZone: ['Moon'],
      supervisorLoops: [['1', '2'], ['3']],
      duplicateIds: ['5'],
    });
    const again = await read(odd);
    expect(await readAnomalies(again.runId)).toMatchObject({ officesWithoutZone: [] });
  });
});
