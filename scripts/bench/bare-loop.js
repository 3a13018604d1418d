/**
 * What our sync is measured against: the same HTTP client, `JSON.parse`, `COPY`, and the same merge. No Temporal, no shared limits, no heartbeat, no schema, no
 * check that anything is missing. Four pages travel at a time, as ours do.
 */
import { performance } from 'node:perf_hooks';
import { exchangeToken } from '../../dist/src/personio/auth.js';
import { createHttp } from '../../dist/src/personio/http.js';
import { commitSnapshot } from '../../dist/src/store/collections.js';
import { openDatabase } from '../../dist/src/store/database.js';
import { commitEmployees } from '../../dist/src/store/employees/commit.js';
import { closeRun, insertRun } from '../../dist/src/store/runs.js';
import { createStaging, dropStaging, stageRecords } from '../../dist/src/store/staging.js';
import { parsePolicy } from '../../dist/src/config/policy-file.js';

const [, , databaseUrl, baseUrl] = process.argv;
const PAGE = 200;
const IN_FLIGHT = 4;
const { policy } = parsePolicy('');
const database = openDatabase({ url: databaseUrl, applicationName: 'bare loop', poolSize: 4 });
const http = createHttp(baseUrl, 'bare-loop');
const { token } = await exchangeToken(http, { clientId: 'id', clientSecret: 'secret' });
let runs = 0;

async function pageAt(endpoint, query, offset) {
  const path = `/v1/company/${endpoint}`;
  const answer = await http({
    route: { method: 'GET', template: path },
    path,
    token,
    query: { ...query, limit: PAGE, offset },
  });
  return JSON.parse(answer.text);
}

async function readAll(endpoint, query, write) {
  const first = await pageAt(endpoint, query, 0);
  const total = first.metadata.total_elements;
  const under = [Promise.resolve(first)];
  for (let offset = 0, asked = PAGE; offset < total; offset += PAGE) {
    for (; under.length < IN_FLIGHT && asked < total; asked += PAGE) under.push(pageAt(endpoint, query, asked));
    await write((await under.shift()).data);
  }
  return total;
}

const value = (attribute) => (attribute?.value === '' ? null : (attribute?.value ?? null));
const date = (attribute) => value(attribute)?.slice(0, 10) ?? null;
const named = (attribute, key) => value(attribute)?.attributes?.[key] ?? null;

/** What our sync stores of a made-up employee, beside the typed columns. */
const STORED = [
  'termination_reason',
  'probation_period_end',
  'created_at',
  'last_modified_at',
  'holiday_calendar',
  'work_schedule',
  'absence_entitlement',
  'profile_picture',
];

function employee({ attributes: a }) {
  return {
    employeeId: String(a.id.value),
    email: value(a.email),
    firstName: value(a.first_name),
    lastName: value(a.last_name),
    preferredName: value(a.preferred_name),
    status: value(a.status),
    position: value(a.position),
    departmentId: named(a.department, 'id')?.toString() ?? null,
    department: named(a.department, 'name'),
    team: named(a.team, 'name'),
    office: named(a.office, 'name'),
    subcompany: named(a.subcompany, 'name'),
    supervisorId: value(a.supervisor)?.attributes?.id?.value?.toString() ?? null,
    employmentType: value(a.employment_type),
    hireDate: date(a.hire_date),
    contractEndDate: date(a.contract_end_date),
    terminationDate: date(a.termination_date),
    lastWorkingDay: date(a.last_working_day),
    terminationType: value(a.termination_type),
    weeklyWorkingHours: value(a.weekly_working_hours),
    absentAttributes: [],
    costCenters: value(a.cost_centers).map(({ attributes: { id, name, percentage } }) => ({
      id: String(id),
      name,
      percentage,
    })),
    attributes: Object.fromEntries(STORED.map((key) => [key, a[key].value])),
  };
}

function attendance({ id, attributes: a }) {
  return {
    periodId: String(id),
    periodIdV2: a.id_v2,
    employeeId: String(a.employee),
    date: a.date,
    startTime: a.start_time,
    endTime: a.end_time,
    breakMinutes: a.break,
    status: a.status,
    project: null,
    isHoliday: a.is_holiday !== 0,
    isOnTimeOff: a.is_on_time_off,
    updatedAt: a.updated_at,
    span: null,
  };
}

/** One pass: read, stage, merge. */
async function pass(endpoint, window) {
  runs += 1;
  const run = { connectionId: 'default', endpoint, runId: `bare-${process.pid}-${runs}` };
  const chunk = endpoint === 'attendances' ? window : null;
  const key = { reading: 1, chunk: chunk?.from ?? null };
  await insertRun(database, run, new Date().toISOString(), chunk);
  await createStaging(database, run);
  const query = chunk === null ? {} : { start_date: chunk.from, end_date: chunk.to };
  const map = endpoint === 'employees' ? employee : attendance;
  const total = await readAll(endpoint, query, (data) =>
    stageRecords(database, run, key, { endpoint, records: data.map(map) }),
  );
  const merging = performance.now();
  const request = { ...run, source: 'v1', chunk, reading: 1, total };
  if (endpoint === 'employees') await commitMerged(request, total);
  else await commitSnapshot(database, { ...request, acceptNarrowing: true });
  await closeRun(database, run, { ...NOTHING, outcome: 'succeeded', received: total });
  await dropStaging(database, run);
  return { rows: total, databaseMs: performance.now() - merging };
}

const NOTHING = {
  failureType: null,
  message: '',
  source: 'v1',
  inserted: 0,
  updated: 0,
  unchanged: 0,
  missing: 0,
  requests: 0,
  detail: {},
};

async function commitMerged(request, total) {
  const collectedAt = new Date().toISOString();
  const more = { total, collectedAt, preview: false, requests: 0, onlyEmployeeId: null };
  await commitEmployees(database, { ...request, ...more }, { policy, digest: (text) => text });
}

process.on('message', ({ id, ask, argument }) => {
  if (ask === 'ready') {
    process.send({ id, answer: true });
    return;
  }
  void pass(argument.endpoint, argument.window).then((answer) =>
    process.send({ id, answer: { ...answer, peakMiB: process.resourceUsage().maxRSS / 1_024 } }),
  );
});
process.on('disconnect', () => process.exit(0));
