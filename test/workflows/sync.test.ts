import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { WorkflowFailedError } from '@temporalio/client';
import { ApplicationFailure, CancelledFailure } from '@temporalio/common';
import type { Endpoint } from '../../src/contracts/internal/names.js';
import { QUERY, TASK_QUEUE, WORKFLOW_TYPE, workflowId } from '../../src/contracts/internal/names.js';
import type {
  DayWindow,
  RefreshInput,
  SyncInput,
  SyncProgress,
  SyncResult,
} from '../../src/contracts/internal/sync.js';
import { addDays } from '../../src/domain/zones.js';
import { startFakePersonio } from '../../src/fake-personio/server.js';
import type { FaultRule } from '../../src/fake-personio/faults.js';
import type { FakePersonio, FakeResponse } from '../../src/fake-personio/server.js';
import type { Database } from '../../src/store/database.js';
import { findPageSize, learnPageSize } from '../../src/store/page-sizes.js';
import { createMigratedDatabase } from '../support/database.js';
import { exportHistory, toReadableHistory } from '../support/history.js';
import { createPolicy } from '../support/policy.js';
import { startTestWorker, waitUntil } from '../support/worker.js';
import type { TestWorker } from '../support/worker.js';

const PEOPLE = 1_237;
const TODAY = new Date().toISOString().slice(0, 10);

let database: Database;
let fake: FakePersonio;
let worker: TestWorker;
let started = 0;

beforeAll(async () => {
  database = await createMigratedDatabase();
  fake = await startFakePersonio({ employees: PEOPLE, seed: 7, foundedOn: TODAY });
  worker = await startTestWorker({ database, fake, policy: createPolicy() });
});
afterAll(async () => {
  await worker.stop();
  await fake.close();
  await database.close();
});
afterEach(() => {
  fake.faults.clear();
  Object.assign(fake.behaviour, { employeesPerPage: 100, largerPages: 'clamped', fault: null, readable: null });
});

async function start(
  endpoint: Endpoint,
  input?: SyncInput,
): Promise<ReturnType<typeof worker.temporal.client.workflow.start>> {
  started += 1;
  return worker.temporal.client.workflow.start(WORKFLOW_TYPE[endpoint], {
    taskQueue: TASK_QUEUE.sync,
    workflowId: `${workflowId.sync('default', endpoint)}-test-${started}`,
    args: input === undefined ? [] : [input],
  });
}

async function waitMs(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

async function readRun(runId: string): Promise<unknown> {
  const [run] = await database.query('select outcome, message from personio.sync_runs where run_id = $1', [runId]);
  return run;
}

async function sync(endpoint: Endpoint, input?: SyncInput): Promise<SyncResult> {
  return (await (await start(endpoint, input)).result()) as SyncResult;
}

async function catchFailure(endpoint: Endpoint, input?: SyncInput): Promise<ApplicationFailure> {
  const error: unknown = await sync(endpoint, input).catch((failure: unknown) => failure);
  expect(error).toBeInstanceOf(WorkflowFailedError);
  const { cause } = error as WorkflowFailedError;
  expect(cause).toBeInstanceOf(ApplicationFailure);
  return cause as ApplicationFailure;
}

const ATTENDANCES = '/v1/company/attendances';

interface ListBody {
  readonly data: readonly { readonly id: number; readonly attributes: object }[];
  readonly metadata: { readonly total_elements: number };
}

/** Moves a period to an earlier day once the chunks have been read: none of them has it, a later read does. */
function move(query: URLSearchParams, own: FakeResponse, id: number): FakeResponse {
  const body = own.body as ListBody;
  if (query.has('employees[]')) {
    const data = body.data.map((period) =>
      period.id === id ? { ...period, attributes: { ...period.attributes, date: '2026-07-07' } } : period,
    );
    return { ...own, body: { ...body, data } };
  }
  if (query.get('start_date') !== '2026-07-09') return own;
  const data = body.data.filter((period) => period.id !== id);
  return { ...own, body: { ...body, data, metadata: { total_elements: body.metadata.total_elements - 1 } } };
}

async function countRows(table: string): Promise<number> {
  const [row] = await database.query<{ count: number }>(`select count(*) as count from personio.${table}`);
  return row?.count ?? -1;
}

async function readSnapshot(): Promise<readonly unknown[]> {
  return database.query('select * from personio.employees order by employee_id');
}

describe('a sync through Temporal', () => {
  test('reads 1,237 employees completely from a server that halves the page size', async () => {
    const result = await sync('employees');
    expect(result).toMatchObject({ outcome: 'succeeded', source: 'v1', received: PEOPLE, inserted: PEOPLE });
    expect(await countRows('employees')).toBe(PEOPLE);
    const [learnt] = await database.query(
      `select page_size from personio.endpoint_profiles where endpoint = 'employees'`,
    );
    expect(learnt).toEqual({ page_size: 100 });
  });

  test('asks for smaller pages if the server refuses larger ones', async () => {
    await database.run('delete from personio.endpoint_profiles');
    Object.assign(fake.behaviour, { employeesPerPage: 50, largerPages: 'refused' });
    expect(await sync('employees')).toMatchObject({ outcome: 'succeeded', received: PEOPLE, unchanged: PEOPLE });
    await database.run('delete from personio.endpoint_profiles');
  });

  test('derives departments from employees if Personio lacks the endpoint', async () => {
    expect(await sync('departments')).toMatchObject({ outcome: 'succeeded', source: 'employees', received: 8 });
  });

  test('reads time-off types, which have no total', async () => {
    expect(await sync('time-off-types')).toMatchObject({ outcome: 'succeeded', source: 'v1', received: 5 });
  });

  test('reads exactly the days of a window', async () => {
    const window = { from: '2026-11-09', to: '2026-11-13' };
    const expected = fake.attendances.listBetween(window.from, window.to).length;
    expect(await sync('attendances', { window })).toMatchObject({
      outcome: 'succeeded',
      received: expected,
      inserted: expected,
    });
    const days = await database.query('select distinct date from personio.attendance_periods order by 1');
    expect(days.map((day) => day['date'] as string)).toEqual([
      '2026-11-09',
      '2026-11-10',
      '2026-11-11',
      '2026-11-12',
      '2026-11-13',
    ]);
  });

  test('removes attendances that HR deleted', async () => {
    const window = { from: '2026-11-09', to: '2026-11-13' };
    const [gone] = fake.attendances.listBetween(window.from, window.to);
    fake.attendances.deleted.add(gone?.id ?? 0);
    expect(await sync('attendances', { window })).toMatchObject({ missing: 1, inserted: 0, updated: 0 });
  });

  test('deletes what two reads miss, and finds a period that moved to an earlier chunk', async () => {
    // Chunks begin on Thursdays.
    const window = { from: '2026-07-06', to: '2026-07-10' };
    const { received } = await sync('attendances', { window });
    const [deleted, ...others] = fake.attendances.listBetween('2026-07-09', window.to);
    // The last one, whose absence shifts no page.
    const moved = others.at(-1);
    if (deleted === undefined || moved === undefined) throw new TypeError('No attendances.');
    fake.attendances.deleted.add(deleted.id);
    fake.faults.add({ path: ATTENDANCES, respond: (seen, own) => move(seen.query, own, moved.id) });
    expect(await sync('attendances', { window })).toMatchObject({ outcome: 'succeeded', missing: 1, updated: 1 });
    const days = await database.query('select date from personio.attendance_periods where period_id = $1', [
      String(moved.id),
    ]);
    expect(days).toEqual([{ date: '2026-07-07' }]);
    expect(await countRows(`attendance_periods where date between '${window.from}' and '${window.to}'`)).toBe(
      received - 1,
    );
  });

  test('reads a shrunk chunk again if another run committed its days meanwhile', async () => {
    const day = '2026-06-10';
    const window = { from: day, to: '2026-06-26' };
    const { received } = await sync('attendances', { window });
    const few: FaultRule['respond'] = (_seen, own) => {
      const body = own.body as ListBody;
      return { ...own, body: { ...body, data: body.data.slice(0, 9), metadata: { total_elements: 9 } } };
    };
    fake.faults.add({ path: ATTENDANCES, query: { start_date: day }, times: 1, respond: few });
    const commit = async (): Promise<unknown> =>
      database.run(
        `insert into personio.snapshot_commits
         values ('default', 'attendances', $1, $1, 'another', clock_timestamp())
         on conflict (connection_id, endpoint, window_start, window_end) do update
         set run_id = excluded.run_id,
           committed_at = excluded.committed_at`,
        [day],
      );
    let committed: Promise<unknown> | null = null;
    fake.faults.add({
      path: ATTENDANCES,
      query: { start_date: '2026-06-25' },
      respond: (_seen, own) => {
        committed ??= commit();
        return own;
      },
    });
    expect(await sync('attendances', { window })).toMatchObject({
      outcome: 'succeeded',
      received,
      unchanged: received,
      missing: 0,
    });
    expect(committed).not.toBeNull();
  });

  test('reads a chunk whose rows keep shifting day by day', async () => {
    const window = { from: '2026-05-11', to: '2026-05-13' };
    fake.faults.add({
      path: ATTENDANCES,
      query: { start_date: window.from, end_date: window.to },
      respond: (seen, own) => {
        const body = own.body as ListBody;
        return seen.query.get('offset') === '0' ? own : { ...own, body: { ...body, data: body.data.slice(1) } };
      },
    });
    const expected = fake.attendances.listBetween(window.from, window.to).length;
    expect(await sync('attendances', { window })).toMatchObject({ outcome: 'succeeded', inserted: expected });
  });

  test('asks for the full page size again a day after it learnt a smaller one', async () => {
    const profile = { connectionId: 'default', endpoint: 'attendances', source: 'v1' } as const;
    await learnPageSize(database, profile, 20);
    expect(await findPageSize(database, profile)).toBe(20);
    await database.run(`update personio.endpoint_profiles set changed_at = changed_at - interval '25 hours'`);
    expect(await findPageSize(database, profile)).toBeNull();
    await learnPageSize(database, profile, 20);
    expect(await findPageSize(database, profile)).toBe(20);
    await database.run('delete from personio.endpoint_profiles');
  });

  test('believes a read that lost most of its rows when the next run sees it again', async () => {
    const window = { from: addDays(TODAY, -20), to: addDays(TODAY, -18) };
    const { received } = await sync('attendances', { window });
    const countStored = async (): Promise<number> => {
      const [row] = await database.query<{ count: number }>(
        'select count(*) as count from personio.attendance_periods where date between $1 and $2',
        [window.from, window.to],
      );
      return row?.count ?? -1;
    };
    fake.behaviour.fault = ({ path }) =>
      path.endsWith('/attendances')
        ? { status: 200, body: { success: true, data: [], metadata: { total_elements: 0 } } }
        : undefined;
    expect(await catchFailure('attendances', { window })).toMatchObject({ type: 'SnapshotIncomplete' });
    expect(await countStored()).toBe(received);
    expect(await sync('attendances', { window })).toMatchObject({ outcome: 'succeeded', missing: received });
    expect(await countStored()).toBe(0);
  });

  test('reads the next days while those before are committed', async () => {
    // Chunks begin on Thursdays.
    const window = { from: '2026-10-05', to: '2026-10-18' };
    const isReadAhead = async (): Promise<boolean> =>
      Promise.resolve(fake.log.some(({ query }) => query.includes('start_date=2026-10-08')));
    const handle = await database.transaction(async (transaction) => {
      await transaction.run('select pg_advisory_xact_lock(hashtextextended($1, 0))', ['personio:default:attendances']);
      const begun = await start('attendances', { window });
      await waitUntil(isReadAhead);
      return begun;
    });
    const expected = fake.attendances.listBetween(window.from, window.to).length;
    expect(await handle.result()).toMatchObject({ outcome: 'succeeded', received: expected, inserted: expected });
  });

  test('keeps its history short and free of records, names, secrets and tokens', async () => {
    const handle = await start('employees');
    await handle.result();
    const childId = workflowId.lifecycle('default', handle.firstExecutionRunId);
    for (const id of [handle.workflowId, childId]) {
      const history = await exportHistory(worker.temporal.namespace, id);
      expect(history.events.length).toBeLessThan(100);
      const text = toReadableHistory(history);
      for (const marked of ['@example.org', 'Fischer', 'papi-', 'secret', 'DE00']) expect(text).not.toContain(marked);
    }
  });

  test('reports its progress while it runs', async () => {
    let release: () => void = () => undefined;
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    fake.behaviour.fault = async ({ path, query }) => {
      if (path === '/v1/company/employees' && query.get('offset') === '495') await held;
      return undefined;
    };
    const handle = await start('employees');
    await waitUntil(async () => (await handle.query<SyncProgress>(QUERY.progress)).phase.startsWith('Reading'));
    const progress = await handle.query<SyncProgress>(QUERY.progress);
    expect(progress).toMatchObject({ phase: 'Reading employees', waitingFor: null });
    release();
    await handle.result();
  });
});

describe('a run that Personio disturbs', () => {
  test('ends as SnapshotIncomplete if the total keeps changing', async () => {
    const before = await readSnapshot();
    fake.behaviour.fault = ({ path, query, number }) =>
      path === '/v1/company/employees' && query.get('offset') !== '0'
        ? { status: 200, body: { success: true, data: [], metadata: { total_elements: number } } }
        : undefined;
    const failure = await catchFailure('employees');
    expect(failure).toMatchObject({ type: 'SnapshotIncomplete' });
    expect(failure.message).toMatch(/read 3 times and never added up/);
    expect(await readSnapshot()).toEqual(before);
    const [run] = await database.query(
      'select outcome, failure_type from personio.sync_runs order by started_at desc limit 1',
    );
    expect(run).toEqual({ outcome: 'incomplete', failure_type: 'SnapshotIncomplete' });
  });

  test('commits nothing of the days read ahead of a chunk that fails', async () => {
    const [from, next] = ['2026-09-07', '2026-09-10'];
    const twice = { id: 1, attributes: { employee: 1, date: from, start_time: '09:00', end_time: '17:00' } };
    fake.behaviour.fault = ({ query }) =>
      query.get('start_date') === from
        ? { status: 200, body: { success: true, data: [twice, twice], metadata: { total_elements: 2 } } }
        : undefined;
    const failure = await catchFailure('attendances', { window: { from, to: '2026-09-20' } });
    expect(failure).toMatchObject({ type: 'SnapshotIncomplete' });
    expect(fake.log.some(({ query }) => query.includes(`start_date=${next}`))).toBe(true);
    expect(await countRows(`attendance_periods where date >= '${from}' and date <= '2026-09-20'`)).toBe(0);
  });

  test.each<{ name: string; window: object }>([
    { name: 'reversed', window: { from: '2026-11-08', to: '2026-11-01' } },
    { name: 'without its last day', window: { from: '2026-11-01' } },
    { name: 'of all years', window: { from: '0001-01-01', to: '9999-12-31' } },
  ])('ends as InvalidRequest for a window $name', async ({ window }) => {
    const failure = await catchFailure('attendances', { window: window as DayWindow });
    expect(failure.type).toBe('InvalidRequest');
    const [run] = await database.query(
      'select outcome, failure_type, received from personio.sync_runs order by started_at desc limit 1',
    );
    expect(run).toEqual({ outcome: 'failed', failure_type: 'InvalidRequest', received: 0 });
  });

  test('ends as PersonioMalformedAnswer if a page is malformed', async () => {
    const before = await readSnapshot();
    fake.behaviour.fault = ({ path }) =>
      path === '/v1/company/employees' ? { status: 200, body: { success: true, data: 'Ada Fischer' } } : undefined;
    const failure = await catchFailure('employees');
    expect(failure.type).toBe('PersonioMalformedAnswer');
    expect(failure.message).not.toContain('Fischer');
    expect(await readSnapshot()).toEqual(before);
  });

  test('ends as PersonioCredentialsRejected after one token exchange', async () => {
    fake.expireTokens();
    let exchanges = 0;
    fake.behaviour.fault = ({ path }) => {
      if (path !== '/v1/auth') return undefined;
      exchanges += 1;
      return { status: 403, body: { success: false, error: { code: 0, message: 'Wrong credentials' } } };
    };
    await database.run('update personio.connection_state set sealed_token = null');
    const failure = await catchFailure('employees');
    expect(failure.type).toBe('PersonioCredentialsRejected');
    expect(failure.message).toMatch(/Settings > Integrations > API credentials/);
    expect(exchanges).toBe(1);
  });

  test('waits for a server that fails for a while', async () => {
    let failures = 2;
    fake.behaviour.fault = ({ path }) => {
      if (path !== '/v1/company/employees' || failures === 0) return undefined;
      failures -= 1;
      return { status: 504, body: 'Gateway Time-out' };
    };
    expect(await sync('employees')).toMatchObject({ outcome: 'succeeded', received: PEOPLE });
  });

  test('changes nothing more after it is cancelled', async () => {
    const before = await readSnapshot();
    fake.behaviour.fault = async ({ path }) => {
      if (path === '/v1/company/employees') await new Promise((resolve) => setTimeout(resolve, 300));
      return undefined;
    };
    const handle = await start('employees');
    await waitUntil(async () => (await handle.query<SyncProgress>(QUERY.progress)).phase.startsWith('Reading'));
    await handle.cancel();
    const error: unknown = await handle.result().catch((failure: unknown) => failure);
    expect((error as WorkflowFailedError).cause).toBeInstanceOf(CancelledFailure);
    const [run] = await database.query('select outcome from personio.sync_runs where run_id = $1', [
      handle.firstExecutionRunId,
    ]);
    expect(run).toEqual({ outcome: 'cancelled' });
    expect(await readSnapshot()).toEqual(before);
  });

  test('is closed by the next run of any endpoint after it was terminated, and its staging is dropped', async () => {
    fake.behaviour.fault = async ({ path, query }) => {
      if (path === '/v1/company/employees' && query.get('offset') !== '0') await waitMs(300);
      return undefined;
    };
    const handle = await start('employees');
    const runId = handle.firstExecutionRunId;
    const table = `personio_staging."employees_${runId}"`;
    await waitUntil(async () => {
      const [staged] = await database.query<{ name: string | null }>('select to_regclass($1) as name', [table]);
      return staged?.name !== null && (await database.query(`select from ${table} limit 1`)).length > 0;
    });
    await handle.terminate('by the test');
    expect(await readRun(runId)).toMatchObject({ outcome: null });
    await waitUntil(async () => {
      await sync('departments');
      const [staged] = await database.query('select from pg_tables where tablename = $1', [`employees_${runId}`]);
      return staged === undefined;
    });
    expect(await readRun(runId)).toMatchObject({
      outcome: 'cancelled',
      message: 'The workflow of this run was terminated. Nothing more was changed.',
    });
  });
});

type RefreshWorkflow = (input: RefreshInput) => Promise<SyncResult>;

describe('a refresh of one employee', () => {
  const refresh = async (employeeId: string): Promise<SyncResult> =>
    worker.temporal.client.workflow.execute<RefreshWorkflow>(WORKFLOW_TYPE.refreshEmployee, {
      taskQueue: TASK_QUEUE.sync,
      workflowId: workflowId.refresh('default', employeeId),
      args: [{ employeeId }],
    });

  test('commits the changes of that employee alone', async () => {
    const [person] = fake.company.employees;
    Object.assign(person ?? {}, { position: 'Chief of Everything' });
    const result = await refresh(String(person?.id));
    expect(result).toMatchObject({ outcome: 'succeeded', received: 1, updated: 1, missing: 0 });
    const rows = await database.query('select position from personio.employees where employee_id = $1', [
      String(person?.id),
    ]);
    expect(rows).toEqual([{ position: 'Chief of Everything' }]);
  });

  test('deletes nobody on a 404', async () => {
    expect(await refresh('999999')).toMatchObject({ outcome: 'succeeded', received: 0, missing: 0 });
    expect(await countRows('employees where missing_since is not null')).toBe(0);
  });
});
