import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { TASK_QUEUE, WORKFLOW_TYPE, toScheduleId, workflowId } from '../../src/contracts/internal/names.js';
import type { SyncInput, SyncResult } from '../../src/contracts/internal/sync.js';
import { runThroughSchedule } from '../../src/cli/runs/start-run.js';
import { addDays } from '../../src/domain/zones.js';
import { startFakePersonio } from '../../src/fake-personio/server.js';
import type { FakePersonio } from '../../src/fake-personio/server.js';
import type { Database } from '../../src/store/database.js';
import type { Installation } from '../../src/temporal/schedule-owner.js';
import { applySchedules } from '../../src/temporal/schedules.js';
import { createMigratedDatabase } from '../support/database.js';
import { exportHistory, runTemporalCommand } from '../support/history.js';
import { createPolicy } from '../support/policy.js';
import { startTestWorker, waitUntil } from '../support/worker.js';
import type { TestWorker } from '../support/worker.js';

/** Temporal's own commands, as operators type them, against our schedules and workflow types. */
const policy = createPolicy();
let database: Database;
let fake: FakePersonio;
let worker: TestWorker;
let installation: Installation;

beforeAll(async () => {
  database = await createMigratedDatabase();
  fake = await startFakePersonio({ employees: 12, seed: 11, foundedOn: '2026-11-20' });
  worker = await startTestWorker({ database, fake, policy });
  installation = { client: worker.temporal.client, installationId: 'this', connectionIds: ['default'] };
  await applySchedules(installation, policy.schedule);
});
afterAll(async () => {
  await worker.stop();
  await fake.close();
  await database.close();
});

type SyncWorkflow = (input: SyncInput) => Promise<SyncResult>;

test('`temporal workflow start` needs only the type and the task queue', async () => {
  const { namespace, client } = worker.temporal;
  const started = await runTemporalCommand(
    namespace,
    'workflow',
    'start',
    '--type',
    'syncEmployees',
    '--task-queue',
    'personio-sync',
    '-o',
    'json',
  );
  const { workflowId: id } = JSON.parse(started) as { workflowId: string };
  expect(await client.workflow.getHandle(id).result()).toMatchObject({ outcome: 'succeeded', received: 12 });
});

test('`temporal schedule backfill` reads exactly the days that it names again', async () => {
  const range = ['--start-time', '2026-11-01T00:00:00Z', '--end-time', '2026-11-06T00:00:00Z'];
  const id = toScheduleId('default', 'attendances');
  await runTemporalCommand(
    worker.temporal.namespace,
    'schedule',
    'backfill',
    '-s',
    id,
    '--overlap-policy',
    'BufferAll',
    ...range,
  );
  const listRuns = async (): Promise<readonly unknown[]> =>
    database.query(
      `select window_start, window_end
       from personio.sync_runs
       where endpoint = 'attendances' and outcome = 'succeeded'
       order by 1`,
    );
  await waitUntil(async () => (await listRuns()).length === 5, 60_000);
  const days = ['2026-11-01', '2026-11-02', '2026-11-03', '2026-11-04', '2026-11-05'];
  expect(await listRuns()).toEqual(days.map((day) => ({ window_start: day, window_end: day })));
  const [stored] = await database.query(
    'select min(date) as first, max(date) as last from personio.attendance_periods',
  );
  // The 1st was a Sunday.
  expect(stored).toEqual({ first: '2026-11-02', last: '2026-11-05' });
});

test('a run over a year continues as new, keeps histories short, and stays one run', async () => {
  const window = { from: '2025-11-10', to: '2026-11-13' };
  const handle = await worker.temporal.client.workflow.start<SyncWorkflow>(WORKFLOW_TYPE.attendances, {
    taskQueue: TASK_QUEUE.sync,
    workflowId: `${workflowId.sync('default', 'attendances')}-year`,
    args: [{ window }],
  });
  const expected = fake.attendances.listBetween(window.from, window.to).length;
  expect(await handle.result()).toMatchObject({ outcome: 'succeeded', received: expected });
  const [stored] = await database.query<{ rows: number }>('select count(*) as rows from personio.attendance_periods');
  expect(stored?.rows).toBe(expected);
  const { events } = await exportHistory(worker.temporal.namespace, handle.workflowId);
  expect(events.length).toBeLessThan(500);
  const first = worker.temporal.client.workflow.getHandle(handle.workflowId, handle.firstExecutionRunId);
  expect((await first.describe()).status.name).toBe('CONTINUED_AS_NEW');
  const [run] = await database.query('select outcome, received from personio.sync_runs where run_id = $1', [
    handle.firstExecutionRunId,
  ]);
  expect(run).toEqual({ outcome: 'succeeded', received: expected });
});

test('a sync that a person starts joins a run that reads all its days, and no other', async () => {
  const { client, namespace } = worker.temporal;
  const request = { connectionId: 'default', endpoint: 'attendances', policy, installation } as const;
  const readWindow = async ({ runId }: { readonly runId: string }): Promise<unknown> =>
    (await database.query('select window_start, window_end from personio.sync_runs where run_id = $1', [runId]))[0];
  let isHeld = true;
  fake.behaviour.fault = async ({ path }) => {
    if (path.includes('attendances')) await waitUntil(async () => Promise.resolve(!isHeld));
    return undefined;
  };
  const range = ['--start-time', '2026-11-01T00:00:00Z', '--end-time', '2026-11-03T00:00:00Z'];
  const id = toScheduleId('default', 'attendances');
  const listRunning = async (): Promise<number> =>
    (await client.schedule.getHandle(id).describe()).info.runningActions.length;
  await runTemporalCommand(namespace, 'schedule', 'backfill', '-s', id, '--overlap-policy', 'BufferAll', ...range);
  await waitUntil(async () => (await listRunning()) === 1);
  const beside = runThroughSchedule(request, () => undefined);
  await waitUntil(async () => {
    const rows = await database.query(
      `select from personio.sync_runs where endpoint = 'attendances' and outcome is null`,
    );
    return rows.length === 2;
  });
  isHeld = false;
  const today = new Date().toISOString().slice(0, 10);
  const all = { window_start: addDays(today, 1 - policy.reading.attendanceLookbackDays), window_end: today };
  const ended = await beside;
  expect(ended).toMatchObject({ outcome: 'succeeded', joined: false });
  expect(await readWindow(ended)).toEqual(all);
  await waitUntil(async () => (await listRunning()) === 0);
  isHeld = true;
  const first = runThroughSchedule(request, () => undefined);
  await waitUntil(async () => (await listRunning()) === 1);
  const second = runThroughSchedule(request, () => undefined);
  await waitUntil(async () => (await listRunning()) === 1);
  isHeld = false;
  const runs = await Promise.all([first, second]);
  expect(runs.map(({ joined }) => joined)).toEqual([false, true]);
  expect(await Promise.all(runs.map(readWindow))).toEqual([all, all]);
}, 120_000);
