import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { WorkflowHandle } from '@temporalio/client';
import { TASK_QUEUE, WORKFLOW_TYPE, workflowId } from '../../src/contracts/internal/names.js';
import { addDays } from '../../src/domain/zones.js';
import { startFakePersonio } from '../../src/fake-personio/server.js';
import type { FakePersonio } from '../../src/fake-personio/server.js';
import type { Database } from '../../src/store/database.js';
import { createMigratedDatabase } from '../support/database.js';
import { readTestServers } from '../support/servers-file.js';
import { createNamespace } from '../support/worker.js';

/**
 * A worker is killed with SIGKILL at each step of a run, and another one takes over. In the end the database must
 * hold what an undisturbed run leaves behind: the same events with the same ids, none doubled, none lost.
 */
const STEPS = [
  'openRun',
  'exchangeToken',
  'collectSegment',
  'verifySnapshot',
  'askForMissing',
  'commitEmployees inside',
  'commitEmployees',
  'dispatchEvents',
];
const TODAY = new Date().toISOString().slice(0, 10);
const WORKER = fileURLToPath(new URL('../support/killable-worker.js', import.meta.url));

const databases: Database[] = [];
const fakes: FakePersonio[] = [];
const processes = new Set<ChildProcess>();

/** Everything that a run leaves behind, without the times of writing. */
interface RunOutcome {
  readonly events: readonly unknown[];
  readonly employees: readonly unknown[];
  readonly runs: readonly unknown[];
  /** Signal that ended the first worker. */
  readonly killedBy: NodeJS.Signals | null;
}

const outcomes = new Map<string, RunOutcome>();

beforeAll(async () => {
  const names = ['undisturbed', 'two workers, two runs at once', ...STEPS];
  await Promise.all(names.map(async (name) => outcomes.set(name, await runScenario(name))));
}, 300_000);
afterAll(async () => {
  const running = [...processes].filter(({ exitCode, signalCode }) => exitCode === null && signalCode === null);
  await Promise.all(
    running.map(async (child) => {
      child.kill('SIGKILL');
      await once(child, 'exit');
    }),
  );
  await Promise.all(fakes.map(async (fake) => fake.close()));
  await Promise.all(databases.map(async (database) => database.close()));
});

async function runScenario(name: string): Promise<RunOutcome> {
  const [database, fake, { temporal, target }] = await Promise.all([
    createMigratedDatabase(),
    startFakePersonio({ employees: 60, seed: 21, foundedOn: TODAY }),
    createNamespace(),
  ]);
  databases.push(database);
  fakes.push(fake);
  const start = (step: string): ChildProcess =>
    startWorker(step, { url: database.url, namespace: target.namespace, personio: fake.url });
  const sync = async (run: number): Promise<WorkflowHandle> =>
    temporal.client.workflow.start(WORKFLOW_TYPE.employees, {
      taskQueue: TASK_QUEUE.sync,
      args: [],
      workflowId: `${workflowId.sync('default', 'employees')}-${run}`,
    });
  const isKilled = STEPS.includes(name);
  const first = start(isKilled ? name : '');
  await (await sync(1)).result();
  change(fake);
  if (name.startsWith('two')) start('');
  const second = await sync(2);
  const third = name.startsWith('two') ? await sync(3) : null;
  if (isKilled) {
    await once(first, 'exit');
    start('');
  }
  await second.result();
  if (third !== null) await third.result();
  // The child workflow continues after it has signalled its outcome.
  await temporal.client.workflow.getHandle(workflowId.lifecycle('default', (await second.describe()).runId)).result();
  await temporal.close();
  return { ...(await readOutcome(database)), killedBy: first.signalCode };
}

/** Gives the second read a joiner, a mover, a leaver, a missing person and a coming end. */
function change(fake: FakePersonio): void {
  fake.company.advanceDay(TODAY);
  const staying = fake.company.employees.filter((person) => person.terminationDate === null && !person.isOnLeave);
  fake.company.remove(staying.at(-5)?.id ?? 0);
  Object.assign(staying.at(-6) ?? {}, { terminationDate: addDays(TODAY, 30), lastWorkingDay: addDays(TODAY, 30) });
}

interface WorkerTarget {
  readonly url: string;
  readonly namespace: string;
  readonly personio: string;
}

function startWorker(step: string, { url, namespace, personio }: WorkerTarget): ChildProcess {
  const child = spawn(process.execPath, [WORKER], {
    stdio: 'ignore',
    env: {
      PATH: process.env['PATH'],
      DATABASE_URL: url,
      TEMPORAL_ADDRESS: readTestServers().temporalAddress,
      TEMPORAL_NAMESPACE: namespace,
      PERSONIO_BASE_URL: personio,
      STEP: step,
    },
  });
  processes.add(child);
  return child;
}

async function readOutcome(database: Database): Promise<Omit<RunOutcome, 'killedBy'>> {
  return {
    events: await database.query(
      `select event_id, kind, state, effective_date, superseded_by, handed_over_to is not null as is_dispatched
       from personio.lifecycle_events order by event_id`,
    ),
    employees: await database.query(
      `select employee_id, status, position, department, lifecycle_state, episode, version,
         missing_since is not null as is_missing,
         (select count(*) from personio.employee_history h where h.employee_id = e.employee_id) as versions
       from personio.employees e
       order by employee_id`,
    ),
    runs: await database.query(
      `select outcome, received, inserted, updated, unchanged, missing, held
       from personio.sync_runs
       order by started_at
       limit 2`,
    ),
  };
}

describe('a worker that is killed', () => {
  test.each(STEPS)('at the step %s leaves the events of an undisturbed run', (step) => {
    const { killedBy, ...rest } = outcomes.get(step) ?? { killedBy: null };
    expect(killedBy).toBe('SIGKILL');
    const { killedBy: nobody, ...undisturbed } = outcomes.get('undisturbed') ?? { killedBy: null };
    expect(nobody).toBeNull();
    expect(rest).toEqual(undisturbed);
    expect(outcomes.get(step)?.events.length).toBeGreaterThan(4);
  });

  test('is like two workers with two runs at once: same events, same ids', () => {
    expect(outcomes.get('two workers, two runs at once')?.events).toEqual(outcomes.get('undisturbed')?.events);
    // Both reads miss the person who is gone, but they count as one: a brief fault deletes nobody.
    expect(outcomes.get('two workers, two runs at once')?.employees).toEqual(outcomes.get('undisturbed')?.employees);
  });
});
