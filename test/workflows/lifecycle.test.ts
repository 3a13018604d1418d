import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { SIGNAL, TASK_QUEUE, WORKFLOW_TYPE, workflowId } from '../../src/contracts/internal/names.js';
import { EVENT_KINDS } from '../../src/contracts/public/events.js';
import type { SyncResult } from '../../src/contracts/internal/sync.js';
import { addDays } from '../../src/domain/zones.js';
import { startFakePersonio } from '../../src/fake-personio/server.js';
import type { FakePersonio } from '../../src/fake-personio/server.js';
import type { Database } from '../../src/store/database.js';
import { listRunEvents } from '../../src/store/events/queries.js';
import type { EventReport } from '../../src/store/events/queries.js';
import { createMigratedDatabase } from '../support/database.js';
import { createPolicy, createSubscriber } from '../support/policy.js';
import { startTestWorker, waitUntil } from '../support/worker.js';
import type { TestWorker } from '../support/worker.js';

const TODAY = new Date().toISOString().slice(0, 10);
let database: Database;
let fake: FakePersonio;
let worker: TestWorker;
let started = 0;

beforeAll(async () => {
  database = await createMigratedDatabase();
  fake = await startFakePersonio({ employees: 60, seed: 3, foundedOn: TODAY });
  const subscribers = [
    createSubscriber({ name: 'it', events: EVENT_KINDS }),
    createSubscriber({
      name: 'nobody',
      events: ['leaver.left'],
      start: false,
      workflowId: 'nobody:{employeeId}',
      acknowledgeWithinSeconds: 1,
      escalateTo: 'desk',
    }),
    createSubscriber({ name: 'desk', workflowId: 'desk:{connectionId}:{employeeId}' }),
  ];
  worker = await startTestWorker({ database, fake, policy: { ...createPolicy(), subscribers } });
});
afterAll(async () => {
  await worker.stop();
  await fake.close();
  await database.close();
});

type SyncWorkflow = () => Promise<SyncResult>;

async function sync(): Promise<SyncResult> {
  started += 1;
  return worker.temporal.client.workflow.execute<SyncWorkflow>(WORKFLOW_TYPE.employees, {
    taskQueue: TASK_QUEUE.sync,
    workflowId: `${workflowId.sync('default', 'employees')}-lifecycle-${started}`,
    args: [],
  });
}

async function waitForEvents(
  runId: string,
  isDone: (events: readonly EventReport[]) => boolean,
): Promise<readonly EventReport[]> {
  let events: readonly EventReport[] = [];
  await waitUntil(async () => {
    events = await listRunEvents(database, [runId]);
    return isDone(events);
  });
  return events;
}

const findState = (event: EventReport | undefined, subscriber: string, purpose = 'event'): string | undefined =>
  event?.deliveries.find((delivery) => delivery.subscriber === subscriber && delivery.purpose === purpose)?.state;

describe('joiners, movers and leavers', () => {
  test('the baseline only plans coming starts and ends', async () => {
    const { runId } = await sync();
    const events = await listRunEvents(database, [runId]);
    expect(events.length).toBeGreaterThan(0);
    expect(new Set(events.map((event) => event.state))).toEqual(new Set(['planned']));
    expect(events.every((event) => event.effectiveDate >= TODAY)).toBe(true);
  });

  test('reach the subscriber, and its acknowledgements come back', async () => {
    fake.company.advanceDay(TODAY);
    const { runId } = await sync();
    const events = await waitForEvents(
      runId,
      (all) => all.length === 3 && all.every((event) => findState(event, 'it') === 'acknowledged'),
    );
    expect(events.map((event) => event.kind).sort()).toEqual(['joiner.started', 'leaver.left', 'mover.changed']);
    const moved = events.find((event) => event.kind === 'mover.changed');
    expect(moved?.changes.map(({ attribute }) => attribute)).toContain('department');
  });

  test('an unreachable subscriber is retried, and escalated once', async () => {
    const runs = await database.query<{ run_id: string }>(
      `select run_id from personio.lifecycle_events where kind = 'leaver.left' and state = 'due'`,
    );
    const runId = runs[0]?.run_id ?? '';
    const events = await waitForEvents(runId, (all) =>
      all.some((event) => findState(event, 'desk', 'escalation') === 'acknowledged'),
    );
    const left = events.find((event) => event.kind === 'leaver.left');
    expect(findState(left, 'nobody')).toBe('overdue');
    const [delivery] = await database.query<{ attempts: number; last_error: string; sent_at: string | null }>(
      `select attempts, last_error, sent_at from personio.deliveries where subscriber = 'nobody' and attempts > 0`,
    );
    expect(delivery?.attempts).toBeGreaterThan(0);
    expect(delivery?.sent_at).toBeNull();
    expect(delivery?.last_error).toMatch(/not found/i);
  });

  test('a planned leaver is announced at once, and delivered when due', async () => {
    const leaver = fake.company.employees.find(
      (person) =>
        person.terminationDate === null && !person.isOnLeave && person.hireDate !== null && person.hireDate < TODAY,
    );
    Object.assign(leaver ?? {}, { terminationDate: addDays(TODAY, 20), lastWorkingDay: addDays(TODAY, 20) });
    const { runId } = await sync();
    const events = await waitForEvents(
      runId,
      (all) =>
        findState(
          all.find(({ kind }) => kind === 'leaver.announced'),
          'it',
        ) === 'acknowledged',
    );
    const planned = events.find((event) => event.kind === 'leaver.left');
    expect(planned).toMatchObject({ state: 'planned', effectiveDate: addDays(TODAY, 20), late: false });
    expect(findState(planned, 'it')).toBe('waiting');

    // Twenty days pass in the database, and the person's workflow is signalled.
    await database.run(`update personio.lifecycle_events set due_at = now() where event_id = $1`, [planned?.eventId]);
    await database.run(`update personio.deliveries set due_at = now() where event_id = $1`, [planned?.eventId]);
    await worker.temporal.client.workflow
      .getHandle(workflowId.employee('default', String(leaver?.id)))
      .signal(SIGNAL.agendaChanged);
    const after = await waitForEvents(
      runId,
      (all) =>
        findState(
          all.find(({ kind }) => kind === 'leaver.left'),
          'it',
        ) === 'acknowledged',
    );
    expect(after.find((event) => event.kind === 'leaver.left')?.state).toBe('due');
    const [feed] = await database.query<{ gaps: number }>(
      'select max(sequence) - count(*) as gaps from personio.lifecycle_events where sequence is not null',
    );
    expect(feed?.gaps).toBe(0);
  });

  test('forty inactive people at once are held, and the run is braked', async () => {
    const deliveries = `select 1 from personio.deliveries where purpose <> 'escalation'`;
    const before = await database.query(deliveries);
    const active = fake.company.employees.filter(
      (person) => person.terminationDate === null && person.hireDate !== null && person.hireDate <= TODAY,
    );
    for (const person of active.slice(0, 40)) Object.assign(person, { terminationDate: addDays(TODAY, -1) });
    const result = await sync();
    expect(result).toMatchObject({ outcome: 'braked', updated: 0 });
    expect(result.held).toBeGreaterThan(30);
    expect(await database.query(deliveries)).toHaveLength(before.length);
  });
});
