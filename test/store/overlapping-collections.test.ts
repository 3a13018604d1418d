import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { AttendanceRecord, DepartmentRecord, StagedRecords, TimeOffTypeRecord } from '../../src/domain/records.js';
import type { Database } from '../../src/store/database.js';
import { createMigratedDatabase } from '../support/database.js';
import { attendance } from '../support/staging.js';
import { SteppedCollection } from '../support/stepped-collection.js';

const CHUNK = { from: '2026-11-02', to: '2026-11-08' };
const OVERLAPPING = { from: '2026-11-05', to: '2026-11-08' };
const NEXT = { from: '2026-11-09', to: '2026-11-15' };

let database: Database;
beforeEach(async () => {
  database = await createMigratedDatabase();
});
afterEach(async () => database.close());

function period(id: number, endTime = '17:00', date = '2026-11-06'): AttendanceRecord {
  return attendance(id, { endTime, date });
}

const attendances = (records: readonly AttendanceRecord[]): StagedRecords => ({ endpoint: 'attendances', records });
const start = (endpoint: 'attendances' | 'departments' | 'time-off-types' = 'attendances'): SteppedCollection =>
  new SteppedCollection(database, endpoint);

async function listPeriods(): Promise<readonly string[]> {
  const rows = await database.query<{ period: string }>(
    `select period_id || ' ' || end_time as period
     from personio.attendance_periods
     order by period_id`,
  );
  return rows.map(({ period }) => period);
}

const OLD = [period(1), period(2), period(3)];
/** The first was deleted, the second edited, and the fourth is new. */
const NEW = [period(2, '18:00'), period(3), period(4)];
const STORED = ['2 18:00:00', '3 17:00:00', '4 17:00:00'];

describe('a chunk that another run committed during the read', () => {
  beforeEach(async () => {
    const first = await start().begin(CHUNK);
    await (await first.stage(attendances(OLD))).commit();
  });

  test('is read again: a deletion, an edit and a new row stay', async () => {
    const old = await (await start().begin(CHUNK)).stage(attendances(OLD));
    const other = await (await start().begin(CHUNK)).stage(attendances(NEW));
    expect(await other.commit()).toMatchObject({ incomplete: null, inserted: 1, updated: 1, missing: 1 });
    expect(await old.commit()).toMatchObject({ incomplete: 'another run committed these days during the read' });
    expect(await listPeriods()).toEqual(STORED);
    await (await old.begin(CHUNK)).stage(attendances(NEW));
    expect(await old.commit()).toMatchObject({ incomplete: null, unchanged: 3 });
    expect(await listPeriods()).toEqual(STORED);
  });

  test('is read again when the other run changed nothing', async () => {
    const early = await (await start().begin(CHUNK)).stage(attendances(NEW));
    const other = await (await start().begin(CHUNK)).stage(attendances(OLD));
    expect(await other.commit()).toMatchObject({ incomplete: null, unchanged: 3 });
    expect((await early.commit()).incomplete).toMatch(/another run/);
  });

  test('is read again when only some of its days overlap', async () => {
    const old = await (await start().begin(CHUNK)).stage(attendances(OLD));
    const other = await (await start().begin(OVERLAPPING)).stage(attendances(NEW));
    expect((await other.commit()).incomplete).toBeNull();
    expect((await old.commit()).incomplete).toMatch(/another run/);
  });

  test('is committed when the days do not overlap', async () => {
    const run = await (await start().begin(CHUNK)).stage(attendances(NEW));
    const other = await (await start().begin(NEXT)).stage(attendances([period(9, '17:00', '2026-11-10')]));
    await other.commit();
    expect((await run.commit()).incomplete).toBeNull();
  });

  test('is committed when the other run only refused to delete most of it', async () => {
    const run = await (await start().begin(CHUNK)).stage(attendances(NEW));
    const other = await (await start().begin(CHUNK)).stage(attendances([]));
    expect(await other.commit()).toMatchObject({ shrunk: true });
    expect((await run.commit()).incomplete).toBeNull();
  });

  test('is committed when it was the same run, which reads ahead', async () => {
    const run = await (await start().begin(CHUNK)).stage(attendances(NEW));
    expect((await run.commit()).incomplete).toBeNull();
    expect((await run.commit()).incomplete).toBeNull();
  });

  test('leaves one row for each window, for thirty days', async () => {
    for (let count = 0; count < 3; count += 1)
      await (await (await start().begin(CHUNK)).stage(attendances(OLD))).commit();
    const count = 'select from personio.snapshot_commits';
    expect(await database.query(count)).toHaveLength(1);
    await database.run(`update personio.snapshot_commits set committed_at = committed_at - interval '31 days'`);
    await (await (await start().begin(NEXT)).stage(attendances([]))).commit();
    expect(await database.query(count)).toHaveLength(1);
  });

  test('is read again when it began before the commits that are remembered', async () => {
    const run = await (await start().begin(CHUNK)).stage(attendances(NEW));
    await database.run(`update personio.read_starts set started_at = started_at - interval '31 days'`);
    expect((await run.commit()).incomplete).toMatch(/began more than 30 days ago/);
  });
});

const department = (id: string, name: string): DepartmentRecord => ({
  recordId: id,
  departmentId: id,
  name,
  parentId: null,
});
const timeOffType = (id: string, name: string): TimeOffTypeRecord => ({
  timeOffTypeId: id,
  name,
  category: 'paid',
  unit: 'day',
  approvalRequired: true,
});
const toPages = (names: readonly [string, string][]): Readonly<Record<string, StagedRecords>> => ({
  departments: { endpoint: 'departments', records: names.map(([id, name]) => department(id, name)) },
  'time-off-types': { endpoint: 'time-off-types', records: names.map(([id, name]) => timeOffType(id, name)) },
});

test.each(['departments', 'time-off-types'] as const)('%s that another run committed are read again', async (what) => {
  const old = toPages([
    ['1', 'First'],
    ['2', 'Second'],
    ['3', 'Third'],
  ])[what];
  const renamed = toPages([
    ['1', 'Renamed'],
    ['2', 'Second'],
    ['4', 'New'],
  ])[what];
  if (old === undefined || renamed === undefined) throw new TypeError('No page.');
  await (await (await start(what).begin()).stage(old)).commit();
  const older = await (await start(what).begin()).stage(old);
  const other = await (await start(what).begin()).stage(renamed);
  expect(await other.commit()).toMatchObject({ incomplete: null, inserted: 1, updated: 1, missing: 1 });
  expect((await older.commit()).incomplete).toBe(`another run committed the ${what} during the read`);
  await (await older.begin()).stage(renamed);
  expect(await older.commit()).toMatchObject({ incomplete: null, unchanged: 3, missing: 0 });
});
