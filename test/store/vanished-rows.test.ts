import { afterEach, beforeEach, expect, test } from '@jest/globals';
import type { CommitOutcome } from '../../src/contracts/internal/activities.js';
import type { DayWindow } from '../../src/contracts/internal/sync.js';
import type { AttendanceRecord, DepartmentRecord } from '../../src/domain/records.js';
import type { Database } from '../../src/store/database.js';
import { createMigratedDatabase } from '../support/database.js';
import { attendance } from '../support/staging.js';
import { SteppedCollection } from '../support/stepped-collection.js';

const FIRST = { from: '2026-11-02', to: '2026-11-08' };
const SECOND = { from: '2026-11-09', to: '2026-11-15' };
const WINDOW = { from: FIRST.from, to: SECOND.to };

let database: Database;
beforeEach(async () => {
  database = await createMigratedDatabase();
});
afterEach(async () => database.close());

function period(id: string, date: string, more: Partial<AttendanceRecord> = {}): AttendanceRecord {
  return attendance(id, {
    periodIdV2: `v2-${id}`,
    date,
    breakMinutes: null,
    isHoliday: null,
    isOnTimeOff: null,
    ...more,
  });
}

const IN_FIRST = ['1', '2', '3'].map((id) => period(id, '2026-11-03'));
const IN_SECOND = ['4', '5', '6'].map((id) => period(id, '2026-11-10'));

/** A run of which each step stages what Personio has then, and commits it. */
class SteppedRun extends SteppedCollection {
  constructor(endpoint: 'attendances' | 'departments' = 'attendances') {
    super(database, endpoint);
  }

  /** People that the last confirming read asked for. */
  people: readonly string[] = [];

  async read(
    chunk: DayWindow,
    records: readonly AttendanceRecord[],
    source: 'v1' | 'v2' = 'v1',
  ): Promise<CommitOutcome> {
    await (await this.begin(chunk)).stage({ endpoint: 'attendances', records });
    return this.commit({ source, defersDeletions: true });
  }

  async confirm(records: readonly AttendanceRecord[], source: 'v1' | 'v2' = 'v1'): Promise<CommitOutcome> {
    this.people = await this.beginConfirming(WINDOW);
    await this.stage({ endpoint: 'attendances', records });
    return this.commit({ source, isConfirming: true });
  }
}

async function storeBoth(): Promise<void> {
  const run = new SteppedRun();
  await run.read(FIRST, IN_FIRST);
  await run.read(SECOND, IN_SECOND);
}

async function listRows(): Promise<readonly string[]> {
  const rows = await database.query<{ row: string }>(
    `select concat_ws(' ', period_id, date) as row
     from personio.attendance_periods
     order by period_id`,
  );
  return rows.map(({ row }) => row);
}

test('a period that moves to a day of a chunk that was read before stays', async () => {
  await storeBoth();
  const run = new SteppedRun();
  expect(await run.read(FIRST, IN_FIRST)).toMatchObject({ unchanged: 3 });
  expect(await run.read(SECOND, IN_SECOND.slice(1))).toMatchObject({ missing: 0, vanished: 1 });
  expect(await listRows()).toHaveLength(6);
  const moved = [...IN_FIRST, period('4', '2026-11-04'), ...IN_SECOND.slice(1)];
  expect(await run.confirm(moved)).toMatchObject({
    incomplete: null,
    updated: 1,
    received: 1,
    missing: 0,
    vanished: 0,
  });
  expect(run.people).toEqual(['1']);
  expect(await listRows()).toContain('4 2026-11-04');
});

test('a period that moves to a day of a later chunk needs no second read', async () => {
  await storeBoth();
  const run = new SteppedRun();
  expect(await run.read(FIRST, IN_FIRST.slice(1))).toMatchObject({ missing: 0, vanished: 1 });
  const moved = [...IN_SECOND, period('1', '2026-11-11')];
  expect(await run.read(SECOND, moved)).toMatchObject({ inserted: 0, updated: 1, vanished: 0 });
  expect(await listRows()).toContain('1 2026-11-11');
});

test('a period that two reads miss is deleted', async () => {
  await storeBoth();
  const run = new SteppedRun();
  await run.read(FIRST, IN_FIRST);
  await run.read(SECOND, IN_SECOND.slice(1));
  expect(await run.confirm([...IN_FIRST, ...IN_SECOND.slice(1)])).toMatchObject({
    received: 0,
    missing: 1,
    vanished: 0,
  });
  expect(await listRows()).not.toContain('4 2026-11-10');
});

test('a period that only the second read misses stays', async () => {
  await storeBoth();
  const run = new SteppedRun();
  await run.read(FIRST, IN_FIRST.slice(1));
  await run.read(SECOND, IN_SECOND);
  expect(await run.confirm([...IN_FIRST.slice(1), ...IN_SECOND.slice(1)])).toMatchObject({ missing: 1 });
  expect(await listRows()).toEqual([
    '2 2026-11-03',
    '3 2026-11-03',
    ...IN_SECOND.map(({ periodId }) => `${periodId} 2026-11-10`),
  ]);
});

test('a period that one pass of v2 skipped stays', async () => {
  await storeBoth();
  const run = new SteppedRun();
  const whole = IN_FIRST.map((record) => ({
    ...record,
    periodId: record.periodIdV2 ?? '',
    span: { kind: 'work' as const, startsAt: '2026-11-03T09:00', endsAt: null },
  }));
  expect(await run.read(FIRST, whole.slice(0, 2), 'v2')).toMatchObject({ missing: 0, vanished: 1 });
  expect(await run.confirm(whole, 'v2')).toMatchObject({ inserted: 0, missing: 0, vanished: 0 });
  expect(await listRows()).toHaveLength(6);
});

test.each([
  { name: 'earlier', stored: SECOND, read: FIRST, was: '2026-11-09', is: '2026-11-08' },
  { name: 'later', stored: FIRST, read: SECOND, was: '2026-11-08', is: '2026-11-09' },
])('a period that v2 attributes to an $name chunk keeps its row', async ({ stored, read, was, is }) => {
  await new SteppedRun().read(stored, [period('7', was)]);
  const span = { kind: 'work' as const, startsAt: `${is}T22:00`, endsAt: null };
  const run = new SteppedRun();
  const fromV2 = period('v2-7', is, { periodIdV2: 'v2-7', span });
  expect(await run.read(read, [fromV2], 'v2')).toMatchObject({ inserted: 0, updated: 1 });
  expect(await listRows()).toEqual([`7 ${is}`]);
});

test('the rows of more people than fit into a request are confirmed in portions', async () => {
  const people = Array.from({ length: 60 }, (_, index) => String(100 + index));
  const periods = people.map((id) => period(id, '2026-11-03', { employeeId: id }));
  const rest = Array.from({ length: 600 }, (_, index) => period(`r${index}`, '2026-11-03'));
  await new SteppedRun().read(FIRST, [...periods, ...rest]);
  const run = new SteppedRun();
  expect(await run.read(FIRST, rest)).toMatchObject({ vanished: 60 });
  expect(await run.confirm([])).toMatchObject({ missing: 50, vanished: 10 });
  expect(run.people).toEqual(people.slice(0, 50));
  // The result was lost, so the commit is repeated: it confirms nothing that was not asked for.
  expect(await run.commit({ isConfirming: true })).toMatchObject({ missing: 0, vanished: 10 });
  expect(await run.confirm([])).toMatchObject({ missing: 10, vanished: 0 });
  expect(run.people).toEqual(people.slice(50));
  expect(await listRows()).toHaveLength(600);
});

test('a chunk that is committed twice notes what vanished once', async () => {
  await storeBoth();
  const run = new SteppedRun();
  await run.read(FIRST, IN_FIRST.slice(1));
  expect(await run.commit({ defersDeletions: true })).toMatchObject({ vanished: 1 });
});

test('a department that one pass of v2 skipped is not marked as missing', async () => {
  const departments = ['1', '2', '3'].map((id): DepartmentRecord => ({
    recordId: id,
    departmentId: id,
    name: id,
    parentId: null,
  }));
  const stage = async (run: SteppedRun, records: readonly DepartmentRecord[]): Promise<SteppedCollection> =>
    (await run.begin()).stage({ endpoint: 'departments', records });
  await (await stage(new SteppedRun('departments'), departments)).commit({ source: 'v2' });
  const run = new SteppedRun('departments');
  const first = await stage(run, departments.slice(1));
  expect(await first.commit({ source: 'v2', defersDeletions: true })).toMatchObject({ missing: 0, vanished: 1 });
  await run.beginConfirming();
  const second = await run.stage({ endpoint: 'departments', records: departments });
  expect(await second.commit({ source: 'v2', isConfirming: true })).toMatchObject({
    incomplete: null,
    missing: 0,
    vanished: 0,
  });
  expect(await database.query('select from personio.departments where missing_since is not null')).toHaveLength(0);
});

test('a vanished period that another run has moved out of the window stays', async () => {
  await storeBoth();
  const run = new SteppedRun();
  await run.read(FIRST, IN_FIRST.slice(1));
  await run.read(SECOND, IN_SECOND);
  const [moved] = IN_FIRST;
  await new SteppedRun().read({ from: '2026-10-01', to: '2026-10-01' }, [
    { ...period('x', '2026-10-01'), ...moved, date: '2026-10-01' },
  ]);
  expect(await run.confirm([...IN_FIRST.slice(1), ...IN_SECOND])).toMatchObject({ missing: 0, vanished: 0 });
  expect(await listRows()).toContain(`${moved?.periodId ?? ''} 2026-10-01`);
});
