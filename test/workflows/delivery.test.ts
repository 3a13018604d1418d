import type { Client } from '@temporalio/client';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { ApplicationFailure, defineSearchAttributeKey } from '@temporalio/common';
import { Worker } from '@temporalio/worker';
import { runWorkers } from '../../src/worker/worker-host.js';
import { WORKFLOW_TYPE, workflowId } from '../../src/contracts/internal/names.js';
import type { Policy, Subscriber } from '../../src/domain/policy.js';
import type { EmployeeRecord } from '../../src/domain/records.js';
import { addDays } from '../../src/domain/zones.js';
import type { Database } from '../../src/store/database.js';
import { listOpenPersons } from '../../src/store/deliveries/dispatch.js';
import { connectWorker } from '../../src/temporal/connection.js';
import { resolveWorkflowCode } from '../../src/temporal/worker.js';
import { createMigratedDatabase } from '../support/database.js';
import { listSignals, startDelivery } from '../support/delivery.js';
import type { DeliveryHarness, DeliveryRow } from '../support/delivery.js';
import { createPolicy, createSubscriber } from '../support/policy.js';
import { addCrowd, commitCompany, employee } from '../support/staging.js';
import { createNamespace, waitUntil } from '../support/worker.js';

/**
 * The rules of delivery, against a real Temporal server and a real PostgreSQL. Most subscribers have no worker: the
 * test reads their signals from the histories of their workflows, and acknowledges in their place.
 */
const TODAY = new Date().toISOString().slice(0, 10);
/** The company of these tests is small, and most people leave it. */
const UNBRAKED = 'lifecycle: { brake: { leavers: { atLeast: 1000 }, joiners: { atLeast: 1000 } } }';
const LEAVER = ['leaver.announced', 'leaver.left', 'leaver.rescheduled', 'leaver.rescinded', 'leaver.deleted'] as const;
const JOINER = [
  'joiner.announced',
  'joiner.started',
  'joiner.rescheduled',
  'joiner.rescinded',
  'joiner.rehired',
] as const;
const SUBSCRIBED_KINDS = [...LEAVER, ...JOINER, 'mover.changed'] as const;

let database: Database;
let delivery: DeliveryHarness;
const company = new Map<string, EmployeeRecord>();

beforeAll(async () => {
  database = await createMigratedDatabase();
  delivery = await startDelivery(database, createPolicy());
  for (let id = 1; id <= 40; id++) company.set(String(id), employee(id));
  await commitCompany(database, createPolicy(), [...company.values()]);
});
afterAll(async () => {
  await delivery.close();
  await database.close();
});

/** Creates a subscriber whose workflow is signalled or started, but never executed. */
function desk(name: string, more: Partial<Subscriber> = {}): Subscriber {
  return createSubscriber({
    name,
    events: SUBSCRIBED_KINDS,
    workflowId: `${name}:{employeeId}`,
    taskQueue: 'nobody-polls',
    workflowType: 'desk',
    ...more,
  });
}

function createPolicyWith(...subscribers: readonly Subscriber[]): Policy {
  return { ...createPolicy(UNBRAKED), subscribers };
}

/** Changes one person as HR does, and commits and dispatches the change. */
async function change(policy: Policy, id: number, more: Partial<EmployeeRecord>): Promise<void> {
  delivery.usePolicy(policy);
  company.set(String(id), { ...(company.get(String(id)) ?? employee(id)), ...more });
  await commitCompany(database, policy, [...company.values()]);
  await delivery.dispatch();
}

const leaveOn = (date: string | null): Partial<EmployeeRecord> => ({ terminationDate: date, lastWorkingDay: date });
const findDelivery = (rows: readonly DeliveryRow[], subscriber: string, kind?: string): DeliveryRow | undefined =>
  rows.find((row) => row.subscriber === subscriber && (kind === undefined || row.kind === kind));
const hasState = (subscriber: string, state: string) => (rows: readonly DeliveryRow[]) =>
  rows.some((row) => row.subscriber === subscriber && row.state === state);
const listKinds = async (id: string): Promise<readonly string[]> =>
  (await listSignals(delivery.temporal.client, id)).map(({ kind }) => kind);
const isClosed = async (id: number): Promise<boolean> => {
  const { status } = await delivery.temporal.client.workflow
    .getHandle(workflowId.employee('default', String(id)))
    .describe();
  return status.name === 'COMPLETED';
};

describe('order', () => {
  test('a stuck delivery holds back later ones of its subscriber, and no others', async () => {
    const policy = createPolicyWith(desk('free'), desk('stuck', { start: false }));
    await change(policy, 1, { ...leaveOn(addDays(TODAY, 30)), position: 'Manager' });
    const rows = await delivery.untilDeliveries(
      1,
      (all) => (findDelivery(all, 'stuck', 'leaver.announced')?.attempts ?? 0) > 1,
    );
    expect(
      rows
        .filter((row) => row.subscriber === 'free' && row.state === 'sent')
        .map((row) => row.kind)
        .sort(),
    ).toEqual(['leaver.announced', 'mover.changed']);
    expect(findDelivery(rows, 'stuck', 'leaver.announced')).toMatchObject({ state: 'waiting', sent_at: null });
    expect(findDelivery(rows, 'stuck', 'leaver.announced')?.last_error).toMatch(/not found/i);
    // Held back by the one before it: never attempted.
    expect(findDelivery(rows, 'stuck', 'mover.changed')).toMatchObject({
      state: 'waiting',
      attempts: 0,
      last_error: null,
    });

    // A subscriber that has yet to get a date also gets its correction, and of equal due times corrections come first.
    await change(policy, 1, { ...leaveOn(addDays(TODAY, 60)), position: 'Director' });
    await delivery.temporal.client.workflow.start('desk', { workflowId: 'stuck:1', taskQueue: 'nobody-polls' });
    await delivery.passTime(1, '1 hour');
    await delivery.untilDeliveries(
      1,
      (all) => all.filter((row) => row.subscriber === 'stuck' && row.state === 'sent').length === 4,
    );
    const order = ['leaver.announced', 'mover.changed', 'leaver.rescheduled', 'mover.changed'];
    expect(await listKinds('stuck:1')).toEqual(order);
    expect((await listKinds('free:1')).slice(2)).toEqual(order.slice(2));
  });

  test('a refused delivery is retried after 1 s, then 2 s, and every attempt counts', async () => {
    await change(createPolicyWith(desk('absent', { start: false, events: ['mover.changed'] })), 2, {
      position: 'Manager',
    });
    await delivery.untilDeliveries(2, (all) => (findDelivery(all, 'absent')?.attempts ?? 0) >= 3);
    await waitUntil(async () => (await listStepTimes(2)).length >= 3);
    const [first = 0, second = 0, third = 0] = await listStepTimes(2);
    expect(second - first).toBeGreaterThan(900);
    expect(third - second).toBeGreaterThan(1_900);
  });
});

async function fetchEvents(id: number) {
  const handle = delivery.temporal.client.workflow.getHandle(workflowId.employee('default', String(id)));
  return (await handle.fetchHistory()).events ?? [];
}

/** Lists the times at which a workflow processed pending work, in milliseconds. */
async function listStepTimes(id: number): Promise<readonly number[]> {
  return (
    (await fetchEvents(id))
      // A local activity is a marker in the history.
      .filter((event) => event.markerRecordedEventAttributes instanceof Object)
      .map((event) => toMs(event.eventTime))
  );
}

/** Lists the times for which a workflow set its timer, in milliseconds, one for each step. */
async function listTimerTimes(id: number): Promise<readonly number[]> {
  const events = await fetchEvents(id);
  return events.flatMap(({ eventTime, timerStartedEventAttributes }) => {
    const wait = timerStartedEventAttributes?.startToFireTimeout;
    return wait instanceof Object ? [toMs(eventTime) + toMs(wait)] : [];
  });
}

const EVERYBODY = { connectionId: 'default', onlyEmployeeId: null };

interface Span {
  readonly begin: number;
  readonly end: number;
}

/** Records when each workflow is signalled from now on, and how long the server takes. Returns a list that grows. */
function recordDispatches({ workflow }: Client): readonly Span[] {
  const spans: Span[] = [];
  const original = workflow.signalWithStart.bind(workflow);
  workflow.signalWithStart = async (type, options) => {
    const begin = performance.now();
    const handle = await original(type, options);
    if (type === WORKFLOW_TYPE.employeeLifecycle) spans.push({ begin, end: performance.now() });
    return handle;
  };
  return spans;
}

/** Merges overlapping spans. */
function mergeOverlaps(spans: readonly Span[]): readonly Span[] {
  const joined: Span[] = [];
  for (const span of spans.toSorted((a, b) => a.begin - b.begin)) {
    const last = joined.at(-1);
    if (last === undefined || span.begin > last.end) joined.push(span);
    else joined[joined.length - 1] = { begin: last.begin, end: Math.max(last.end, span.end) };
  }
  return joined;
}

/** Runs work while others, unknown to Temporal, leave at the same time as one person. */
async function runInCrowd(id: number, size: number, work: () => Promise<void>): Promise<void> {
  await addCrowd(database, size, { like: String(id) });
  try {
    await work();
  } finally {
    await database.run(`delete from personio.lifecycle_events where employee_id like 'crowd-%'`);
  }
}

const toMs = (time: { seconds?: unknown; nanos?: number | null } | null | undefined): number =>
  Number(time?.seconds ?? 0) * 1_000 + (time?.nanos ?? 0) / 1e6;

describe('acknowledgements', () => {
  test('done is final: late, repeated and unknown ones change nothing', async () => {
    await change(createPolicyWith(desk('it')), 3, { position: 'Manager', ...leaveOn(addDays(TODAY, 50)) });
    const [row] = await delivery.untilDeliveries(3, (all) => all.filter(({ state }) => state === 'sent').length === 2);
    const planned = findDelivery(await delivery.listDeliveries(3), 'it', 'leaver.left');
    const deliveryId = row?.delivery_id ?? '';
    const done = { deliveryId, outcome: 'done' as const, note: 'first' };
    await delivery.acknowledge(3, done);
    await delivery.untilDeliveries(3, (all) =>
      all.some((one) => one.delivery_id === deliveryId && one.state === 'acknowledged'),
    );
    await delivery.acknowledge(3, { ...done, outcome: 'failed', note: 'second' });
    await delivery.acknowledge(3, { ...done, note: 'third' });
    await delivery.acknowledge(3, { deliveryId: 'no such one', outcome: 'done' });
    // Of another person, not due yet, and of an undocumented shape.
    await delivery.acknowledge(3, {
      deliveryId: findDelivery(await delivery.listDeliveries(1), 'free')?.delivery_id ?? '',
      outcome: 'done',
    });
    await delivery.acknowledge(3, { deliveryId: planned?.delivery_id ?? '', outcome: 'done' });
    await delivery.acknowledge(3, null as never);
    await delivery.acknowledge(3, { deliveryId: 7, outcome: 'DONE' } as never);
    const other = findDelivery(
      await delivery.listDeliveries(3),
      'it',
      row?.kind === 'mover.changed' ? 'leaver.announced' : 'mover.changed',
    );
    await delivery.acknowledge(3, {
      deliveryId: other?.delivery_id ?? '',
      outcome: 'failed',
      note: 'x\u0000'.repeat(400),
    });
    const rows = await delivery.untilDeliveries(3, hasState('it', 'failed'));
    expect(rows.find((one) => one.delivery_id === deliveryId)).toMatchObject({ state: 'acknowledged', note: 'first' });
    expect(rows.find((one) => one.state === 'failed')?.note).toHaveLength(500);
    expect(findDelivery(rows, 'it', 'leaver.left')).toMatchObject({ state: 'waiting', attempts: 0 });
    // A failed one can still become done.
    await delivery.acknowledge(3, { deliveryId: other?.delivery_id ?? '', outcome: 'done' });
    await delivery.untilDeliveries(3, (all) => all.filter(({ state }) => state === 'acknowledged').length === 2);
  });

  test('failed escalates once, like overdue, and is not repeated', async () => {
    const policy = createPolicyWith(desk('it', { escalateTo: 'security' }), desk('security', { events: [] }));
    await change(policy, 4, { position: 'Manager' });
    const [row] = await delivery.untilDeliveries(4, hasState('it', 'sent'));
    await delivery.acknowledge(4, {
      deliveryId: row?.delivery_id ?? '',
      outcome: 'failed',
      note: 'the directory is read-only',
    });
    const rows = await delivery.untilDeliveries(4, hasState('security', 'sent'));
    expect(findDelivery(rows, 'it')).toMatchObject({
      state: 'failed',
      note: 'the directory is read-only',
      attempts: 1,
      acknowledged_at: null,
    });
    await delivery.passTime(4, '2 days');
    await delivery.untilDeliveries(4, hasState('security', 'overdue'));
    const after = await delivery.listDeliveries(4);
    expect(after).toHaveLength(2);
    expect(findDelivery(after, 'it')).toMatchObject({ state: 'failed', attempts: 1 });
    const [escalated] = await listSignals(delivery.temporal.client, 'security:4');
    expect(escalated).toMatchObject({
      purpose: 'escalation',
      subscriber: 'security',
      kind: 'mover.changed',
      eventId: findDelivery(rows, 'it')?.delivery_id.replace(/:it$/, ''),
    });
  });

  test('the workflow ends when nothing is open, and the next event starts it again', async () => {
    await change(createPolicyWith(desk('it')), 5, { position: 'Manager' });
    const [row] = await delivery.untilDeliveries(5, hasState('it', 'sent'));
    await delivery.acknowledge(5, { deliveryId: row?.delivery_id ?? '', outcome: 'done' });
    await waitUntil(async () => isClosed(5));
    await change(createPolicyWith(desk('it')), 5, { position: 'Director' });
    const rows = await delivery.untilDeliveries(5, hasState('it', 'sent'));
    expect(rows.map(({ state }) => state)).toEqual(['acknowledged', 'sent']);
  });

  test('none is lost while the workflow ends or continues as new', async () => {
    const policy = createPolicyWith(desk('it'));
    for (let round = 0; round < 6; round++) {
      await change(policy, 6, { position: `Position ${round}` });
      const rows = await delivery.untilDeliveries(6, hasState('it', 'sent'));
      // The worker is down: it finds many signals in one task.
      if (round % 2 === 0) await delivery.stopWorker();
      const signals = Array.from({ length: 20 }, async () =>
        delivery.acknowledge(6, { deliveryId: rows.at(-1)?.delivery_id ?? '', outcome: 'done' }),
      );
      // The first one ends the workflow; later ones find no workflow that waits.
      const refused = (await Promise.allSettled(signals)).filter(({ status }) => status === 'rejected');
      expect(refused.length).toBeLessThan(signals.length);
      if (round % 2 === 0) await delivery.startWorker();
      await delivery.untilDeliveries(6, (all) => all.every(({ state }) => state === 'acknowledged'));
    }
  });
});

/** Waits until an activity of this person's workflow has failed with a message and is retried. */
async function waitForActivityFailure(id: number, reason: string): Promise<void> {
  const handle = delivery.temporal.client.workflow.getHandle(workflowId.employee('default', String(id)));
  await waitUntil(async () => {
    const { raw } = await handle.describe();
    return (raw.pendingActivities ?? []).some(({ lastFailure }) => lastFailure?.message?.includes(reason) === true);
  });
}

describe('a step that fails', () => {
  test('continues as a regular activity, visibly, until it succeeds', async () => {
    const policy = createPolicyWith(desk('it'));
    await change(policy, 17, { position: 'Manager' });
    await delivery.untilDeliveries(17, hasState('it', 'sent'));
    delivery.usePolicy({
      ...policy,
      get subscribers(): never {
        throw new TypeError('a worker that is broken');
      },
    });
    await delivery.passTime(17, '2 days');
    await waitForActivityFailure(17, 'TypeError');
    delivery.usePolicy(policy);
    const rows = await delivery.untilDeliveries(17, (all) => findDelivery(all, 'it')?.attempts === 2);
    expect(findDelivery(rows, 'it')).toMatchObject({ state: 'overdue' });
  });
});

test('a step does not wait for a long commit of the same company, and is retried', async () => {
  await change(createPolicyWith(desk('it')), 19, leaveOn(addDays(TODAY, 30)));
  await delivery.untilDeliveries(19, hasState('it', 'sent'));
  await database.transaction(async (transaction) => {
    await transaction.run('select pg_advisory_xact_lock(hashtextextended($1, 0))', ['personio:default:employees']);
    await delivery.passTime(19, '32 days');
    await waitForActivityFailure(19, '55P03');
  });
  await delivery.untilDeliveries(19, (all) => findDelivery(all, 'it', 'leaver.left')?.state === 'sent');
});

describe('silence', () => {
  test('is overdue at a fixed deadline, escalated once, and sent again with a reason', async () => {
    const policy = createPolicyWith(
      desk('it', { acknowledgeWithinSeconds: 3_600, escalateTo: 'security' }),
      desk('security', { events: [] }),
    );
    await change(policy, 7, { position: 'Manager' });
    const [first] = await delivery.untilDeliveries(7, hasState('it', 'sent'));
    expect(Date.parse(first?.deadline_at ?? '') - Date.parse(first?.sent_at ?? '')).toBeLessThanOrEqual(3_600_000);
    await delivery.passTime(7, '61 minutes');
    const rows = await delivery.untilDeliveries(
      7,
      (all) =>
        hasState('it', 'overdue')(all) && hasState('security', 'sent')(all) && findDelivery(all, 'it')?.attempts === 2,
    );
    const deadline = findDelivery(rows, 'it')?.deadline_at;
    expect(Date.parse(deadline ?? '')).toBeLessThan(Date.now());
    expect(findDelivery(rows, 'it')?.last_error).toMatch(/no worker polls its task queue nobody-polls/);
    // Again after its workflow was terminated: a new one starts with the same delivery.
    await delivery.temporal.client.workflow.getHandle('it:7').terminate();
    await delivery.passTime(7, '61 minutes');
    const again = await delivery.untilDeliveries(7, (all) => findDelivery(all, 'it')?.attempts === 3);
    expect(findDelivery(again, 'it')?.last_error).toMatch(/ended \(TERMINATED\) without an acknowledgement/);
    expect(again.filter((row) => row.purpose === 'escalation')).toHaveLength(1);
    const received = await listSignals(delivery.temporal.client, 'it:7');
    expect(new Set(received.map(({ deliveryId }) => deliveryId)).size).toBe(1);
    const person = await delivery.temporal.client.workflow.getHandle(workflowId.employee('default', '7')).describe();
    expect(person.typedSearchAttributes.get(defineSearchAttributeKey('PersonioOutcome', 'KEYWORD'))).toBe('overdue');
    expect(person.typedSearchAttributes.get(defineSearchAttributeKey('PersonioEmployeeId', 'KEYWORD'))).toBe('7');
    await delivery.acknowledge(7, { deliveryId: findDelivery(rows, 'it')?.delivery_id ?? '', outcome: 'done' });
    await delivery.untilDeliveries(7, hasState('it', 'acknowledged'));
  });

  test('of a failed workflow is followed by a new one, and the row says why', async () => {
    const connection = await connectWorker(delivery.target, 10_000);
    const desks = runWorkers([
      await Worker.create({
        connection,
        namespace: delivery.target.namespace,
        taskQueue: 'broken-desk',
        activities: {
          applyToDirectory: async () =>
            Promise.reject(ApplicationFailure.nonRetryable('The directory is gone for good.')),
        },
        ...resolveWorkflowCode('demo-workflow-bundle', '../../workflows/demo-downstream.js', {}),
      }),
    ]);
    try {
      await change(createPolicyWith(desk('broken', { workflowType: 'demoDownstream', taskQueue: 'broken-desk' })), 18, {
        position: 'Manager',
      });
      const handle = delivery.temporal.client.workflow.getHandle('broken:18');
      await delivery.untilDeliveries(18, hasState('broken', 'sent'));
      await waitUntil(async () => (await handle.describe()).status.name === 'FAILED');
      await delivery.passTime(18, '25 hours');
      const rows = await delivery.untilDeliveries(18, (all) => (findDelivery(all, 'broken')?.attempts ?? 0) >= 2);
      expect(findDelivery(rows, 'broken')).toMatchObject({ state: 'overdue', acknowledged_at: null });
      expect(findDelivery(rows, 'broken')?.last_error).toMatch(/ended \(FAILED\) without an acknowledgement/);
    } finally {
      desks.shutdown();
      await desks.done;
      await connection.close();
    }
  });

  test('before acceptance is overdue as well, and dead after 28 days', async () => {
    const policy = createPolicyWith(
      desk('absent', { start: false, events: ['mover.changed', 'leaver.announced'], escalateTo: 'security' }),
      desk('security', { events: [] }),
    );
    await change(policy, 8, { position: 'Manager' });
    await delivery.untilDeliveries(8, (all) => (findDelivery(all, 'absent')?.attempts ?? 0) > 0);
    await change(policy, 8, leaveOn(addDays(TODAY, 90)));
    await delivery.passTime(8, '25 hours');
    const rows = await delivery.untilDeliveries(
      8,
      (all) => hasState('absent', 'overdue')(all) && hasState('security', 'sent')(all),
    );
    expect(findDelivery(rows, 'absent', 'mover.changed')).toMatchObject({ state: 'overdue', sent_at: null });
    expect(findDelivery(rows, 'absent', 'leaver.announced')?.attempts).toBe(0);
    await delivery.passTime(8, '27 days');
    const dead = await delivery.untilDeliveries(
      8,
      (all) => hasState('absent', 'dead')(all) && (findDelivery(all, 'absent', 'leaver.announced')?.attempts ?? 0) > 0,
    );
    expect(findDelivery(dead, 'absent', 'mover.changed')?.last_error).toMatch(/not found/i);
  });
});

describe('corrections', () => {
  test('reach those subscribers only that got the corrected date', async () => {
    const told = desk('told', { when: 'detected', events: ['leaver.left', 'leaver.rescheduled', 'leaver.rescinded'] });
    const waits = desk('waits', { events: ['leaver.left', 'leaver.rescheduled', 'leaver.rescinded'] });
    const policy = createPolicyWith(told, waits);
    await change(policy, 9, leaveOn(addDays(TODAY, 40)));
    await delivery.untilDeliveries(9, hasState('told', 'sent'));
    await change(policy, 9, leaveOn(addDays(TODAY, 50)));
    await delivery.untilDeliveries(9, (all) => findDelivery(all, 'told', 'leaver.rescheduled')?.state === 'sent');
    await change(policy, 9, leaveOn(null));
    const rows = await delivery.untilDeliveries(
      9,
      (all) => findDelivery(all, 'told', 'leaver.rescinded')?.state === 'sent',
    );
    expect(rows.filter((row) => row.subscriber === 'waits').map(({ kind, state }) => [kind, state])).toEqual([
      ['leaver.left', 'superseded'],
      ['leaver.left', 'superseded'],
    ]);
    const received = await listSignals(delivery.temporal.client, 'told:9');
    expect(received.map(({ kind }) => kind)).toEqual([
      'leaver.left',
      'leaver.rescheduled',
      'leaver.left',
      'leaver.rescinded',
    ]);
    expect(received[1]?.supersedes).toBe(received[0]?.eventId);
    expect(received[3]?.supersedes).toBe(received[2]?.eventId);

    // Announced again and withdrawn before anything was sent: the deliveries of the former date are closed.
    await delivery.stopWorker();
    const later = createPolicyWith({ ...told, when: 'effective' }, waits);
    await change(later, 9, leaveOn(addDays(TODAY, 70)));
    await change(later, 9, leaveOn(null));
    await delivery.startWorker();
    expect((await delivery.listDeliveries(9)).filter(({ kind }) => kind === 'leaver.rescinded')).toHaveLength(1);
  });

  test('no subscriber closes the accounts of a person who is back', async () => {
    const policy = createPolicyWith(
      desk('absent', { start: false, escalateTo: 'security' }),
      desk('it', { escalateTo: 'security' }),
      desk('security', { events: [] }),
    );
    await change(policy, 10, { ...leaveOn(addDays(TODAY, -1)), status: 'inactive' });
    const first = await delivery.untilDeliveries(
      10,
      (all) => hasState('it', 'sent')(all) && (findDelivery(all, 'absent')?.attempts ?? 0) > 0,
    );
    await change(policy, 10, { ...leaveOn(null), status: 'active', hireDate: TODAY });
    const rows = await delivery.untilDeliveries(
      10,
      (all) => findDelivery(all, 'it', 'joiner.started')?.state === 'sent',
    );
    for (const { delivery_id: id } of first)
      expect(rows.find((row) => row.delivery_id === id)?.state).toBe('superseded');
    await delivery.temporal.client.workflow.start('desk', { workflowId: 'absent:10', taskQueue: 'nobody-polls' });
    await delivery.passTime(10, '1 hour');
    await delivery.untilDeliveries(10, (all) => findDelivery(all, 'absent', 'joiner.started')?.state === 'sent');
    expect(await listKinds('absent:10')).toEqual(['joiner.rehired', 'joiner.started']);
    // A late acknowledgement is harmless.
    await delivery.acknowledge(10, { deliveryId: findDelivery(first, 'it')?.delivery_id ?? '', outcome: 'done' });
    await delivery.acknowledge(10, {
      deliveryId: findDelivery(rows, 'it', 'joiner.rehired')?.delivery_id ?? '',
      outcome: 'done',
    });
    const after = await delivery.untilDeliveries(
      10,
      (all) => findDelivery(all, 'it', 'joiner.rehired')?.state === 'acknowledged',
    );
    expect(after.find((row) => row.delivery_id === findDelivery(first, 'it')?.delivery_id)?.state).toBe('superseded');
  });
});

describe('when', () => {
  test('detected, effective and days before each have their own due time', async () => {
    const only = { events: ['leaver.left'] as const };
    const policy = createPolicyWith(
      desk('now', { ...only, when: 'detected' }),
      desk('then', only),
      desk('before', { ...only, when: { daysBefore: 14 } }),
      desk('missed', { ...only, when: { daysBefore: 60 } }),
    );
    const date = addDays(TODAY, 30);
    await change(policy, 11, leaveOn(date));
    const rows = await delivery.untilDeliveries(
      11,
      (all) => hasState('now', 'sent')(all) && hasState('missed', 'sent')(all),
    );
    const toLocalTime = (row: DeliveryRow | undefined): string =>
      new Date(row?.due_at ?? '').toLocaleString('sv-SE', { timeZone: 'Europe/Berlin' });
    expect(toLocalTime(findDelivery(rows, 'then'))).toBe(`${addDays(date, 1)} 00:00:00`);
    expect(toLocalTime(findDelivery(rows, 'before'))).toBe(`${addDays(date, -13)} 00:00:00`);
    // The row is written before the workflow is signalled.
    let sentence: string | undefined;
    await waitUntil(async () => {
      const state = await delivery.temporal.client.workflow
        .getHandle(workflowId.employee('default', '11'))
        .query<{ items: { sentence: string; subscriber: string }[] }>('state');
      sentence = state.items.find(({ subscriber }) => subscriber === 'then')?.sentence;
      return sentence !== undefined;
    });
    expect(sentence).toMatch(
      /^Waiting until \d+ \w{3} \d{4} 23:59 Europe\/Berlin to tell then that employee 11 has left$/,
    );
    const [missed] = await listSignals(delivery.temporal.client, 'missed:11');
    expect(missed).toMatchObject({ late: true, effectiveDate: date });
    expect((await listSignals(delivery.temporal.client, 'now:11'))[0]).toMatchObject({ late: false });
    await delivery.passTime(11, '17 days');
    await delivery.untilDeliveries(11, hasState('before', 'sent'));
    expect(findDelivery(await delivery.listDeliveries(11), 'then')?.state).toBe('waiting');
    await delivery.passTime(11, '15 days');
    await delivery.untilDeliveries(11, hasState('then', 'sent'));
    const [event] = await database.query(
      `select state, sequence from personio.lifecycle_events where employee_id = '11' and kind = 'leaver.left'`,
    );
    expect(event).toMatchObject({ state: 'due' });
    expect(event?.['sequence']).not.toBeNull();
    expect((await delivery.listDeliveries(11)).filter(({ subscriber }) => subscriber === 'now')).toHaveLength(1);
  });

  test('a due time of one person is exact, and a shared one gets jitter', async () => {
    const date = addDays(TODAY, 33);
    await change(createPolicyWith(desk('it', { events: ['leaver.left'] })), 38, leaveOn(date));
    const [row] = await delivery.untilDeliveries(38, (all) => all.length === 1);
    const waitForDelays = async (looks: number): Promise<readonly number[]> => {
      await waitUntil(async () => (await listTimerTimes(38)).length >= looks);
      return (await listTimerTimes(38)).map((firesAt) => firesAt - Date.parse(row?.due_at ?? ''));
    };
    const [alone = NaN] = await waitForDelays(1);
    expect(Math.abs(alone)).toBeLessThan(1_000);

    const looks = 8;
    await runInCrowd(38, 4_999, async () => {
      for (let look = 1; look <= looks; look++) {
        await delivery.passTime(38, '0 seconds');
        await waitForDelays(1 + look);
      }
    });
    const delays = (await waitForDelays(1 + looks)).slice(1);
    expect(Math.min(...delays)).toBeGreaterThan(-1_000);
    expect(Math.max(...delays)).toBeLessThan(51_000);
    expect(Math.max(...delays) - Math.min(...delays)).toBeGreaterThan(1_000);
  });

  test('a repeated attempt gets no jitter, even if many share the due time', async () => {
    const absent = desk('absent', { start: false, events: ['leaver.left'], when: 'detected' });
    await change(createPolicyWith(absent), 39, leaveOn(addDays(TODAY, 34)));
    await runInCrowd(39, 4_999, async () => {
      await delivery.untilDeliveries(39, (all) => (findDelivery(all, 'absent')?.attempts ?? 0) >= 4);
      await waitUntil(async () => (await listStepTimes(39)).length >= 4);
    });
    const [, , third = 0, fourth = 0] = await listStepTimes(39);
    // Four seconds, plus the time that the servers need.
    expect(fourth - third).toBeLessThan(7_000);
  });

  test('notices are early, share the event id, and follow the date', async () => {
    const policy = {
      ...createPolicyWith(desk('it', { events: ['leaver.left', 'leaver.rescheduled'] })),
      lifecycle: { ...createPolicy(UNBRAKED).lifecycle, noticeDays: [14, 1] },
    };
    await change(policy, 12, leaveOn(addDays(TODAY, 20)));
    await delivery.passTime(12, '7 days');
    const rows = await delivery.untilDeliveries(12, (all) =>
      all.some((row) => row.purpose === 'notice' && row.state === 'sent'),
    );
    expect(rows.map(({ purpose, state }) => [purpose, state])).toEqual([
      ['notice', 'sent'],
      ['notice', 'waiting'],
      ['event', 'waiting'],
    ]);
    const [notice] = await listSignals(delivery.temporal.client, 'it:12');
    expect(notice).toMatchObject({ purpose: 'notice', kind: 'leaver.left' });
    expect(rows.every((row) => row.delivery_id.startsWith(notice?.eventId ?? '?'))).toBe(true);
    await change(policy, 12, leaveOn(addDays(TODAY, 90)));
    const moved = await delivery.untilDeliveries(
      12,
      (all) => findDelivery(all, 'it', 'leaver.rescheduled')?.state === 'sent',
    );
    expect(moved.filter(({ state }) => state === 'superseded')).toHaveLength(2);
  });
});

describe('settings', () => {
  test('a new subscriber gets rows for all planned events, once', async () => {
    const before = createPolicyWith(desk('first', { events: ['leaver.left'] }));
    await change(before, 13, leaveOn(addDays(TODAY, 45)));
    const added = createPolicyWith(
      desk('first', { events: ['leaver.left'] }),
      desk('later', { events: ['leaver.left'], when: 'detected' }),
    );
    delivery.usePolicy(added);
    await delivery.dispatch();
    const rows = await delivery.untilDeliveries(13, hasState('later', 'sent'));
    expect(rows).toHaveLength(2);
    await delivery.dispatch();
    expect(await delivery.listDeliveries(13)).toHaveLength(2);
    // A worker that does not know it yet commits one more event; the next worker that does adds the row.
    await change(before, 17, leaveOn(addDays(TODAY, 46)));
    delivery.usePolicy(added);
    await delivery.dispatch();
    await delivery.untilDeliveries(17, hasState('later', 'sent'));
    // Deliveries that were never attempted get another due time.
    delivery.usePolicy(
      createPolicyWith(
        desk('first', { events: ['leaver.left'], when: 'detected' }),
        desk('later', { events: ['leaver.left'] }),
      ),
    );
    await delivery.dispatch();
    const moved = await delivery.untilDeliveries(13, hasState('first', 'sent'));
    expect(findDelivery(moved, 'later')).toMatchObject({ state: 'sent', attempts: 1 });
  });

  test('another namespace is signalled, and retried if it is gone', async () => {
    const elsewhere = await createNamespace();
    const away = { namespace: elsewhere.target.namespace, events: ['mover.changed'] as const };
    const policy = createPolicyWith(desk('away', away), desk('vanished', { ...away, namespace: 'no-such-namespace' }));
    await change(policy, 14, { position: 'Manager' });
    const rows = await delivery.untilDeliveries(
      14,
      (all) => hasState('away', 'sent')(all) && (findDelivery(all, 'vanished')?.attempts ?? 0) > 1,
    );
    expect(findDelivery(rows, 'vanished')).toMatchObject({ state: 'waiting' });
    expect(findDelivery(rows, 'vanished')?.last_error).toMatch(/namespace/i);
    const [signal] = await listSignals(elsewhere.temporal.client, 'away:14');
    expect(signal?.acknowledge).toEqual({
      namespace: delivery.target.namespace,
      workflowId: workflowId.employee('default', '14'),
      signal: 'acknowledge',
    });
    await elsewhere.temporal.close();
  });
});

describe('dispatch', () => {
  test('takes leavers first, then those whose events are due first', async () => {
    const policy = createPolicyWith(desk('it'), desk('now', { when: 'detected' }));
    await change(policy, 21, leaveOn(addDays(TODAY, 80)));
    await change(policy, 24, { position: 'Manager' });
    await change(policy, 22, { ...leaveOn(addDays(TODAY, -1)), status: 'inactive' });
    await runInCrowd(21, 30, async () => {
      const all = await listOpenPersons(database, EVERYBODY, 'another namespace', 1_000);
      const wanted = ['22', '21', '24', 'crowd-1'];
      const found = all.map(({ employeeId }) => employeeId).filter((id) => wanted.includes(id));
      expect(found).toEqual(wanted);
    });
  });

  test('repeats for people whose workflows are gone, and for no others', async () => {
    await change(createPolicyWith(desk('it')), 15, leaveOn(addDays(TODAY, 80)));
    await delivery.untilDeliveries(15, hasState('it', 'sent'));
    expect(await delivery.dispatch()).toBe(0);
    const handle = delivery.temporal.client.workflow.getHandle(workflowId.employee('default', '15'));
    await handle.terminate();
    await waitUntil(async () => (await delivery.dispatch()) > 0, 60_000);
    expect((await handle.describe()).status.name).toBe('RUNNING');
  });

  test('fills a rebuilt namespace, and rests longer than it works', async () => {
    await change(createPolicyWith(desk('it')), 20, leaveOn(addDays(TODAY, 80)));
    const rebuilt = await startDelivery(database, createPolicyWith(desk('it')));
    const dispatches = recordDispatches(rebuilt.temporal.client);
    await runInCrowd(20, 60, async () => {
      const open = await listOpenPersons(database, EVERYBODY, 'another namespace', 1_000);
      expect(await rebuilt.dispatch()).toBe(open.length);
      expect(dispatches).toHaveLength(open.length);
    });
    const groups = mergeOverlaps(dispatches);
    expect(groups.length).toBeGreaterThan(7);
    for (const [index, { begin }] of groups.entries()) {
      const before = groups[index - 1];
      // Timers of Node may fire a millisecond early.
      if (before !== undefined)
        expect(begin - before.end).toBeGreaterThan(Math.min(16 * (before.end - before.begin), 320) - 2);
    }
    const { count } = await rebuilt.temporal.client.workflow.count(
      `WorkflowType = "${WORKFLOW_TYPE.employeeLifecycle}"`,
    );
    expect(count).toBeGreaterThan(0);
    await rebuilt.close();
  });

  test('does not mark an event that is committed meanwhile', async () => {
    const policy = createPolicyWith(desk('it'));
    await change(policy, 16, { position: 'Manager' });
    await database.run(`update personio.lifecycle_events set handed_over_to = null where employee_id = '16'`);
    company.set('16', { ...(company.get('16') ?? employee(16)), position: 'Director' });
    const [dispatched] = await Promise.all([
      delivery.dispatch(),
      commitCompany(database, policy, [...company.values()]),
    ]);
    expect(dispatched).toBeGreaterThan(0);
    await delivery.dispatch();
    await delivery.untilDeliveries(16, (all) => all.filter(({ state }) => state === 'sent').length === 2);
  });
});
