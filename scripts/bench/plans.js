/**
 * `npm run bench -- plans`: commits one changed week among many attendances, and prints the time of each statement and
 * how it reads the table. See docs/performance.md.
 */
import { performance } from 'node:perf_hooks';
import { parseArgs } from 'node:util';
import pg from 'pg';
import { commitSnapshot } from '../../dist/src/store/collections/commit.js';
import { openDatabase } from '../../dist/src/store/database.js';
import { insertRun } from '../../dist/src/store/runs.js';
import { beginStaging, stageRecords } from '../../dist/src/store/staging.js';
import { createDatabase, startServers } from './machines.js';

const { values } = parseArgs({
  options: { rows: { type: 'string', default: '10000000' }, people: { type: 'string', default: '10000' } },
});
const ROWS = Number(values.rows);
const PEOPLE = Number(values.people);
const LAST_DAY = '2026-11-29';
const WEEK = { from: '2026-11-23', to: LAST_DAY };
const SETTINGS =
  '-c session_preload_libraries=auto_explain -c auto_explain.log_min_duration=0 -c auto_explain.log_level=notice ' +
  '-c auto_explain.log_analyze=on -c auto_explain.log_timing=off -c auto_explain.log_format=json';
const say = (line) => process.stdout.write(`${line}\n`);

/** Records the plan of each statement: the driver emits it as a notice. */
const plans = [];
const { emit } = pg.Client.prototype;
pg.Client.prototype.emit = function record(event, notice, ...rest) {
  const [, duration, plan] = /^duration: ([\d.]+) ms\s+plan:\s+([^]*)$/.exec(notice?.message ?? '') ?? [];
  if (event === 'notice' && plan !== undefined) plans.push({ ms: Number(duration), ...JSON.parse(plan) });
  return emit.call(this, event, notice, ...rest);
};

/** Lists how the plan reads attendances: the nodes, and the rows that they returned or filtered out. */
function listAccesses(node) {
  const own =
    node['Relation Name'] === 'attendance_periods'
      ? [`${node['Node Type']} of ${(node['Actual Rows'] ?? 0) + (node['Rows Removed by Filter'] ?? 0)} rows`]
      : [];
  return [...own, ...(node.Plans ?? []).flatMap(listAccesses)];
}

const servers = await startServers();
const { database, url } = await createDatabase(servers, 'http://127.0.0.1:1', '');
say(`Storing ${ROWS} attendances of ${PEOPLE} people.`);
await database.run(
  `insert into personio.attendance_periods (
     connection_id, period_id, employee_id, date, start_time, end_time, status, changed_at
   )
   select 'default', number::text, (number % $2)::text, $3::date - (number / $2), '09:00', '17:00', 'confirmed', now()
   from generate_series(0, $1::integer - 1) as number`,
  [ROWS, PEOPLE, LAST_DAY],
);
await database.run('vacuum analyze personio.attendance_periods');

const stored = await database.query(
  `select period_id as id, employee_id as person, date
   from personio.attendance_periods
   where date between $1 and $2`,
  [WEEK.from, WEEK.to],
);
// One in a hundred is edited.
const records = stored.map(({ id, person, date }, index) => ({
  periodId: id,
  periodIdV2: null,
  employeeId: person,
  date,
  startTime: '09:00',
  endTime: index % 100 === 0 ? '18:00' : '17:00',
  breakMinutes: null,
  status: 'confirmed',
  project: null,
  isHoliday: null,
  isOnTimeOff: null,
  updatedAt: null,
  span: null,
}));
const options = encodeURIComponent(SETTINGS);
const explaining = openDatabase({ url: `${url}?options=${options}`, applicationName: 'bench plans', poolSize: 1 });
const run = { connectionId: 'default', endpoint: 'attendances', runId: 'bench-plans' };
await insertRun(explaining, run, new Date().toISOString(), WEEK);
await beginStaging(explaining, run, { attempt: 1, chunk: WEEK.from });
await stageRecords(explaining, run, { attempt: 1, chunk: WEEK.from }, { endpoint: 'attendances', records });
plans.length = 0;
const begin = performance.now();
const outcome = await commitSnapshot(explaining, {
  ...run,
  source: 'v1',
  chunk: WEEK,
  attempt: 1,
  total: records.length,
  acceptShrunk: false,
});
const seconds = (performance.now() - begin) / 1_000;
for (const { ms, 'Query Text': text, Plan: plan } of plans) {
  const accesses = listAccesses(plan);
  if (accesses.length === 0 && ms < 10) continue;
  say(
    `${ms.toFixed(0).padStart(7)} ms  ${text.replaceAll(/\s+/g, ' ').slice(0, 70).padEnd(70)}  ${accesses.join(', ')}`,
  );
}
say(`${seconds.toFixed(2)} s for the commit of ${records.length} of ${ROWS} rows, ${outcome.updated} updated.`);
await explaining.close();
await database.close();
await servers.stop();
