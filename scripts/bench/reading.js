/**
 * `npm run bench -- reading`: runs our sync, through Temporal, and a bare loop in turn, on the same demo company and
 * PostgreSQL. `--limits` applies Personio's limits and compares our time with the least that they allow. See
 * docs/performance.md.
 */
import { performance } from 'node:perf_hooks';
import { setTimeout } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { Client, Connection } from '@temporalio/client';
import { UNLIMITED, createDatabase, startChild, startServers, startWorker, waitUntil } from './machines.js';

const { values } = parseArgs({
  options: {
    employees: { type: 'string', default: '10000' },
    attendances: { type: 'string', default: '200000' },
    large: { type: 'string', default: '1000000' },
    pairs: { type: 'string', default: '3' },
    limits: { type: 'boolean', default: false },
  },
});
/** Idle sessions of PostgreSQL report their writes after ten seconds at the latest. */
const SETTLE_MS = 10_500;
const WORKFLOW = { employees: 'syncEmployees', attendances: 'syncAttendances' };
const CURRENT_TABLES = ['employees', 'employee_history', 'departments', 'attendance_periods', 'time_off_types'];
const round = (number, digits = 1) => Number(number.toFixed(digits));
const say = (line) => process.stdout.write(`${line}\n`);

const servers = await startServers();
const fake = startChild('./fake.js', [values.employees]);
const fakeUrl = await fake.ask('url');
const connection = await Connection.connect({ address: servers.temporalAddress });
const client = new Client({ connection });
let started = 0;

/** Returns what the database has written so far: bytes of WAL, and tuples of the current tables. */
async function readWritten(database) {
  await database.run('select pg_stat_force_next_flush()');
  const [row] = await database.query(
    `select
       pg_current_wal_lsn() - '0/0' as wal,
       coalesce(sum(n_tup_ins + n_tup_upd + n_tup_del), 0) as tuples
     from pg_stat_user_tables
     where schemaname = 'personio'
       and relname = any($1)`,
    [CURRENT_TABLES],
  );
  return { wal: Number(row.wal), tuples: Number(row.tuples) };
}

/** Measures one pass. `work` resolves to its figures, with the number of rows. */
async function measure(database, work) {
  const before = { ...(await readWritten(database)), requests: await fake.ask('requests') };
  const begin = performance.now();
  const figures = await work();
  const seconds = (performance.now() - begin) / 1_000;
  await setTimeout(SETTLE_MS);
  const after = { ...(await readWritten(database)), requests: await fake.ask('requests') };
  return {
    ...figures,
    seconds,
    rowsPerSecond: Math.round(figures.rows / seconds),
    requests: after.requests - before.requests,
    tuples: after.tuples - before.tuples,
    walMiB: round((after.wal - before.wal) / 1_048_576),
  };
}

async function syncOnce(worker, endpoint, window) {
  started += 1;
  const handle = await client.workflow.start(WORKFLOW[endpoint], {
    taskQueue: 'personio-sync',
    workflowId: `bench-${endpoint}-${started}`,
    args: endpoint === 'attendances' ? [{ window: { from: window.from, to: window.to } }] : [],
  });
  const result = await handle.result();
  const { historyLength } = await handle.describe();
  return { rows: result.received, events: historyLength, peakMiB: worker.readPeakMiB() };
}

/** Returns whether the worker polls its queues. The start of a process is not measured, on either side. */
async function isWorkerReady() {
  const havePollers = await Promise.all(
    Object.entries({ 'personio-sync': 1, 'personio-api': 2 }).map(async ([name, taskQueueType]) => {
      const { pollers } = await client.workflowService.describeTaskQueue({
        namespace: 'default',
        taskQueue: { name },
        taskQueueType,
      });
      return pollers.length > 0;
    }),
  );
  return havePollers.every(Boolean);
}

/** Runs our sync of each endpoint twice on an empty database. */
async function runOurs(endpoints, window) {
  const { database, environment } = await createDatabase(servers, fakeUrl, values.limits ? '' : UNLIMITED);
  const worker = startWorker(environment);
  try {
    await waitUntil(isWorkerReady);
    return await runPasses(endpoints, async (endpoint) => {
      // The first read of employees starts a workflow for each upcoming start and end date.
      await worker.waitUntilIdle();
      return measure(database, async () => syncOnce(worker, endpoint, window));
    });
  } finally {
    await worker.stop();
    await database.close();
  }
}

/** Runs the bare loop for each endpoint twice on an empty database. */
async function runBare(endpoints, window) {
  const { database, url } = await createDatabase(servers, fakeUrl, UNLIMITED);
  const loop = startChild('./bare-loop.js', [url, fakeUrl]);
  try {
    await loop.ask('ready');
    return await runPasses(endpoints, async (endpoint) =>
      measure(database, async () => loop.ask('pass', { endpoint, window })),
    );
  } finally {
    loop.stop();
    await database.close();
  }
}

/** Runs a first pass of each endpoint, then one where nothing has changed. Returns the figures of each by its name. */
async function runPasses(endpoints, runPass) {
  const figures = {};
  for (const kind of ['first', 'unchanged'])
    for (const endpoint of endpoints) figures[`${endpoint}, ${kind}`] = await runPass(endpoint);
  return figures;
}

function printFigures(side, name, figures) {
  const { rows, seconds, rowsPerSecond, requests, tuples, walMiB, peakMiB, events, databaseMs } = figures;
  const columns = [
    side.padEnd(5),
    name.padEnd(24),
    `${String(rows).padStart(8)} rows`,
    `${seconds.toFixed(2).padStart(8)} s`,
    `${String(rowsPerSecond).padStart(7)} rows/s`,
    `${String(requests).padStart(6)} requests`,
    `${String(tuples).padStart(8)} tuples`,
    `${walMiB.toFixed(1).padStart(7)} MiB of WAL,`,
    `peak ${Math.round(peakMiB)} MiB,`,
    events === undefined ? `merge ${Math.round(databaseMs)} ms` : `${events} history events`,
  ];
  say(columns.join(' '));
}

const SIDES = { ours: runOurs, bare: runBare };

/** Runs ours and the bare loop one after the other. The order changes with each pair. */
async function runPair(number, endpoints, window) {
  const order = number % 2 === 0 ? ['bare', 'ours'] : ['ours', 'bare'];
  const found = {};
  for (const side of order) found[side] = await SIDES[side](endpoints, window);
  for (const name of Object.keys(found.ours)) {
    printFigures('ours', name, found.ours[name]);
    printFigures('bare', name, found.bare[name]);
    say(`      ${name.padEnd(24)} ratio ${round(found.ours[name].seconds / found.bare[name].seconds, 2)}`);
  }
  return found.ours;
}

/** Compares the large window with the bare loop, and its memory with that of a tenth of the rows. */
async function runLargePair() {
  const large = await fake.ask('window', Number(values.large));
  say(`${large.count} attendances (${large.from} to ${large.to})`);
  const manyRows = await runPair(1, ['attendances'], large);
  const tenth = await fake.ask('window', Number(values.large) / 10);
  const fewRows = await runOurs(['attendances'], tenth);
  const [many, few] = [manyRows, fewRows].map((figures) => figures['attendances, unchanged'].peakMiB);
  say(
    `      peak of ${large.count} attendances ${Math.round(many)} MiB, of ${tenth.count} ${Math.round(few)} MiB: ` +
      `${round(many / few, 2)} times that`,
  );
}

/** Returns the least time in which the limits allow `requests` requests: bursts of `perSecond`, `perMinute` in all. */
function computeLeastSeconds(requests, perSecond = 15, perMinute = 300) {
  const rest = (requests - 1) % perMinute;
  return Math.floor((requests - 1) / perMinute) * 60 + Math.floor(rest / perSecond);
}

async function runUnderLimits(window) {
  await fake.ask('limit');
  say(
    'Under the limits: 300 requests a minute and 15 a second per endpoint, 2,000 a minute for all of v1, ' +
      '60 token exchanges a minute.',
  );
  const exchangesBefore = await fake.ask('exchanges');
  const found = await runOurs(['employees', 'attendances'], window);
  for (const [name, figures] of Object.entries(found)) {
    printFigures('ours', name, figures);
    const least = computeLeastSeconds(figures.requests);
    const ratio = round(figures.seconds / Math.max(least, 1), 2);
    say(`      ${name.padEnd(24)} the limits require ${least} s: ${ratio} times that`);
  }
  const exchanges = (await fake.ask('exchanges')) - exchangesBefore;
  say(`      ${await fake.ask('refused')} responses with 429, ${exchanges} token exchanges`);
}

try {
  const window = await fake.ask('window', Number(values.attendances));
  say(`${values.employees} employees and ${window.count} attendances (${window.from} to ${window.to}).`);
  if (values.limits) await runUnderLimits(window);
  else {
    for (let number = 1; number <= Number(values.pairs); number++) {
      say(`pair ${number}`);
      await runPair(number, ['employees', 'attendances'], window);
    }
    if (Number(values.large) > 0) await runLargePair();
  }
} finally {
  await connection.close();
  fake.stop();
  await servers.stop();
}
