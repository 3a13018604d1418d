import { execFile } from 'node:child_process';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { WorkflowUpdateFailedError } from '@temporalio/client';
import type { WorkflowFailedError } from '@temporalio/client';
import { EVENT_KINDS } from '../../src/contracts/public/events.js';
import { TASK_QUEUE, UPDATE, WORKFLOW_TYPE, workflowId } from '../../src/contracts/internal/names.js';
import type { RefreshInput, SyncResult } from '../../src/contracts/internal/sync.js';
import { addDays } from '../../src/domain/zones.js';
import type { DemoEmployee } from '../../src/fake-personio/company.js';
import { getStatus } from '../../src/fake-personio/company.js';
import { startFakePersonio } from '../../src/fake-personio/server.js';
import type { FakePersonio } from '../../src/fake-personio/server.js';
import type { Database } from '../../src/store/database.js';
import type { HeldPerson } from '../../src/store/employees/holds.js';
import { cancelSyncs } from '../../src/temporal/open-workflows.js';
import { runCommand } from '../support/cli.js';
import type { CommandResult, Environment } from '../support/cli.js';
import { createMigratedDatabase } from '../support/database.js';
import { createPolicy, createSubscriber } from '../support/policy.js';
import { readTestServers } from '../support/servers-file.js';
import { addCrowd } from '../support/staging.js';
import { startTestWorker, waitUntil } from '../support/worker.js';
import type { TestWorker } from '../support/worker.js';

const TODAY = new Date().toISOString().slice(0, 10);
const YESTERDAY = addDays(TODAY, -1);
const PEOPLE = 120;
const POLICY = 'schedule: { departments: off, attendances: off, time-off-types: off }\n';

let database: Database;
let fake: FakePersonio;
let worker: TestWorker;
let environment: Environment;
let folder: string;
let started = 0;

const policy = { ...createPolicy(POLICY), subscribers: [createSubscriber({ name: 'it', events: EVENT_KINDS })] };

function createEnvironment(namespace: string): Environment {
  return {
    PERSONIO_BASE_URL: fake.url,
    PERSONIO_CLIENT_ID: 'id',
    PERSONIO_CLIENT_SECRET: 'secret',
    DATABASE_URL: database.url,
    TEMPORAL_ADDRESS: readTestServers().temporalAddress,
    TEMPORAL_NAMESPACE: namespace,
  };
}

beforeAll(async () => {
  database = await createMigratedDatabase();
  fake = await startFakePersonio({ employees: PEOPLE, seed: 11, foundedOn: TODAY });
  worker = await startTestWorker({ database, fake, policy });
  folder = mkdtempSync(join(tmpdir(), 'personio-sync-brake-'));
  writeFileSync(join(folder, 'personio-sync.yaml'), POLICY);
  environment = createEnvironment(worker.temporal.namespace);
  expect((await runCli('schedules', 'apply')).code).toBe(0);
  expect(await sync()).toMatchObject({ outcome: 'succeeded', inserted: PEOPLE });
}, 120_000);
afterAll(async () => {
  await worker.stop();
  await fake.close();
  await database.close();
});

async function runCli(...args: string[]): Promise<CommandResult> {
  return runCommand(args, environment, folder);
}

async function sync(of = worker): Promise<SyncResult> {
  started += 1;
  return of.temporal.client.workflow.execute<() => Promise<SyncResult>>(WORKFLOW_TYPE.employees, {
    taskQueue: TASK_QUEUE.sync,
    args: [],
    workflowId: `${workflowId.sync('default', 'employees')}-brake-${started}`,
  });
}

async function refresh(employeeId: string): Promise<SyncResult> {
  return worker.temporal.client.workflow.execute<(input: RefreshInput) => Promise<SyncResult>>(
    WORKFLOW_TYPE.refreshEmployee,
    { taskQueue: TASK_QUEUE.sync, workflowId: workflowId.refresh('default', employeeId), args: [{ employeeId }] },
  );
}

/** Returns active people from the end of the list, so that no supervisors are among them. */
function listStaying(count: number): readonly DemoEmployee[] {
  const staying = fake.company.employees.filter(
    (person) => person.id < 9_000 && getStatus(person, TODAY) === 'active' && person.terminationDate === null,
  );
  return staying.slice(-count);
}

function leave(people: readonly DemoEmployee[], on = YESTERDAY): void {
  for (const person of people) Object.assign(person, { terminationDate: on, lastWorkingDay: on });
}

function stay(people: readonly DemoEmployee[]): void {
  for (const person of people) Object.assign(person, { terminationDate: null, lastWorkingDay: null });
}

const toIds = (people: readonly DemoEmployee[]): readonly string[] => people.map(({ id }) => String(id));

async function readRows(people: readonly DemoEmployee[]): Promise<readonly unknown[]> {
  return database.query('select * from personio.employees where employee_id = any($1) order by employee_id', [
    toIds(people),
  ]);
}

async function listDeliveryStates(people: readonly DemoEmployee[]): Promise<readonly string[]> {
  const rows = await database.query<{ state: string }>(
    `select x.state from personio.deliveries x join personio.lifecycle_events v using (event_id)
     where x.employee_id = any($1) and x.state <> 'superseded' and v.state = 'due'`,
    [toIds(people)],
  );
  return rows.map((row) => row.state);
}

interface StatusDocument {
  readonly healthy: boolean;
  readonly connections: readonly { readonly held: readonly HeldPerson[] }[];
  readonly problems: readonly {
    readonly code: string;
    readonly runId: string;
    readonly sentence: string;
    readonly action: string;
  }[];
}

async function readStatus(): Promise<{ readonly code: number | null; readonly document: StatusDocument }> {
  const { code, stdout } = await runCli('status', '--json');
  return { code, document: JSON.parse(stdout) as StatusDocument };
}

async function waitForDetails(runId: string): Promise<string> {
  let details = '';
  await waitUntil(async () => {
    const handle = worker.temporal.client.workflow.getHandle(workflowId.lifecycle('default', runId));
    const metadata = await handle.query<{ currentDetails?: string }>('__temporal_workflow_metadata');
    details = metadata.currentDetails ?? '';
    return details.startsWith('**Waiting');
  });
  return details;
}

async function readVerdict(runId: string): Promise<unknown> {
  const handle = worker.temporal.client.workflow.getHandle(workflowId.lifecycle('default', runId));
  return ((await handle.result()) as { verdict: unknown }).verdict;
}

describe.each([
  { what: 'come back inactive', happens: leave, ends: stay, sentence: 'would leave' },
  {
    what: 'vanish',
    happens: (people: readonly DemoEmployee[]) => people.forEach(({ id }) => fake.company.remove(id)),
    ends: (people: readonly DemoEmployee[]) => people.forEach((person) => fake.company.add(person)),
    sentence: 'are missing',
  },
])('an HR data error: thirty people $what', ({ happens, ends, sentence }) => {
  let people: readonly DemoEmployee[];
  let runId: string;

  test('brakes the first sync: only the joiner of the day is committed', async () => {
    people = listStaying(30);
    const before = await readRows(people);
    const joiner = { ...(listStaying(1)[0] ?? people[0]), id: 9_000 + started, hireDate: TODAY } as DemoEmployee;
    happens(people);
    fake.company.add(joiner);
    const result = await sync();
    ({ runId } = result);
    expect(result).toMatchObject({ outcome: 'braked', inserted: 1, updated: 0, missing: 0 });
    expect(result.message).toContain(`30 of `);
    expect(await readRows(people)).toEqual(before);
    await waitUntil(async () => (await listDeliveryStates([joiner])).join() === 'acknowledged');
  });

  test('is a problem in `status` with reason, people and action', async () => {
    const { code, document } = await readStatus();
    expect([code, document.healthy]).toEqual([1, false]);
    const [problem] = document.problems;
    expect(problem).toMatchObject({ code: 'braked', runId });
    expect(problem?.sentence).toContain(sentence);
    expect(problem?.sentence).toMatch(/^30 of \d+ employees .* in this run \(limit \d+\)\. /);
    expect(problem?.action).toContain(`personio-sync approve ${runId} --by`);
    expect(document.connections[0]?.held.map(({ employeeId }) => employeeId)).toEqual([...toIds(people)].sort());
    const { stdout } = await runCli('status');
    expect(stdout).toContain(
      `held (${sentence.includes('leave') ? 'leavers' : 'missing'}, waiting for approval): 30 employees\n` +
        `    employee ${[...toIds(people)].sort()[0] ?? ''}`,
    );
  });

  test('waits in the workflow, which refuses a verdict without name and reason', async () => {
    const details = await waitForDetails(runId);
    expect(details).toContain(sentence);
    expect(details).toContain(`approve ${runId}`);
    const handle = worker.temporal.client.workflow.getHandle(workflowId.lifecycle('default', runId));
    const refused: unknown = await handle
      .executeUpdate(UPDATE.approve, { args: [{ by: ' ', reason: 'x' }] })
      .catch((error: unknown) => error);
    expect(refused).toBeInstanceOf(WorkflowUpdateFailedError);
    expect((refused as WorkflowUpdateFailedError).cause?.message).toMatch(/Pass who decides and why/);
  });

  test('is over when the data is correct the next day, and nothing was sent', async () => {
    ends(people);
    expect(await sync()).toMatchObject({ outcome: 'succeeded', held: 0, updated: 0, missing: 0 });
    expect(await readVerdict(runId)).toBe('replaced');
    expect(await listDeliveryStates(people)).toEqual([]);
    expect(await readStatus()).toMatchObject({ code: 0, document: { healthy: true } });
  });
});

describe('a real mass change', () => {
  test('is committed after its approval and a fresh read, and dispatched', async () => {
    const people = listStaying(30);
    leave(people);
    const { runId } = await sync();
    const { code, stdout } = await runCli('approve', runId, '--by', 'Ada', '--reason', 'the plant closes', '--json');
    expect(code).toBe(0);
    const { runs } = JSON.parse(stdout) as { runs: readonly SyncResult[] };
    expect(runs).toMatchObject([{ outcome: 'succeeded', updated: 30, held: 0 }]);
    expect(runs[0]?.runId).not.toBe(runId);
    expect(await readVerdict(runId)).toBe('approved');
    await waitUntil(async () => {
      const states = await listDeliveryStates(people);
      return states.length === 30 && states.every((state) => state === 'acknowledged');
    }, 60_000);
    const decisions = await database.query('select actor, what, subject, reason from personio.decisions');
    expect(decisions).toEqual([{ actor: 'Ada', what: 'approve', subject: `run ${runId}`, reason: 'the plant closes' }]);
  });

  test('is braked again for what came after the approved run', async () => {
    const people = listStaying(20);
    leave(people.slice(0, 12));
    const { runId } = await sync();
    leave(people);
    const { code, stderr } = await runCli('approve', runId, '--by', 'Ada', '--reason', 'as agreed');
    expect([code, stderr]).toEqual([3, expect.stringContaining('Approved the changes of 12 employees')]);
    const { document } = await readStatus();
    expect(document.connections[0]?.held.map(({ employeeId }) => employeeId).sort()).toEqual(
      [...toIds(people.slice(12))].sort(),
    );
    stay(people.slice(12));
    expect(await sync()).toMatchObject({ outcome: 'succeeded' });
  });

  test('stays on hold after a rejection, and can be approved later', async () => {
    const people = listStaying(12);
    leave(people);
    const { runId } = await sync();
    await waitForDetails(runId);
    await promisify(execFile)(readTestServers().temporalCli, [
      'workflow',
      'update',
      'execute',
      '--address',
      readTestServers().temporalAddress,
      '--namespace',
      worker.temporal.namespace,
      '--workflow-id',
      workflowId.lifecycle('default', runId),
      '--name',
      'reject',
      '--input',
      '{"by": "Ada", "reason": "a mistake in the import"}',
    ]);
    expect(await readVerdict(runId)).toBe('rejected');
    expect(await sync()).toMatchObject({ outcome: 'succeeded', held: 12 });
    const { code, document } = await readStatus();
    expect(code).toBe(0);
    expect(document.connections[0]?.held).toHaveLength(12);
    expect(document.connections[0]?.held[0]).toMatchObject({ decision: 'rejected', runId });
    const approved = await runCli('approve', runId, '--by', 'Eve', '--reason', 'no mistake after all', '--json');
    expect(approved.code).toBe(0);
    expect(JSON.parse(approved.stdout)).toMatchObject({ runs: [{ outcome: 'succeeded', updated: 12, held: 0 }] });
  });

  test('can be rejected by command, which says how to revert it', async () => {
    const people = listStaying(12);
    leave(people);
    const { runId } = await sync();
    const { code, stdout } = await runCli('reject', runId, '--by', 'Ada', '--reason', 'wrong list');
    expect([code, stdout]).toEqual([0, expect.stringContaining('Rejected the changes of 12 employees')]);
    stay(people);
    expect(await sync()).toMatchObject({ outcome: 'succeeded', held: 0 });
  });

  test('can be approved while the rest of the read is dispatched', async () => {
    const people = listStaying(12);
    leave(people);
    await addCrowd(database, 200, { handed_over_to: null });
    const { runId } = await sync();
    const handle = worker.temporal.client.workflow.getHandle(workflowId.lifecycle('default', runId));
    await handle.executeUpdate(UPDATE.reject, { args: [{ by: 'Ada', reason: 'wrong list' }] });
    const waiting = `select from personio.lifecycle_events where employee_id like 'crowd-%' and handed_over_to is null`;
    expect((await database.query(waiting)).length).toBeGreaterThan(0);
    expect(await readVerdict(runId)).toBe('rejected');
    expect(await database.query(waiting)).toEqual([]);
    await database.run(`delete from personio.lifecycle_events where employee_id like 'crowd-%'`);
    stay(people);
    expect(await sync()).toMatchObject({ outcome: 'succeeded', held: 0 });
  });

  test('cannot be approved by an unknown run or one that holds nobody', async () => {
    expect((await runCli('approve', 'no-such-run', '--by', 'Ada', '--reason', 'x')).code).toBe(2);
    const { runId } = await sync();
    const { code, stderr } = await runCli('reject', runId, '--by', 'Ada', '--reason', 'x');
    expect([code, stderr]).toEqual([
      1,
      expect.stringMatching(/ended as succeeded, so there is nothing to approve or reject/),
    ]);
    expect((await runCli('approve', runId, '--by', ' ', '--reason', 'x')).code).toBe(2);
  });

  test('keeps a held person on hold in a refresh too', async () => {
    const people = listStaying(12);
    leave(people);
    await sync();
    expect(await refresh(String(people[0]?.id))).toMatchObject({ outcome: 'braked', held: 1, updated: 0 });
    stay(people);
    expect(await sync()).toMatchObject({ outcome: 'succeeded', held: 0 });
  });
});

describe('a missing person', () => {
  test('who exists by id makes the read incomplete, and nothing changes', async () => {
    const [person] = listStaying(1);
    fake.company.remove(person?.id ?? 0);
    fake.behaviour.fault = ({ path }) =>
      path === `/v1/company/employees/${person?.id ?? 0}`
        ? { status: 200, body: { success: true, data: {} } }
        : undefined;
    const failure: unknown = await sync().catch((error: unknown) => error);
    fake.behaviour.fault = null;
    expect((failure as WorkflowFailedError).cause?.message).toMatch(/employees that Personio still has by id/);
    const rows = await database.query('select missing_since from personio.employees where employee_id = $1', [
      String(person?.id),
    ]);
    expect(rows).toEqual([{ missing_since: null }]);
  });

  test('is deleted after two reads with 404, and dispatched', async () => {
    const [gone] = await database.query<{ employee_id: string }>(
      `select employee_id from personio.employees where lifecycle_state = 'employed' order by employee_id desc limit 1`,
    );
    expect(gone).toBeDefined();
    const before = await database.query(`select 1 from personio.lifecycle_events where kind = 'leaver.deleted'`);
    expect(await sync()).toMatchObject({ outcome: 'succeeded', missing: 1 });
    expect(await sync()).toMatchObject({ outcome: 'succeeded', missing: 1 });
    expect(await database.query(`select 1 from personio.lifecycle_events where kind = 'leaver.deleted'`)).toHaveLength(
      before.length + 1,
    );
  });
});

describe('preview and explain', () => {
  const READ = ['employees', 'employee_history', 'lifecycle_events', 'deliveries', 'held_people', 'connection_state'];
  const readEverything = async (): Promise<readonly unknown[]> =>
    Promise.all(READ.map(async (table) => database.query(`select * from personio.${table} t order by t::text`)));

  test('a preview shows holds and events, names on request, and changes nothing', async () => {
    const people = listStaying(15);
    leave(people);
    await waitUntil(
      async () =>
        (
          await database.query(
            `select 1 from personio.deliveries where state in ('waiting', 'sent') and due_at < now()`,
          )
        ).length === 0,
    );
    const before = await readEverything();
    const { code, stdout } = await runCli('preview', 'employees', '--json');
    expect(code).toBe(0);
    expect(await readEverything()).toEqual(before);
    const preview = JSON.parse(stdout) as Record<string, unknown> & {
      events: Record<string, unknown>[];
      runId: string;
    };
    expect(preview).toMatchObject({ wouldBrake: true });
    expect(preview['limits']).toContainEqual(
      expect.objectContaining({ class: 'leavers', count: 15, allowed: expect.any(Number), window: 'run' }),
    );
    expect(preview.events).toHaveLength(15);
    expect(preview.events[0]).toMatchObject({ kind: 'leaver.left', class: 'leaver', late: true, held: true });
    expect(stdout).not.toContain(people[0]?.lastName);
    const named = await runCli('preview', 'employees', '--names');
    expect(named.stdout).toContain(people[0]?.lastName);
    expect(named.stdout).toMatch(/leavers +15 of \d+ in this run +limit \d+ +over the limit/);
    const rows = await database.query('select outcome from personio.sync_runs where run_id = $1', [preview.runId]);
    expect(rows).toEqual([{ outcome: 'preview' }]);
    stay(people);
  });

  test('an event has its run, rule, values and deliveries', async () => {
    const [event] = await database.query<{ event_id: string; run_id: string; employee_id: string }>(
      `select event_id, run_id, employee_id
       from personio.lifecycle_events
       where kind = 'leaver.left' and state = 'due'
       order by sequence desc
       limit 1`,
    );
    const { code, stdout } = await runCli('explain', event?.event_id ?? '', '--json');
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({
      event: { eventId: event?.event_id, kind: 'leaver.left', employeeId: event?.employee_id, state: 'due' },
      run: { runId: event?.run_id, outcome: 'succeeded' },
      rule: 'out-by-date',
      supersedes: null,
      supersededBy: null,
      before: { at: expect.any(String), values: { terminationDate: null, lifecycleState: 'employed' } },
      after: { until: null, values: { terminationDate: YESTERDAY, lifecycleState: 'left' } },
      deliveries: [{ subscriber: 'it', state: 'acknowledged', sentAt: expect.any(String) }],
    });
    const text = await runCli('explain', event?.event_id ?? '');
    expect(text.stdout).toMatch(/rule +out-by-date/);
    expect(text.stdout).toMatch(/terminationDate +— +\d{4}/);
    expect((await runCli('explain', 'nothing:of:the:kind')).code).toBe(2);
  });
});

describe("when Temporal's own database is lost between detection and effect", () => {
  test('the next run dispatches every planned event again, and each falls due once', async () => {
    const people = listStaying(3);
    leave(people, addDays(TODAY, 10));
    await sync();
    const countPlanned = async (): Promise<number> =>
      (await database.query(`select 1 from personio.lifecycle_events where state = 'planned'`)).length;
    const before = await countPlanned();
    expect(before).toBeGreaterThanOrEqual(3);
    await worker.stop();
    worker = await startTestWorker({ database, fake, policy });
    expect(await sync()).toMatchObject({ outcome: 'succeeded', updated: 0 });
    expect(await countPlanned()).toBe(before);
    // They fall due.
    await database.run(`update personio.lifecycle_events set due_at = now() where state = 'planned'`);
    await database.run(
      `update personio.deliveries d
       set due_at = now()
       from personio.lifecycle_events e
       where e.event_id = d.event_id and e.state = 'planned'`,
    );
    expect(await sync()).toMatchObject({ outcome: 'succeeded' });
    await signalAll();
    await waitUntil(async () => (await countPlanned()) === 0, 60_000);
    await waitUntil(async () => {
      const states = await listDeliveryStates(people);
      return states.length === 6 && states.every((state) => state === 'acknowledged');
    }, 60_000);
    const [feed] = await database.query<{ gaps: number; doubled: number }>(
      `select max(sequence) - count(*) as gaps, count(*) - count(distinct sequence) as doubled
       from personio.lifecycle_events where sequence is not null`,
    );
    expect(feed).toEqual({ gaps: 0, doubled: 0 });
  });

  /** Signals the waiting workflows, since the test has moved the times in the database. */
  async function signalAll(): Promise<void> {
    const rows = await database.query<{ employee_id: string }>(
      `select distinct employee_id from personio.lifecycle_events where state = 'planned'`,
    );
    for (const row of rows)
      await worker.temporal.client.workflow
        .getHandle(workflowId.employee('default', row.employee_id))
        .signal('agendaChanged');
  }
});

test('removing the connection ends a question that waits, and its run', async () => {
  leave(listStaying(40));
  const { outcome, runId } = await sync();
  expect(outcome).toBe('braked');
  const { client } = worker.temporal;
  expect(await cancelSyncs(client, 'default')).toBeGreaterThan(0);
  const question = await client.workflow.getHandle(workflowId.lifecycle('default', runId)).describe();
  expect(question.status.name).toBe('CANCELLED');
});
