/**
 * `npm run bench -- reading`: our sync through Temporal beside a bare loop, on the same made-up company and PostgreSQL, in turn. `--limits` puts Personio's limits on the
 * company and says how much longer than they require we took. See docs/performance.md.
 */
import { performance } from 'node:perf_hooks';
import { setTimeout } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { Client, Connection } from '@temporalio/client';
import { UNLIMITED, freshDatabase, startAsked, startServers, startWorker, until } from './machines.js';

const { values } = parseArgs({
  options: {
    employees: { type: 'string', default: '10000' },
    attendances: { type: 'string', default: '200000' },
    large: { type: 'string', default: '1000000' },
    pairs: { type: 'string', default: '3' },
    limits: { type: 'boolean', default: false },
  },
});
/** Idle sessions of PostgreSQL report what they wrote after ten seconds at the latest. */
const SETTLE_MS = 10_500;
const WORKFLOW = { employees: 'syncEmployees', attendances: 'syncAttendances' };
const CURRENT = ['employees', 'employee_history', 'departments', 'attendance_periods', 'time_off_types'];
const round = (number, digits = 1) => Number(number.toFixed(digits));
const say = (line) => process.stdout.write(`${line}\n`);

const servers = await startServers();
const fake = startAsked('./fake.js', [values.employees]);
const fakeUrl = await fake.ask('url');
const connection = await Connection.connect({ address: servers.temporalAddress });
const client = new Client({ connection });
let started = 0;

/** What the database has written so far. */
async function written(database) {
  await database.run('select pg_stat_force_next_flush()');
  const [row] = await database.query(
    `select pg_current_wal_lsn() - '0/0' as wal,
       (select coalesce(sum(n_tup_ins + n_tup_upd + n_tup_del), 0) from pg_stat_user_tables where schemaname = 'personio' and relname = any($1)) as tuples`,
    [CURRENT],
  );
  return { wal: Number(row.wal), tuples: Number(row.tuples) };
}

/** Measures one pass; `work` says how many rows it read. */
async function measured(database, work) {
  const before = { ...(await written(database)), requests: await fake.ask('requests') };
  const begin = performance.now();
  const more = await work();
  const seconds = (performance.now() - begin) / 1_000;
  await setTimeout(SETTLE_MS);
  const after = { ...(await written(database)), requests: await fake.ask('requests') };
  return {
    ...more,
    seconds,
    rowsPerSecond: Math.round(more.rows / seconds),
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
  return { rows: result.received, events: historyLength, peakMiB: worker.peakMiB() };
}

/** Whether the worker has come up: how long a process takes to start is not measured, on neither side. */
async function arePolled() {
  const polled = await Promise.all(
    Object.entries({ 'personio-sync': 1, 'personio-api': 2 }).map(async ([name, taskQueueType]) => {
      const { pollers } = await client.workflowService.describeTaskQueue({
        namespace: 'default',
        taskQueue: { name },
        taskQueueType,
      });
      return pollers.length > 0;
    }),
  );
  return !polled.includes(false);
}

/** First and unchanged passes of the given endpoints, on a fresh database. */
async function ours(endpoints, window) {
  const { database, environment } = await freshDatabase(servers, fakeUrl, values.limits ? '' : UNLIMITED);
  const worker = startWorker(environment);
  try {
    await until(arePolled);
    return await passes(endpoints, async (endpoint) => {
      // The first read of people is followed by a workflow for each whose start or end is coming.
      await worker.quiet();
      return measured(database, async () => syncOnce(worker, endpoint, window));
    });
  } finally {
    await worker.stop();
    await database.close();
  }
}

async function bare(endpoints, window) {
  const { database, url } = await freshDatabase(servers, fakeUrl, UNLIMITED);
  const loop = startAsked('./bare-loop.js', [url, fakeUrl]);
  try {
    await loop.ask('ready');
    return await passes(endpoints, async (endpoint) =>
      measured(database, async () => loop.ask('pass', { endpoint, window })),
    );
  } finally {
    loop.stop();
    await database.close();
  }
}

async function passes(endpoints, pass) {
  const found = {};
  for (const kind of ['first', 'unchanged'])
    for (const endpoint of endpoints) found[`${endpoint}, ${kind}`] = await pass(endpoint);
  return found;
}

function show(who, name, figures) {
  const { rows, seconds, rowsPerSecond, requests, tuples, walMiB, peakMiB, events, databaseMs } = figures;
  const more = events === undefined ? `merge ${Math.round(databaseMs)} ms` : `${events} history events`;
  say(
    `${who.padEnd(5)} ${name.padEnd(24)} ${String(rows).padStart(8)} rows ${round(seconds, 2).toFixed(2).padStart(8)} s ${String(rowsPerSecond).padStart(7)} rows/s ` +
      `${String(requests).padStart(6)} requests ${String(tuples).padStart(8)} tuples ${walMiB.toFixed(1).padStart(7)} MiB of WAL, peak ${Math.round(peakMiB)} MiB, ${more}`,
  );
}

/** Ours and the bare loop in turn, the order changing with each pair. */
async function pair(number, endpoints, window) {
  const order = number % 2 === 0 ? [bare, ours] : [ours, bare];
  const found = {};
  for (const run of order) found[run.name] = await run(endpoints, window);
  for (const name of Object.keys(found.ours)) {
    show('ours', name, found.ours[name]);
    show('bare', name, found.bare[name]);
    say(`      ${name.padEnd(24)} ratio ${round(found.ours[name].seconds / found.bare[name].seconds, 2)}`);
  }
  return found.ours;
}

/** The large window beside the bare loop, and its memory beside that of a tenth of the rows. */
async function largePair() {
  const large = await fake.ask('window', Number(values.large));
  say(`${large.count} attendances (${large.from} to ${large.to})`);
  const found = await pair(1, ['attendances'], large);
  const tenth = await fake.ask('window', Number(values.large) / 10);
  const few = await ours(['attendances'], tenth);
  const [many, little] = [found, few].map((passes) => passes['attendances, unchanged'].peakMiB);
  say(
    `      peak of ${large.count} attendances ${Math.round(many)} MiB, of ${tenth.count} ${Math.round(little)} MiB: ${round(many / little, 2)} times that`,
  );
}

/** The least time in which the limits let so many requests through: bursts of `perSecond`, `perMinute` in all. */
function leastSeconds(requests, perSecond = 15, perMinute = 300) {
  const rest = (requests - 1) % perMinute;
  return Math.floor((requests - 1) / perMinute) * 60 + Math.floor(rest / perSecond);
}

async function underLimits(window) {
  await fake.ask('limit');
  say(
    'Under the limits: 300 requests a minute and 15 a second per endpoint, all of v1 2,000 a minute, 60 exchanges of tokens.',
  );
  const exchangesBefore = await fake.ask('exchanges');
  const found = await ours(['employees', 'attendances'], window);
  for (const [name, figures] of Object.entries(found)) {
    show('ours', name, figures);
    const least = leastSeconds(figures.requests);
    say(
      `      ${name.padEnd(24)} the limits require ${least} s: ${round(figures.seconds / Math.max(least, 1), 2)} times that`,
    );
  }
  say(
    `      ${await fake.ask('refused')} answers of 429, ${(await fake.ask('exchanges')) - exchangesBefore} exchanges of tokens`,
  );
}

try {
  const window = await fake.ask('window', Number(values.attendances));
  say(`${values.employees} employees and ${window.count} attendances (${window.from} to ${window.to}).`);
  if (values.limits) await underLimits(window);
  else {
    for (let number = 1; number <= Number(values.pairs); number++) {
      say(`pair ${number}`);
      await pair(number, ['employees', 'attendances'], window);
    }
    if (Number(values.large) > 0) await largePair();
  }
} finally {
  await connection.close();
  fake.stop();
  await servers.stop();
}
