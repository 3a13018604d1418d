import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { AttendanceRecord, EmployeeRecord } from '../../src/domain/records.js';
import type { Database } from '../../src/store/database.js';
import { erasePerson } from '../../src/store/employees/erasure.js';
import { createMigratedDatabase } from '../support/database.js';
import { ExplainingDatabase } from '../support/plans.js';
import { createPolicy, createSubscriber } from '../support/policy.js';
import { attendance, commitCompany, employee } from '../support/staging.js';
import { SteppedCollection } from '../support/stepped-collection.js';

const PEOPLE = 200;
const ATTENDANCES_A_DAY = 100;
const DAYS = 730;
const ATTENDANCES = ATTENDANCES_A_DAY * DAYS;
const PAST_ROWS = 10_000;
const FIRST_DAY = '2024-11-01';
const WEEK = { from: '2026-06-01', to: '2026-06-07' };
/** Rows of two years that a statement may read: a week, and the rows that moved in or out. */
const MOST_ROWS = ATTENDANCES_A_DAY * 7 * 2;
const DAY_MS = 86_400_000;
const getDayIn = (days: number): string => new Date(Date.now() + days * DAY_MS).toISOString().slice(0, 10);
const policy = { ...createPolicy(), subscribers: [createSubscriber({ events: ['mover.changed', 'leaver.left'] })] };
const COMPANY = Array.from({ length: PEOPLE }, (_, id) =>
  employee(id, { terminationDate: id < 20 ? getDayIn(30 + id) : null }),
);

let stored: Database;
let explaining: ExplainingDatabase;

beforeAll(async () => {
  stored = await createMigratedDatabase();
  await commitCompany(stored, policy, COMPANY);
  await loadAttendances();
  await loadPast();
  await stored.run('analyze');
  explaining = new ExplainingDatabase(stored);
}, 120_000);
afterAll(async () => {
  await explaining.close();
  await stored.close();
});

async function loadAttendances(): Promise<void> {
  await stored.run(
    `insert into personio.attendance_periods (
       connection_id, period_id, period_id_v2, employee_id, date, start_time, end_time, status, changed_at
     )
     select
       'default',
       number::text,
       'v2-' || number,
       (number % $1)::text,
       $2::date + number / $3,
       '09:00',
       '17:00',
       'confirmed',
       now()
     from generate_series(0, $4::integer - 1) as number`,
    [PEOPLE, FIRST_DAY, ATTENDANCES_A_DAY, ATTENDANCES],
  );
}

/** Loads what years leave behind: history, events and their deliveries, runs, their proposals, and decisions. */
async function loadPast(): Promise<void> {
  await stored.run(
    `insert into personio.employee_history
     select (jsonb_populate_record(history, jsonb_build_object(
       'valid_from', now() - (number + 1) * interval '1 day',
       'valid_to', now() - number * interval '1 day'
     ))).*
     from personio.employee_history as history
     cross join generate_series(1, 50) as number`,
  );
  await stored.run(
    `insert into personio.sync_runs (run_id, connection_id, endpoint, outcome, started_at, finished_at)
     select
       'past-' || number,
       'default',
       (array['employees', 'attendances', 'departments', 'time-off-types'])[1 + number % 4],
       'succeeded',
       now() - number * interval '1 hour',
       now() - number * interval '1 hour'
     from generate_series(1, $1::integer) as number`,
    [PAST_ROWS],
  );
  await stored.run(
    `insert into personio.lifecycle_events
     select (jsonb_populate_record(events, jsonb_build_object(
       'event_id', 'past-' || number,
       'employee_id', (number % $2)::text,
       'run_id', 'past-' || number,
       'kind', 'mover.changed',
       'class', 'mover',
       'state', 'due'
     ))).*
     from personio.lifecycle_events as events
     cross join generate_series(1, $1::integer) as number
     where events.event_id = (select min(event_id) from personio.lifecycle_events)`,
    [PAST_ROWS, PEOPLE],
  );
  await stored.run(
    `insert into personio.deliveries (
       delivery_id, event_id, connection_id, employee_id, episode, subscriber, purpose, state, due_at, late
     )
     select event_id, event_id, connection_id, employee_id, 1, 'target', 'event', 'acknowledged', due_at, false
     from personio.lifecycle_events
     where state = 'due'`,
  );
  await stored.run(
    `insert into personio.lifecycle_proposals (
       run_id, event_id, connection_id, employee_id, class, kind, effective_date, effective_at, time_zone, detected_at,
       episode, changes, state, late, rule, decision
     )
     select
       run_id, event_id, connection_id, employee_id, class, kind, effective_date, effective_at, time_zone, detected_at,
       episode, changes, state, late, rule, 'replaced'
     from personio.lifecycle_events
     where state = 'due'`,
  );
  await stored.transaction(async (transaction) => {
    // Each row would update the head of the chain.
    await transaction.run('set local session_replication_role = replica');
    await transaction.run(
      `insert into personio.decisions (at, actor, what, subject, reason, hash)
       select now(), 'Ada', 'approve', 'run', 'right', number
       from generate_series(1, $1::integer) as number`,
      [PAST_ROWS],
    );
  });
}

/** Expects that the statements read tables that grow with time through an index, and few rows of them. */
function expectNoScan(): void {
  const accesses = explaining.takeAccesses();
  expect(accesses.length).toBeGreaterThan(3);
  expect(accesses.filter(({ node, rows }) => node === 'Seq Scan' || rows > MOST_ROWS)).toEqual([]);
}

/** Returns what is stored for some days, as a read of v1. */
async function readStored({ from, to }: typeof WEEK): Promise<readonly AttendanceRecord[]> {
  const rows = await stored.query<{ id: string; v2: string; person: string; date: string }>(
    `select period_id as id, period_id_v2 as v2, employee_id as person, date
     from personio.attendance_periods
     where date between $1 and $2
     order by period_id`,
    [from, to],
  );
  return rows.map(({ id, v2, person, date }) =>
    attendance(id, {
      periodIdV2: v2,
      employeeId: person,
      date,
      breakMinutes: null,
      isHoliday: null,
      isOnTimeOff: null,
    }),
  );
}

/** Returns a week of which periods are gone, have come, have changed, and have moved here from another year. */
function change(week: readonly AttendanceRecord[]): readonly AttendanceRecord[] {
  const [first] = week;
  if (first === undefined) throw new RangeError('The week is empty.');
  return [
    { ...first, periodId: 'new', periodIdV2: 'v2-new' },
    { ...first, periodId: '5', periodIdV2: 'v2-5' },
    ...week.slice(2).map((record, index) => ({ ...record, project: index % 3 === 0 ? '9' : null })),
  ];
}

/** Returns the records as v2 has them, which knows only its own ids. */
const toV2 = (week: readonly AttendanceRecord[]): readonly AttendanceRecord[] =>
  week.map((record) => ({
    ...record,
    periodId: record.periodIdV2 ?? '',
    span: { kind: 'work', startsAt: `${record.date ?? ''}T09:00`, endsAt: `${record.date ?? ''}T17:00` },
  }));

test.each(['v1', 'v2'] as const)('the commit of a changed week by %s reads that week alone', async (source) => {
  const days = source === 'v1' ? WEEK : { from: '2026-06-08', to: '2026-06-14' };
  const week = change(await readStored(days));
  const run = new SteppedCollection(explaining.database, 'attendances');
  await (await run.begin(days)).stage({ endpoint: 'attendances', records: source === 'v1' ? week : toV2(week) });
  explaining.takeAccesses();
  const outcome = await run.commit({ source, defersDeletions: true });
  expect(outcome).toMatchObject({ incomplete: null, inserted: source === 'v1' ? 1 : 0, vanished: 2 });
  expectNoScan();
  const years = { from: FIRST_DAY, to: '2026-10-30' };
  await run.beginConfirming(years);
  await run.stage({ endpoint: 'attendances', records: week.slice(0, 1) });
  explaining.takeAccesses();
  expect(await run.commit({ isConfirming: true })).toMatchObject({ incomplete: null, missing: 2 });
  expectNoScan();
});

test('the commit of an unchanged week reads that week alone', async () => {
  const days = { from: '2026-07-06', to: '2026-07-12' };
  const week = await readStored(days);
  const run = new SteppedCollection(explaining.database, 'attendances');
  await (await run.begin(days)).stage({ endpoint: 'attendances', records: week });
  explaining.takeAccesses();
  expect(await run.commit()).toMatchObject({ incomplete: null, unchanged: week.length });
  expectNoScan();
});

/** Returns the company with somebody of each kind of change. Number 9 is missing. */
function changeCompany(): readonly EmployeeRecord[] {
  const changes: Readonly<Record<string, Partial<EmployeeRecord>>> = {
    '1': { terminationDate: null },
    '2': { terminationDate: getDayIn(50) },
    '30': { terminationDate: getDayIn(60) },
    '31': { status: 'inactive', terminationDate: getDayIn(-1) },
    '32': { department: 'Sales', departmentId: '402' },
    '33': { lastName: 'Lovelace' },
  };
  const rest = COMPANY.filter(({ employeeId }) => employeeId !== '9');
  const joiner = employee(900, { hireDate: getDayIn(5), status: 'onboarding', email: 'p31@example.org' });
  return [...rest.map((record) => ({ ...record, ...changes[record.employeeId] })), joiner];
}

test('the commit of all employees reads through indexes', async () => {
  expect(await commitCompany(explaining.database, policy, changeCompany())).toMatchObject({ incomplete: null });
  expectNoScan();
});

test('a braked commit and the one that replaces its questions read through indexes', async () => {
  const braked = changeCompany().map((record, index) => ({
    ...record,
    ...(index > 100 ? { status: 'inactive' } : {}),
  }));
  for (const company of [braked, braked, changeCompany()]) await commitCompany(explaining.database, policy, company);
  expectNoScan();
});

test('the commit of one employee reads through indexes', async () => {
  const one = employee(40, { department: 'Sales', departmentId: '402' });
  await commitCompany(explaining.database, policy, [one], { onlyEmployeeId: '40' });
  expectNoScan();
});

test('erasing a person reads the rows of that person alone', async () => {
  await commitCompany(explaining.database, policy, changeCompany());
  explaining.takeAccesses();
  const erasure = await erasePerson(
    explaining.database,
    { connectionId: 'default', employeeId: '31' },
    { actor: 'Ada', reason: 'asked' },
  );
  expect(erasure).toMatchObject({ employees: 1 });
  expectNoScan();
});
