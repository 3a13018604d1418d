/**
 * `npm run bench -- delivery`: events that fall due at one moment, beside a bare workflow that takes the same steps on the same server; what a sync notices
 * of it; and what many people cost who only wait. See docs/performance.md.
 */
import { Buffer } from 'node:buffer';
import { performance } from 'node:perf_hooks';
import { setTimeout } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { Client, Connection } from '@temporalio/client';
import { parsePolicy } from '../../dist/src/config/policy-file.js';
import { workflowId } from '../../dist/src/contracts/internal/names.js';
import { digester } from '../../dist/src/crypto/sealing.js';
import { commitEmployees } from '../../dist/src/store/employees/commit.js';
import { insertRun } from '../../dist/src/store/runs.js';
import { createStaging, stageRecords } from '../../dist/src/store/staging.js';
import { registerSearchAttributes } from '../../dist/src/temporal/search-attributes.js';
import { freshDatabase, startAsked, startServers, startWorker, until } from './machines.js';

const { values } = parseArgs({
  options: {
    events: { type: 'string', default: '10000' },
    pairs: { type: 'string', default: '1' },
    waiting: { type: 'string', default: '50000' },
    attendances: { type: 'string', default: '75000' },
  },
});
const EVENTS = Number(values.events);
/** As many as a sync cannot outlast. */
const MEANWHILE = Math.min(EVENTS, 2_000);
/** People whose events are far away; the first of them show what a worker needs for few. */
const WAITING = Number(values.waiting);
const FEW_WAITING = Math.round(WAITING / 10);
/** The brake is lifted: whoever leaves counts as approved. */
const POLICY =
  'lifecycle: { brake: { leavers: { atLeast: 1000000 } } }\n' +
  'subscribers: [{ name: told, workflowType: answeringTeam, workflowId: "{connectionId}:{employeeId}", taskQueue: told, events: [leaver.left] }]\n';
const IN_FLIGHT = 32;
/** Two syncs under the limits, with a minute between them, and one before the moment. */
const EMPLOYEES_SYNCS_MS = 150_000;
const ATTENDANCES_SYNCS_MS = 270_000;
/** The company that is read; those who leave are of another one, so that neither changes the other's work. */
const SYNCED = 'synced';
/** Started, signalled, the three of a workflow task, what it did, its timer. */
const EVENTS_OF_ONE_WHO_WAITS = 7;
const DAY_MS = 86_400_000;
const say = (line) => process.stdout.write(`${line}\n`);
const round = (number, digits = 2) => Number(number.toFixed(digits));

const servers = await startServers();
const fake = startAsked('./fake.js', []);
const fakeUrl = await fake.ask('url');
const connection = await Connection.connect({ address: servers.temporalAddress });
const client = new Client({ connection });
await registerSearchAttributes(connection, 'default');
const told = startAsked('./delivery-hosts.js', ['told', servers.temporalAddress]);
let rounds = 0;

async function inParallel(count, work) {
  for (let index = 0; index < count; index += IN_FLIGHT)
    await Promise.all(Array.from({ length: Math.min(IN_FLIGHT, count - index) }, (_, at) => work(index + at + 1)));
}

const countOf = async (database, condition) => {
  const [row] = await database.query(`select count(*) as found from ${condition}`);
  return row.found;
};

/**
 * Stages a read of a company in which everybody leaves on the same day, or nobody does.
 *
 * @param lastDay days from today; null: nobody leaves.
 * @returns what commits it.
 */
async function stagedCompany(database, connectionId, count, lastDay) {
  const day = lastDay === null ? null : new Date(Date.now() + lastDay * DAY_MS).toISOString().slice(0, 10);
  const unknown = {
    email: null,
    firstName: null,
    lastName: null,
    preferredName: null,
    supervisorId: null,
    team: null,
    subcompany: null,
    contractEndDate: null,
    terminationType: null,
    attributes: {},
    absentAttributes: [],
  };
  const records = Array.from({ length: count }, (_, index) => ({
    ...unknown,
    employeeId: String(index + 1),
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
  await stageRecords(database, run, { reading: 1, chunk: null }, { endpoint: 'employees', records });
  const request = { ...run, source: 'v1', reading: 1, total: count, collectedAt: new Date().toISOString() };
  return { ...request, preview: false, requests: 1, onlyEmployeeId: null };
}

async function commitCompany(database, connectionId, count, lastDay) {
  const request = await stagedCompany(database, connectionId, count, lastDay);
  await commitEmployees(database, request, {
    policy: parsePolicy(POLICY).policy,
    digest: digester(Buffer.alloc(32, 7)),
  });
}

/** When so many events are due: late enough to start all workflows before, of which a worker starts more than 22 in a second. */
const soon = (events) => Date.now() + 20_000 + events * 45;

/**
 * A worker with so many people, all handed over to their workflows, which the worker does when it starts.
 *
 * @param dueAt the moment of all events, in ms since 1970; default: the end of their last day.
 * @param lastDay when all of them leave, in days from today; null: nobody leaves yet.
 */
async function waitingCompany(count, { dueAt = null, lastDay = 20 } = {}) {
  rounds += 1;
  const { database, environment } = await freshDatabase(servers, fakeUrl, POLICY);
  // A connection of its own, since the workflows of one company have ids that another round would meet again.
  const connectionId = `round-${rounds}`;
  await commitCompany(database, connectionId, count, lastDay);
  if (dueAt !== null) {
    for (const table of ['lifecycle_events', 'deliveries'])
      await database.run(`update personio.${table} set due_at = $1`, [new Date(dueAt).toISOString()]);
  }
  const begin = performance.now();
  const worker = startWorker({ ...environment, PERSONIO_CONNECTION: SYNCED });
  await until(async () => (await countOf(database, 'personio.lifecycle_events where handed_over_to is null')) === 0);
  const seconds = (performance.now() - begin) / 1_000;
  const stop = async () => {
    await worker.stop();
    await database.close();
  };
  return { connectionId, database, worker, seconds, stop };
}

/** A timer of Node's may fire a millisecond early. */
const NOT_BEFORE_MS = 10;

/** Waits for the moment; what comes before it has to be done by then. */
async function arrival(dueAt) {
  if (Date.now() > dueAt) throw new Error('The moment came before everything that comes before it was done.');
  await setTimeout(dueAt - Date.now() + NOT_BEFORE_MS);
}

/** @returns how many deliveries are due and not acknowledged. */
const countOpen = async (database) =>
  countOf(database, `personio.deliveries where due_at <= now() and state <> 'acknowledged'`);
const isEverythingAcknowledged = async (database) => (await countOpen(database)) === 0;

/** @returns seconds from the common moment until the last acknowledgement is stored. */
async function ours() {
  const dueAt = soon(EVENTS);
  const company = await waitingCompany(EVENTS, { dueAt });
  await arrival(dueAt);
  await until(async () => isEverythingAcknowledged(company.database));
  const seconds = (Date.now() - dueAt) / 1_000;
  await company.stop();
  return seconds;
}

async function bare() {
  rounds += 1;
  const { database, url } = await freshDatabase(servers, fakeUrl, POLICY);
  await database.run('create table bench (id text primary key)');
  const worker = startAsked('./delivery-hosts.js', ['bare', servers.temporalAddress, url]);
  const dueAt = soon(EVENTS);
  await inParallel(EVENTS, async (id) => {
    const name = `${rounds}:${id}`;
    await client.workflow.start('bareDelivery', {
      workflowId: `bare:${name}`,
      taskQueue: 'bare',
      args: [{ id: name, dueAt }],
    });
  });
  await arrival(dueAt);
  await until(async () => (await countOf(database, 'bench')) === EVENTS);
  const seconds = (Date.now() - dueAt) / 1_000;
  worker.stop();
  await database.close();
  return seconds;
}

/** The order changes with each pair: the development server slows down as its file grows. */
async function pair(number) {
  const order = number % 2 === 0 ? [ours, bare] : [bare, ours];
  const seconds = {};
  for (const run of order) seconds[run.name] = await run();
  const rate = (found) => `${round(EVENTS / found, 1)} events/s (${round(found, 1)} s)`;
  say(
    `pair ${number}: ours ${rate(seconds.ours)}, bare workflow ${rate(seconds.bare)}, ratio of the rates ${round(seconds.bare / seconds.ours)}`,
  );
}

/** All leave at a moment that is known before: their workflows wait for it. */
async function knownBefore(syncsMs) {
  const dueAt = soon(MEANWHILE) + syncsMs;
  const company = await waitingCompany(MEANWHILE, { dueAt });
  return { ...company, happen: async () => arrival(dueAt) };
}

/** All have left by the same read, which was approved: the run that commits it hands them over at once. */
async function approved() {
  const company = await waitingCompany(MEANWHILE, { lastDay: null });
  const { database, connectionId } = company;
  const happen = async () => {
    const request = await stagedCompany(database, connectionId, MEANWHILE, -1);
    await client.workflow.start('detectLifecycleTransitions', {
      taskQueue: 'personio-sync',
      workflowId: request.runId,
      args: [request],
    });
    await until(async () => (await countOpen(database)) > 0);
  };
  return { ...company, happen };
}

/** The same sync alone and while everything is due, under Personio's limits. */
async function syncMeanwhile(change, { type, input, syncsMs }) {
  const company = await change(syncsMs);
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
  // The limits of a minute begin anew.
  await setTimeout(61_000);
  const alone = await sync('alone');
  await setTimeout(61_000);
  await company.happen();
  const begin = performance.now();
  const together = await sync('together');
  const open = await countOpen(company.database);
  await until(async () => isEverythingAcknowledged(company.database));
  const seconds = (performance.now() - begin) / 1_000;
  await company.stop();
  say(
    `${type} of ${alone.received}: ${round(alone.seconds)} s alone, ${round(together.seconds)} s while ${MEANWHILE} events were due ` +
      `(${change.name}; ${open} still open at its end), ${round(together.seconds / alone.seconds)} times; all were acknowledged after ${round(seconds, 1)} s`,
  );
}

/** What people cost of whom nothing is due. */
async function waiting() {
  for (const count of [FEW_WAITING, WAITING]) {
    const { connectionId, database, worker, seconds, stop } = await waitingCompany(count);
    const [last] = await database.query('select max(employee_id) as id from personio.lifecycle_events');
    const handle = client.workflow.getHandle(workflowId.employee(connectionId, last.id));
    // Whoever was handed over last waits when its workflow has closed its first task.
    await until(async () => (await handle.describe()).historyLength >= EVENTS_OF_ONE_WHO_WAITS);
    const { historyLength, historySize } = await handle.describe();
    say(
      `${count} people wait: handed over in ${round(seconds, 1)} s (${round(count / seconds, 1)}/s), an open workflow each, with ${historyLength} events and ` +
        `${historySize} bytes of history; the worker's peak is ${Math.round(worker.peakMiB())} MiB`,
    );
    await stop();
  }
}

try {
  for (let number = 1; number <= Number(values.pairs); number++) await pair(number);
  if (Number(values.attendances) > 0) {
    const { from, to } = await fake.ask('window', Number(values.attendances));
    const attendances = { type: 'syncAttendances', input: { window: { from, to } }, syncsMs: ATTENDANCES_SYNCS_MS };
    for (const change of [knownBefore, approved]) {
      await syncMeanwhile(change, { type: 'syncEmployees', input: {}, syncsMs: EMPLOYEES_SYNCS_MS });
      await syncMeanwhile(change, attendances);
    }
  }
  if (WAITING > 0) await waiting();
} finally {
  told.stop();
  fake.stop();
  await connection.close();
  await servers.stop();
}
