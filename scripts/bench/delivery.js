/**
 * `npm run bench -- delivery`: measures events that fall due at the same time against a bare workflow that takes the
 * same steps on the same server, then how much they slow a sync down, and the cost of people without due events. See
 * docs/performance.md.
 */
import { Buffer } from 'node:buffer';
import { performance } from 'node:perf_hooks';
import { setTimeout } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { Client, Connection } from '@temporalio/client';
import { parsePolicy } from '../../dist/src/config/policy-file.js';
import { workflowId } from '../../dist/src/contracts/internal/names.js';
import { createDigester } from '../../dist/src/crypto/sealing.js';
import { createEmptyRecord } from '../../dist/src/domain/records.js';
import { commitEmployees } from '../../dist/src/store/employees/commit.js';
import { insertRun } from '../../dist/src/store/runs.js';
import { createStaging, stageRecords } from '../../dist/src/store/staging.js';
import { registerSearchAttributes } from '../../dist/src/temporal/search-attributes.js';
import { createDatabase, startChild, startServers, startWorker, waitUntil } from './machines.js';

const { values } = parseArgs({
  options: {
    events: { type: 'string', default: '10000' },
    pairs: { type: 'string', default: '1' },
    waiting: { type: 'string', default: '50000' },
    attendances: { type: 'string', default: '75000' },
  },
});
const EVENTS = Number(values.events);
/** Events that fall due during a sync: enough to outlast it. */
const EVENTS_MEANWHILE = Math.min(EVENTS, 2_000);
/** People without due events. A tenth of them is measured first, for comparison. */
const WAITING = Number(values.waiting);
const FEW_WAITING = Math.round(WAITING / 10);
/** JSON is YAML. The brake is out of reach, so that no leavers are held. */
const POLICY = JSON.stringify({
  lifecycle: { brake: { leavers: { atLeast: 1_000_000 } } },
  subscribers: [
    {
      name: 'subscriber',
      workflowType: 'acknowledgingSubscriber',
      workflowId: '{connectionId}:{employeeId}',
      taskQueue: 'subscriber',
      events: ['leaver.left'],
    },
  ],
});
const MAX_IN_FLIGHT = 32;
/** Time for two syncs under the limits, with a minute after each, before the events fall due. */
const EMPLOYEES_SYNCS_MS = 150_000;
const ATTENDANCES_SYNCS_MS = 270_000;
/** Connection that is synced. The leavers belong to another one, so that neither changes the other's work. */
const SYNCED = 'synced';
/** History of a workflow that waits: its start, a signal, three events of the workflow task, its effects, a timer. */
const WAITING_HISTORY_LENGTH = 7;
const DAY_MS = 86_400_000;
const say = (line) => process.stdout.write(`${line}\n`);
const round = (number, digits = 2) => Number(number.toFixed(digits));

const servers = await startServers();
const fake = startChild('./fake.js', []);
const fakeUrl = await fake.ask('url');
const connection = await Connection.connect({ address: servers.temporalAddress });
const client = new Client({ connection });
await registerSearchAttributes(connection, 'default');
const subscriber = startChild('./delivery-hosts.js', ['subscriber', servers.temporalAddress]);
let rounds = 0;

/** Calls `work` with the numbers from 1 to `count`, some at a time. */
async function runInParallel(count, work) {
  for (let index = 0; index < count; index += MAX_IN_FLIGHT) {
    const length = Math.min(MAX_IN_FLIGHT, count - index);
    await Promise.all(Array.from({ length }, (_, offset) => work(index + offset + 1)));
  }
}

const countRows = async (database, source) => {
  const [row] = await database.query(`select count(*) as found from ${source}`);
  return row.found;
};

/**
 * Stages a read of a company in which everybody leaves on the same day, or nobody does. Returns the request that
 * commits it.
 *
 * @param lastDay days from today; null: nobody leaves.
 */
async function stageCompany(database, connectionId, count, lastDay) {
  const day = lastDay === null ? null : new Date(Date.now() + lastDay * DAY_MS).toISOString().slice(0, 10);
  const records = Array.from({ length: count }, (_, index) => ({
    ...createEmptyRecord(String(index + 1)),
    position: 'Engineer',
    departmentId: '1',
    department: 'IT',
    office: 'Berlin',
    employmentType: 'internal',
    hireDate: '2020-01-01',
    weeklyWorkingHours: '40',
    terminationDate: day,
    lastWorkingDay: day,
    costCenters: [],
    status: lastDay !== null && lastDay < 0 ? 'inactive' : 'active',
  }));
  const run = { connectionId, endpoint: 'employees', runId: `bench-${connectionId}-${lastDay}` };
  await insertRun(database, run, new Date().toISOString(), null);
  await createStaging(database, run);
  await stageRecords(database, run, { attempt: 1, chunk: null }, { endpoint: 'employees', records });
  const request = { ...run, source: 'v1', attempt: 1, total: count, collectedAt: new Date().toISOString() };
  return { ...request, preview: false, requests: 1, onlyEmployeeId: null };
}

async function commitCompany(database, connectionId, count, lastDay) {
  const request = await stageCompany(database, connectionId, count, lastDay);
  await commitEmployees(database, request, {
    policy: parsePolicy(POLICY).policy,
    digest: createDigester(Buffer.alloc(32, 7)),
  });
}

/** Returns a due time by which all workflows have started: a worker starts more than 22 a second. */
const chooseDueTime = (events) => Date.now() + 20_000 + events * 45;

/**
 * Starts a worker for a company of `count` people, and waits until it has dispatched all of them.
 *
 * @param dueAt due time of all events, in ms since 1970; default: the end of the last day.
 * @param lastDay last day of everybody, in days from today; null: nobody leaves yet.
 */
async function startWaitingCompany(count, { dueAt = null, lastDay = 20 } = {}) {
  rounds += 1;
  const { database, environment } = await createDatabase(servers, fakeUrl, POLICY);
  // Each round has its own connection, since ids of workflows must not repeat.
  const connectionId = `round-${rounds}`;
  await commitCompany(database, connectionId, count, lastDay);
  if (dueAt !== null) {
    for (const table of ['lifecycle_events', 'deliveries'])
      await database.run(`update personio.${table} set due_at = $1`, [new Date(dueAt).toISOString()]);
  }
  const begin = performance.now();
  const worker = startWorker({ ...environment, PERSONIO_CONNECTION: SYNCED });
  const undispatched = 'personio.lifecycle_events where handed_over_to is null';
  await waitUntil(async () => (await countRows(database, undispatched)) === 0);
  const seconds = (performance.now() - begin) / 1_000;
  const stop = async () => {
    await worker.stop();
    await database.close();
  };
  return { connectionId, database, worker, seconds, stop };
}

/** Node's timers may fire a millisecond early. */
const TIMER_MARGIN_MS = 10;

/** Waits for the due time. Throws when it has passed, since the preparations took too long. */
async function waitForDueTime(dueAt) {
  if (Date.now() > dueAt) throw new Error('The events fell due before the preparations were done. Use fewer events.');
  await setTimeout(dueAt - Date.now() + TIMER_MARGIN_MS);
}

/** Counts deliveries that are due and not acknowledged. */
const countOpen = async (database) =>
  countRows(database, `personio.deliveries where due_at <= now() and state <> 'acknowledged'`);
const isEverythingAcknowledged = async (database) => (await countOpen(database)) === 0;

/** Measures our deliveries: returns the seconds from the due time until the last acknowledgement is stored. */
async function measureOurs() {
  const dueAt = chooseDueTime(EVENTS);
  const company = await startWaitingCompany(EVENTS, { dueAt });
  await waitForDueTime(dueAt);
  await waitUntil(async () => isEverythingAcknowledged(company.database));
  const seconds = (Date.now() - dueAt) / 1_000;
  await company.stop();
  return seconds;
}

/** Measures the bare workflow: returns the seconds from the due time until the last row is stored. */
async function measureBare() {
  rounds += 1;
  const { database, url } = await createDatabase(servers, fakeUrl, POLICY);
  await database.run('create table bench (id text primary key)');
  const worker = startChild('./delivery-hosts.js', ['bare', servers.temporalAddress, url]);
  const dueAt = chooseDueTime(EVENTS);
  await runInParallel(EVENTS, async (id) => {
    const name = `${rounds}:${id}`;
    await client.workflow.start('bareDelivery', {
      workflowId: `bare:${name}`,
      taskQueue: 'bare',
      args: [{ id: name, dueAt }],
    });
  });
  await waitForDueTime(dueAt);
  await waitUntil(async () => (await countRows(database, 'bench')) === EVENTS);
  const seconds = (Date.now() - dueAt) / 1_000;
  worker.stop();
  await database.close();
  return seconds;
}

const SIDES = { ours: measureOurs, bare: measureBare };

/** Measures both sides. The order changes with each pair, since the development server slows down as its file grows. */
async function runPair(number) {
  const order = number % 2 === 0 ? ['ours', 'bare'] : ['bare', 'ours'];
  const seconds = {};
  for (const side of order) seconds[side] = await SIDES[side]();
  const formatRate = (elapsed) => `${round(EVENTS / elapsed, 1)} events/s (${round(elapsed, 1)} s)`;
  say(
    `pair ${number}: ours ${formatRate(seconds.ours)}, bare workflow ${formatRate(seconds.bare)}, ` +
      `ratio of the rates ${round(seconds.bare / seconds.ours)}`,
  );
}

/** Prepares a company in which everybody leaves at a time that is known before: their workflows wait for it. */
async function prepareKnown(syncsMs) {
  const dueAt = chooseDueTime(EVENTS_MEANWHILE) + syncsMs;
  const company = await startWaitingCompany(EVENTS_MEANWHILE, { dueAt });
  return { ...company, makeDue: async () => waitForDueTime(dueAt) };
}

/** Prepares a company in which everybody has left by one approved read: the run that commits it dispatches them. */
async function prepareApproved() {
  const company = await startWaitingCompany(EVENTS_MEANWHILE, { lastDay: null });
  const { database, connectionId } = company;
  const makeDue = async () => {
    const request = await stageCompany(database, connectionId, EVENTS_MEANWHILE, -1);
    await client.workflow.start('detectLifecycleTransitions', {
      taskQueue: 'personio-sync',
      workflowId: request.runId,
      args: [request],
    });
    await waitUntil(async () => (await countOpen(database)) > 0);
  };
  return { ...company, makeDue };
}

const CHANGES = [
  { name: 'known-before', prepare: prepareKnown },
  { name: 'approved', prepare: prepareApproved },
];

/** Measures a sync alone and while events are due, under Personio's limits. */
async function measureSync(change, { type, input, syncsMs }) {
  const company = await change.prepare(syncsMs);
  const sync = async (name) => {
    const begin = performance.now();
    const { received } = await client.workflow.execute(type, {
      taskQueue: 'personio-sync',
      workflowId: `bench-${type}-${change.name}-${name}`,
      args: [{ connection: SYNCED, ...input }],
    });
    return { received, seconds: (performance.now() - begin) / 1_000 };
  };
  await sync('first');
  // Let the minute of the rate limits pass.
  await setTimeout(61_000);
  const alone = await sync('alone');
  await setTimeout(61_000);
  await company.makeDue();
  const begin = performance.now();
  const meanwhile = await sync('meanwhile');
  const open = await countOpen(company.database);
  await waitUntil(async () => isEverythingAcknowledged(company.database));
  const seconds = (performance.now() - begin) / 1_000;
  await company.stop();
  say(
    `${type} of ${alone.received}: ${round(alone.seconds)} s alone, ${round(meanwhile.seconds)} s while ` +
      `${EVENTS_MEANWHILE} events were due (${change.name}; ${open} still open at its end), ` +
      `${round(meanwhile.seconds / alone.seconds)} times; all were acknowledged after ${round(seconds, 1)} s`,
  );
}

/** Measures the cost of people without due events. */
async function measureWaiting() {
  for (const count of [FEW_WAITING, WAITING]) {
    const { connectionId, database, worker, seconds, stop } = await startWaitingCompany(count);
    const [last] = await database.query('select max(employee_id) as id from personio.lifecycle_events');
    const handle = client.workflow.getHandle(workflowId.employee(connectionId, last.id));
    // The last one dispatched waits once its workflow has completed its first task.
    await waitUntil(async () => (await handle.describe()).historyLength >= WAITING_HISTORY_LENGTH);
    const { historyLength, historySize } = await handle.describe();
    say(
      `${count} people wait: dispatched in ${round(seconds, 1)} s (${round(count / seconds, 1)}/s), ` +
        `an open workflow each, with ${historyLength} events and ${historySize} bytes of history; ` +
        `the worker's peak is ${Math.round(worker.readPeakMiB())} MiB`,
    );
    await stop();
  }
}

try {
  for (let number = 1; number <= Number(values.pairs); number++) await runPair(number);
  if (Number(values.attendances) > 0) {
    const { from, to } = await fake.ask('window', Number(values.attendances));
    const attendances = { type: 'syncAttendances', input: { window: { from, to } }, syncsMs: ATTENDANCES_SYNCS_MS };
    for (const change of CHANGES) {
      await measureSync(change, { type: 'syncEmployees', input: {}, syncsMs: EMPLOYEES_SYNCS_MS });
      await measureSync(change, attendances);
    }
  }
  if (WAITING > 0) await measureWaiting();
} finally {
  subscriber.stop();
  fake.stop();
  await connection.close();
  await servers.stop();
}
