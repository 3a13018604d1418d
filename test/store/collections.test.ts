import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { CommitOutcome, CommitRequest } from '../../src/contracts/internal/activities.js';
import type { AttendanceRecord, StagedRecords } from '../../src/domain/records.js';
import { commitSnapshot } from '../../src/store/collections/commit.js';
import type { Database } from '../../src/store/database.js';
import { closeRun, insertRun } from '../../src/store/runs.js';
import { beginStaging, stageRecords } from '../../src/store/staging.js';
import { createMigratedDatabase, countWrites } from '../support/database.js';
import { attendance as createAttendance } from '../support/staging.js';

let runs = 0;
const CHUNK = { from: '2026-11-02', to: '2026-11-08' };

async function commit(
  database: Database,
  page: StagedRecords,
  more: Partial<CommitRequest> = {},
): Promise<CommitOutcome> {
  runs += 1;
  const chunk = more.chunk ?? (page.endpoint === 'attendances' ? CHUNK : null);
  const run = { connectionId: 'default', endpoint: page.endpoint, runId: `collection-${runs}` };
  await insertRun(database, run, new Date().toISOString(), chunk);
  await beginStaging(database, run, { attempt: 1, chunk: chunk?.from ?? null });
  await stageRecords(database, run, { attempt: 1, chunk: chunk?.from ?? null }, page);
  const request = {
    ...run,
    source: 'v1' as const,
    chunk,
    attempt: 1,
    total: page.records.length,
    acceptShrunk: false,
    ...more,
  };
  const outcome = await commitSnapshot(database, request);
  const ending = outcome.shrunk
    ? { outcome: 'incomplete' as const, detail: { narrowed: [chunk] } }
    : { outcome: 'succeeded' as const, detail: {} };
  await closeRun(database, run, { ...ending, ...outcome, failureType: null, message: '', source: 'v1', requests: 1 });
  return outcome;
}

const UPDATED_AT = '2026-11-03T17:00:00.000Z';
const attendance = (id: number, more: Partial<AttendanceRecord> = {}): AttendanceRecord =>
  createAttendance(id, { updatedAt: UPDATED_AT, ...more });

const attendances = (records: readonly AttendanceRecord[]): StagedRecords => ({ endpoint: 'attendances', records });

describe.each(['oldest', 'newest'] as const)('committing collections on the %s PostgreSQL', (which) => {
  let database: Database;
  beforeAll(async () => {
    database = await createMigratedDatabase(which);
  });
  afterAll(async () => database.close());

  const ten = Array.from({ length: 10 }, (_, index) => attendance(index + 1));

  test('an unreadable value keeps what is stored; a new period without times is held', async () => {
    const chunk = { from: '2025-11-03', to: '2025-11-09' };
    const period = (id: number, more: Partial<AttendanceRecord> = {}): AttendanceRecord =>
      attendance(id, { date: '2025-11-04', ...more });
    const unreadable = (...attributes: readonly string[]): Partial<AttendanceRecord> => ({
      unreadable: { page: 3, attributes },
    });
    await commit(database, attendances([period(901), period(902)]), { chunk });
    const outcome = await commit(
      database,
      attendances([
        period(901, { startTime: null, endTime: '18:00', ...unreadable('start_time') }),
        period(902, { employeeId: null, date: null, ...unreadable('employee', 'date') }),
        period(903, { endTime: null, ...unreadable('end_time') }),
        period(904, { status: null, ...unreadable('status') }),
      ]),
      { chunk },
    );
    expect(outcome).toMatchObject({ received: 4, inserted: 1, updated: 1, missing: 0, held: 1, unreadable: 4 });
    const rows = await database.query(
      `select period_id, employee_id, start_time, end_time, status
       from personio.attendance_periods
       where date = '2025-11-04'
       order by period_id`,
    );
    expect(rows).toEqual([
      { period_id: '901', employee_id: '1', start_time: '09:00:00', end_time: '18:00:00', status: 'confirmed' },
      { period_id: '902', employee_id: '1', start_time: '09:00:00', end_time: '17:00:00', status: 'confirmed' },
      { period_id: '904', employee_id: '1', start_time: '09:00:00', end_time: '17:00:00', status: null },
    ]);
    const [run] = await database.query<{ held: number; detail: unknown }>(
      `select held, detail from personio.sync_runs where run_id = $1`,
      [`collection-${runs}`],
    );
    expect(run?.held).toBe(1);
    expect(run?.detail).toMatchObject({
      unreadableCount: 4,
      unreadable: [
        { id: '901', page: 3, attributes: ['start_time'] },
        { id: '902', page: 3, attributes: ['date', 'employee'] },
        { id: '903', page: 3, attributes: ['end_time'] },
        { id: '904', page: 3, attributes: ['status'] },
      ],
    });
    await database.run(`delete from personio.attendance_periods where date = '2025-11-04'`);
  });

  test('a chunk of attendances is inserted, and not written again while unchanged', async () => {
    expect(await commit(database, attendances(ten))).toMatchObject({ received: 10, inserted: 10, incomplete: null });
    const before = await countWrites(database, 'attendance_periods');
    expect(await commit(database, attendances(ten))).toMatchObject({
      inserted: 0,
      updated: 0,
      unchanged: 10,
      missing: 0,
    });
    expect(await countWrites(database, 'attendance_periods')).toBe(before);
  });

  test('changed periods are updated, deleted ones removed, other days left alone', async () => {
    await database.run(
      `insert into personio.attendance_periods (connection_id, period_id, employee_id, date, changed_at)
       values ('default', 'older', '1', '2026-10-01', now())`,
    );
    const nine = ten.slice(1).map((record, index) => (index === 0 ? { ...record, endTime: '18:00' } : record));
    expect(await commit(database, attendances(nine))).toMatchObject({
      received: 9,
      inserted: 0,
      updated: 1,
      unchanged: 8,
      missing: 1,
    });
    const rows = await database.query('select period_id from personio.attendance_periods where period_id in ($1, $2)', [
      '1',
      'older',
    ]);
    expect(rows).toEqual([{ period_id: 'older' }]);
  });

  test('a record of another day does not replace a missing one', async () => {
    const empty = { startTime: null, endTime: null, breakMinutes: null, status: null, isHoliday: null };
    const older = attendance(0, {
      periodId: 'older',
      date: '2026-10-01',
      ...empty,
      isOnTimeOff: null,
      updatedAt: null,
    });
    const nine = ten.slice(1).map((record, index) => (index === 0 ? { ...record, endTime: '18:00' } : record));
    expect(await commit(database, attendances([...nine.slice(0, -1), older]))).toMatchObject({
      received: 9,
      inserted: 0,
      updated: 0,
      missing: 1,
    });
    expect(await commit(database, attendances(nine))).toMatchObject({ inserted: 1, unchanged: 8, missing: 0 });
  });

  test('a shrunk chunk is left alone, and believed when the next run sees the same', async () => {
    const few = ten.slice(8);
    const first = await commit(database, attendances(few));
    expect(first).toMatchObject({ shrunk: true, seenBefore: false, storedRows: 9, deletedRows: 7 });
    expect(
      await database.query(
        `select 1 from personio.attendance_periods where date between '2026-11-02' and '2026-11-08'`,
      ),
    ).toHaveLength(9);
    expect(await commit(database, attendances(few))).toMatchObject({ shrunk: true, seenBefore: true });
    expect(await commit(database, attendances(few), { acceptShrunk: true })).toMatchObject({
      shrunk: false,
      missing: 7,
    });
  });

  test('a row survives a change of source, with breaks summed and v1-only values kept', async () => {
    const window = { chunk: { from: '2026-09-07', to: '2026-09-13' } };
    const day = { date: '2026-09-08', periodId: '70', periodIdV2: 'w-70', breakMinutes: 45 };
    const first = attendance(70, { ...day, isHoliday: true });
    expect(await commit(database, attendances([first]), window)).toMatchObject({ inserted: 1 });
    const span = (kind: 'work' | 'break', from: string, to: string): AttendanceRecord['span'] => ({
      kind,
      startsAt: `2026-09-08T${from}`,
      endsAt: `2026-09-08T${to}`,
    });
    const v2 = { date: '2026-09-08', breakMinutes: null, isHoliday: null, isOnTimeOff: null };
    const fromV2 = [
      attendance(0, { ...v2, periodId: 'w-70', periodIdV2: 'w-70', span: span('work', '09:00', '17:00') }),
      attendance(0, { ...v2, periodId: 'b-1', periodIdV2: 'b-1', span: span('break', '12:00', '12:30') }),
      attendance(0, { ...v2, periodId: 'b-2', periodIdV2: 'b-2', span: span('break', '16:45', '17:30') }),
      attendance(0, { ...v2, periodId: 'b-3', periodIdV2: 'b-3', span: span('break', '18:00', '18:30') }),
    ];
    const from = { ...window, source: 'v2' as const };
    expect(await commit(database, attendances(fromV2), from)).toMatchObject({ received: 1, unchanged: 1, missing: 0 });
    const row = 'select period_id, break_minutes, is_holiday from personio.attendance_periods where date = $1';
    expect(await database.query(row, ['2026-09-08'])).toEqual([
      { period_id: '70', break_minutes: 45, is_holiday: true },
    ]);
    expect(await commit(database, attendances(fromV2.slice(0, 2)), from)).toMatchObject({ updated: 1, inserted: 0 });
    expect(await database.query(row, ['2026-09-08'])).toMatchObject([{ period_id: '70', break_minutes: 30 }]);
    expect(await commit(database, attendances([first]), window)).toMatchObject({ updated: 1, inserted: 0, missing: 0 });
  });

  test('a break of v2 whose time cannot be read is left out and held', async () => {
    const window = { chunk: { from: '2026-09-14', to: '2026-09-20' }, source: 'v2' as const };
    const v2 = { date: '2026-09-15', breakMinutes: null, isHoliday: null, isOnTimeOff: null };
    const startsAt = '2026-09-15T12:00';
    const work = { kind: 'work' as const, startsAt: '2026-09-15T09:00', endsAt: '2026-09-15T17:00' };
    const flawed = {
      span: { kind: 'break' as const, startsAt, endsAt: null },
      unreadable: { page: 1, attributes: ['end'] },
    };
    const read = attendances([
      attendance(0, { ...v2, periodId: 'w-80', periodIdV2: 'w-80', span: work }),
      attendance(0, { ...v2, periodId: 'b-80', periodIdV2: 'b-80', ...flawed }),
    ]);
    expect(await commit(database, read, window)).toMatchObject({
      incomplete: null,
      inserted: 1,
      held: 1,
      unreadable: 1,
    });
  });

  test('two records of one id count once, so the read is incomplete', async () => {
    const doubled = [attendance(9), attendance(9), attendance(10)];
    expect(await commit(database, attendances(doubled), { total: 3 })).toMatchObject({
      incomplete: 'received 2 distinct records, but Personio reported 3',
    });
  });

  test('a duplicate does not replace a missing record', async () => {
    const chunk = { from: '2026-08-03', to: '2026-08-09' };
    const pair = [attendance(81, { date: '2026-08-03' }), attendance(82, { date: '2026-08-03' })] as const;
    expect(await commit(database, attendances(pair), { chunk })).toMatchObject({ inserted: 2 });
    expect(await commit(database, attendances([pair[0], pair[0]]), { chunk })).toMatchObject({
      incomplete: 'received 1 distinct record, but Personio reported 2',
      unchanged: 0,
    });
    expect(await commit(database, attendances([...pair, pair[0]]), { chunk, total: 2 })).toMatchObject({
      unchanged: 2,
    });
  });

  test('departments derived from employees count once, and missing ones are kept', async () => {
    const department = (
      recordId: string,
      departmentId: string | null,
      name: string | null,
    ): StagedRecords['records'][number] => ({ recordId, departmentId, name, parentId: null });
    const createPage = (records: readonly unknown[]): StagedRecords => ({
      endpoint: 'departments',
      records: records as never,
    });
    const all = [
      department('1', '401', 'IT'),
      department('2', '401', 'IT'),
      department('3', '402', 'Sales'),
      department('4', null, null),
      department('5', '403', 'Legal'),
    ];
    expect(await commit(database, createPage(all), { source: 'employees' })).toMatchObject({
      received: 3,
      inserted: 3,
    });
    const fewer = all.slice(0, 4);
    expect(await commit(database, createPage(fewer), { source: 'employees' })).toMatchObject({
      received: 2,
      unchanged: 2,
      missing: 1,
    });
    const rows = await database.query(
      'select department_id, source, missing_since is null as here from personio.departments order by 1',
    );
    expect(rows).toEqual([
      { department_id: '401', source: 'employees', here: true },
      { department_id: '402', source: 'employees', here: true },
      { department_id: '403', source: 'employees', here: false },
    ]);
    expect(await commit(database, createPage(all), { source: 'employees' })).toMatchObject({
      updated: 1,
      unchanged: 2,
    });
  });
});
