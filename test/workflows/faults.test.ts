import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import type { WorkflowFailedError } from '@temporalio/client';
import type { ApplicationFailure } from '@temporalio/common';
import type { Endpoint } from '../../src/contracts/internal/names.js';
import { ENDPOINTS, TASK_QUEUE, WORKFLOW_TYPE, workflowId } from '../../src/contracts/internal/names.js';
import type { SyncResult } from '../../src/contracts/internal/sync.js';
import { startFakePersonio } from '../../src/fake-personio/server.js';
import type { FakePersonio } from '../../src/fake-personio/server.js';
import type { Database } from '../../src/store/database.js';
import { createMigratedDatabase } from '../support/database.js';
import { FAULTS, WINDOW } from '../support/faults-table.js';
import type { FaultCase } from '../support/faults-table.js';
import { createPolicy } from '../support/policy.js';
import { startTestWorker } from '../support/worker.js';
import type { TestWorker } from '../support/worker.js';

const TODAY = new Date().toISOString().slice(0, 10);
const TIMEOUTS = { connectMs: 500, firstByteMs: 700, totalMs: 1_500 };

let database: Database;
let fake: FakePersonio;
let worker: TestWorker;
let runs = 0;
const outcomes: string[][] = [];

beforeAll(async () => {
  database = await createMigratedDatabase();
  fake = await startFakePersonio({ employees: 320, seed: 21, foundedOn: TODAY });
  worker = await startTestWorker({ database, fake, policy: createPolicy(), timeouts: TIMEOUTS });
  for (const endpoint of ENDPOINTS) expect((await sync(endpoint)).outcome).toBe('succeeded');
}, 120_000);
afterAll(async () => {
  await worker.stop();
  await fake.close();
  await database.close();
  if ('printFaults' in globalThis) process.stdout.write(`\n${formatTable(outcomes)}\n`);
});
const PLEASANT = { employeesPerPage: 100, attendancesPerPage: 200, largerPages: 'clamped', fault: null };
afterEach(async () => {
  Object.assign(fake.behaviour, { ...PLEASANT, hasAttendances: true, hasOrgUnits: false, v2Scopes: null });
  fake.behaviour.forbidden = new Set();
  fake.faults.clear();
  // What one fault taught must not help with the next, and no pause may outlast its fault.
  await database.run('delete from personio.endpoint_profiles');
  await database.run('update personio.request_windows set paused_until = null');
});

async function start(endpoint: Endpoint): Promise<ReturnType<typeof worker.temporal.client.workflow.start>> {
  runs += 1;
  return worker.temporal.client.workflow.start(WORKFLOW_TYPE[endpoint], {
    taskQueue: TASK_QUEUE.sync,
    workflowId: `${workflowId.sync('default', endpoint)}-fault-${runs}`,
    args: endpoint === 'attendances' ? [{ window: WINDOW }] : [],
  });
}

async function sync(endpoint: Endpoint): Promise<SyncResult> {
  return (await (await start(endpoint)).result()) as SyncResult;
}

const STORED: Readonly<Record<Endpoint, string>> = {
  employees: `
    select employee_id as id, position as value
    from personio.employees
    where missing_since is null
    order by 1`,
  departments: `
    select department_id as id, name as value
    from personio.departments
    where missing_since is null
    order by 1`,
  attendances: `
    select period_id as id, concat_ws(' ', employee_id, date, start_time, end_time, break_minutes) as value
    from personio.attendance_periods
    order by 1`,
  'time-off-types': `
    select time_off_type_id as id, null as value
    from personio.time_off_types
    where missing_since is null
    order by 1`,
};

/** Reads the stored rows as readers see them. */
async function readStored(endpoint: Endpoint): Promise<readonly unknown[]> {
  return database.query(STORED[endpoint]);
}

/** Lists the rows that the company has. */
function listCompanyRows(endpoint: Endpoint): readonly unknown[] {
  const toRow = (id: number, value: string | null): object => ({ id: String(id), value });
  const sortById = (rows: readonly object[]): readonly unknown[] =>
    [...rows].sort((one, two) => (JSON.stringify(one) < JSON.stringify(two) ? -1 : 1));
  switch (endpoint) {
    case 'employees':
      return sortById(fake.company.employees.map(({ id, position }) => toRow(id, position)));
    case 'departments':
      return sortById(fake.company.departments.map(({ id, name }) => toRow(id, name)));
    case 'attendances':
      return sortById(
        fake.attendances
          .listBetween(WINDOW.from, WINDOW.to)
          .map(({ id, employee, date, start, end, break: minutes }) =>
            toRow(id, `${employee} ${date} ${start}:00 ${end}:00 ${minutes}`),
          ),
      );
    case 'time-off-types':
      return sortById([901, 902, 903, 904, 905].map((id) => toRow(id, null)));
  }
}

/** Changes the company, so that unchanged tables differ from complete ones. */
function change(endpoint: Endpoint): void {
  const { employees } = fake.company;
  const person = employees[10 + (runs % 100)];
  if (endpoint === 'employees') Object.assign(person ?? {}, { position: `Position ${runs}` });
  const [gone] = fake.attendances.listBetween(WINDOW.from, WINDOW.to);
  if (endpoint === 'attendances') fake.attendances.deleted.add(gone?.id ?? 0);
}

describe('a fault of Personio', () => {
  test.each(FAULTS)('$fault', async (fault) => {
    const { endpoint = 'employees', outcome, arrange, source, atMost, says } = fault;
    const before = await readStored(endpoint);
    change(endpoint);
    arrange(fake);
    const requestsBefore = fake.countRequests();
    const handle = await start(endpoint);
    const error: unknown = await handle.result().then(
      () => null,
      (reason: unknown) => reason,
    );
    const [run] = await database.query<SyncRun>(
      'select outcome, failure_type, source, message, requests from personio.sync_runs where run_id = $1',
      [handle.firstExecutionRunId],
    );
    outcomes.push(toOutcomeRow(fault, run));
    if (outcome === 'whole') {
      expect(run).toMatchObject({ outcome: 'succeeded', failure_type: null });
      expect(await readStored(endpoint)).toEqual(listCompanyRows(endpoint));
    } else {
      const isIncomplete = outcome === 'SnapshotIncomplete';
      expect(run).toMatchObject({ outcome: isIncomplete ? 'incomplete' : 'failed', failure_type: outcome });
      expect(((error as WorkflowFailedError).cause as ApplicationFailure).type).toBe(outcome);
      expect(await readStored(endpoint)).toEqual(before);
      expect(run?.message).not.toMatch(/Ada|Abel|https?:|127\.0\.0\.1|papi-|elsewhere/);
    }
    if (says !== undefined) expect(run?.message).toMatch(says);
    if (source !== undefined) expect(run?.source).toBe(source);
    if (atMost !== undefined) expect(fake.countRequests() - requestsBefore).toBeLessThanOrEqual(atMost);
  });
});

interface SyncRun extends Record<string, unknown> {
  readonly outcome: string;
  readonly failure_type: string | null;
  readonly source: string | null;
  readonly message: string;
  readonly requests: number;
}

function toOutcomeRow({ fault, endpoint = 'employees', outcome }: FaultCase, run: SyncRun | undefined): string[] {
  const ended = run?.failure_type ?? `${run?.outcome ?? 'no run'} from ${run?.source ?? 'nowhere'}`;
  const tables = outcome === 'whole' ? 'equal the company' : 'untouched';
  return [fault, endpoint, ended, tables, `${run?.requests ?? 0} requests`];
}

function formatTable(rows: readonly (readonly string[])[]): string {
  const all = [['fault', 'endpoint', 'the run', 'the tables', ''], ...rows];
  const widths = [0, 1, 2, 3].map((column) => Math.max(...all.map((row) => row[column]?.length ?? 0)));
  return all.map((row) => row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('  ')).join('\n');
}
