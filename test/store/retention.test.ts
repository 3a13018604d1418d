import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Database } from '../../src/store/database.js';
import { applyRetention } from '../../src/store/retention.js';
import { insertRun } from '../../src/store/runs.js';
import { createStaging, dropLeftOvers } from '../../src/store/staging.js';
import { createMigratedDatabase } from '../support/database.js';
import { createPolicy } from '../support/policy.js';

const { retention } = createPolicy();

describe.each(['oldest', 'newest'] as const)('retention on the %s PostgreSQL', (which) => {
  let database: Database;
  beforeAll(async () => {
    database = await createMigratedDatabase(which);
    await database.run(
      `insert into personio.attendance_periods (connection_id, period_id, employee_id, date, changed_at)
       select 'default', days::text, '1', current_date - days, now()
       from generate_series(1, 3500) as days`,
    );
    const insertEvent = `
      insert into personio.lifecycle_events (
        event_id, kind, run_id, effective_date, effective_at, detected_at, state,
        connection_id, employee_id, class, time_zone, episode, changes, due_at, late, rule
      )`;
    await database.run(
      `${insertEvent}
       select
         'e' || days, 'mover.changed', 'run-' || days,
         current_date - days, now() - days * interval '1 day', now() - days * interval '1 day', 'due',
         'default', '1', 'mover', 'UTC', 1, '[]', now(), false, ''
       from generate_series(300, 500) as days`,
    );
    await database.run(
      `${insertEvent}
       values (
         'planned', 'leaver.left', 'r',
         current_date - 500, now() - interval '500 days', now() - interval '500 days', 'planned',
         'default', '1', 'leaver', 'UTC', 1, '[]', now(), false, ''
       )`,
    );
    await database.run(
      `insert into personio.deliveries (
         delivery_id, event_id, state,
         connection_id, employee_id, episode, subscriber, purpose, due_at, late
       )
       select
         'd' || days, 'e' || days, case days when 450 then 'overdue' else 'acknowledged' end,
         'default', '1', 1, 'it', 'event', now(), false
       from generate_series(300, 500) as days`,
    );
    await database.run(
      `insert into personio.sync_runs (run_id, connection_id, endpoint, outcome, started_at, finished_at)
       select
         'run-' || days, 'default', 'employees', 'succeeded',
         now() - days * interval '1 day', now() - days * interval '1 day'
       from generate_series(50, 500) as days`,
    );
    await database.run(
      `insert into personio.sync_runs (run_id, connection_id, endpoint, outcome, started_at, finished_at)
       values (
         'only', 'default', 'departments', 'succeeded',
         now() - interval '900 days', now() - interval '900 days'
       )`,
    );
    await database.run(
      `insert into personio.employees (
         employee_id, missing_since,
         connection_id, attributes, absent_attributes, episode, version, first_seen_at, changed_at
       )
       values
         ('long-gone', now() - interval '1101 days', 'default', '{}', '{}', 1, 1, now(), now()),
         ('gone', now() - interval '1000 days', 'default', '{}', '{}', 1, 1, now(), now())`,
    );
    await database.run(
      `insert into personio.employee_history (
         employee_id, missing_since,
         connection_id, attributes, absent_attributes, episode, version, first_seen_at, changed_at,
         valid_from, valid_to
       )
       select
         employee_id, missing_since,
         connection_id, attributes, absent_attributes, episode, version, first_seen_at, changed_at,
         now() - days * interval '1 day', now() - (days - 1) * interval '1 day'
       from personio.employees
       cross join generate_series(1000, 1200, 10) as days
       where employee_id = 'gone'`,
    );
  });
  afterAll(async () => database.close());

  const count = async (from: string): Promise<number> => (await database.query(`select from personio.${from}`)).length;

  test('deletes in batches what has outlived its retention, and nothing twice', async () => {
    let batches = 0;
    const deleted = await applyRetention(database, retention, () => (batches += 1));
    expect(deleted).toMatchObject({ attendances: 2_700, people: 1 });
    expect(batches).toBeGreaterThan(7);
    expect(await count(`attendance_periods where date < current_date - 800`)).toBe(0);
    expect(await count('attendance_periods')).toBe(800);
    expect(await database.query(`select employee_id from personio.employees`)).toEqual([{ employee_id: 'gone' }]);
    expect(await count(`employee_history where valid_to < now() - interval '1100 days'`)).toBe(0);
    expect(await applyRetention(database, retention)).toEqual({
      attendances: 0,
      proposals: 0,
      events: 0,
      history: 0,
      people: 0,
      runs: 0,
    });
  });

  test('keeps planned events, open deliveries, and the runs that events refer to', async () => {
    const old = await database.query(
      `select event_id
       from personio.lifecycle_events
       where detected_at < now() - interval '401 days'
       order by event_id`,
    );
    expect(old).toEqual([{ event_id: 'e450' }, { event_id: 'planned' }]);
    expect(await count(`deliveries where delivery_id = 'd450'`)).toBe(1);
    expect(await count(`sync_runs where run_id in ('run-450', 'run-350', 'only', 'run-60')`)).toBe(4);
    expect(await count(`sync_runs where run_id in ('run-480', 'run-100', 'run-200')`)).toBe(0);
  });

  test('drops the staging table of an ended run, and keeps that of an open one', async () => {
    const runs = ['ended', 'open'].map((runId) => ({ connectionId: 'default', endpoint: 'employees' as const, runId }));
    for (const run of runs) {
      await insertRun(database, run, new Date().toISOString(), null);
      await createStaging(database, run);
    }
    await database.run(
      `update personio.sync_runs set outcome = 'cancelled', finished_at = now() where run_id = 'ended'`,
    );
    await dropLeftOvers(database);
    expect(await database.query(`select tablename from pg_tables where schemaname = 'personio_staging'`)).toEqual([
      { tablename: 'employees_open' },
    ]);
  });

  test('refuses to delete events of the last 90 days', async () => {
    await expect(
      database.run(`select personio.forget_batch('events', now() - interval '89 days', 1000)`),
    ).rejects.toThrow(/Too young/);
  });
});
