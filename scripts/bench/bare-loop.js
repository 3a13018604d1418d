/**
 * The reference for our sync: the same HTTP client, `JSON.parse`, `COPY` and the same merge. No Temporal, no shared
 * limits, no heartbeat, no schema, no check that anything is missing. It fetches four pages at a time, as we do.
 */
import { performance } from 'node:perf_hooks';
import { exchangeToken } from '../../dist/src/personio/v1/auth.js';
import { createHttp } from '../../dist/src/personio/http.js';
import { commitSnapshot } from '../../dist/src/store/collections/commit.js';
import { openDatabase } from '../../dist/src/store/database.js';
import { commitEmployees } from '../../dist/src/store/employees/commit.js';
import { closeRun, insertRun } from '../../dist/src/store/runs.js';
import { createStaging, dropStaging, stageRecords } from '../../dist/src/store/staging.js';
import { parsePolicy } from '../../dist/src/config/policy-file.js';

const [, , databaseUrl, baseUrl] = process.argv;
const PAGE = 200;
const MAX_IN_FLIGHT = 4;
const { policy } = parsePolicy('');
const database = openDatabase({ url: databaseUrl, applicationName: 'bare loop', poolSize: 4 });
const http = createHttp(baseUrl, 'bare-loop');
const { token } = await exchangeToken(http, { clientId: 'id', clientSecret: 'secret' });
let runs = 0;

async function fetchPage(endpoint, query, offset) {
  const path = `/v1/company/${endpoint}`;
  const response = await http({
    route: { method: 'GET', template: path },
    path,
    token,
    query: { ...query, limit: PAGE, offset },
  });
  return JSON.parse(response.text);
}

async function readAll(endpoint, query, write) {
  const first = await fetchPage(endpoint, query, 0);
  const total = first.metadata.total_elements;
  const inFlight = [Promise.resolve(first)];
  for (let offset = 0, next = PAGE; offset < total; offset += PAGE) {
    for (; inFlight.length < MAX_IN_FLIGHT && next < total; next += PAGE)
      inFlight.push(fetchPage(endpoint, query, next));
    await write((await inFlight.shift()).data);
  }
  return total;
}

const getValue = (attribute) => (attribute?.value === '' ? null : (attribute?.value ?? null));
const getDate = (attribute) => getValue(attribute)?.slice(0, 10) ?? null;
const getNested = (attribute, key) => getValue(attribute)?.attributes?.[key] ?? null;

/** Attributes of a demo employee that our sync stores besides the typed columns. */
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

function toEmployee({ attributes: a }) {
  return {
    employeeId: String(a.id.value),
    email: getValue(a.email),
    firstName: getValue(a.first_name),
    lastName: getValue(a.last_name),
    preferredName: getValue(a.preferred_name),
    status: getValue(a.status),
    position: getValue(a.position),
    departmentId: getNested(a.department, 'id')?.toString() ?? null,
    department: getNested(a.department, 'name'),
    teamId: getNested(a.team, 'id')?.toString() ?? null,
    team: getNested(a.team, 'name'),
    officeId: getNested(a.office, 'id')?.toString() ?? null,
    office: getNested(a.office, 'name'),
    subcompanyId: getNested(a.subcompany, 'id')?.toString() ?? null,
    subcompany: getNested(a.subcompany, 'name'),
    supervisorId: getValue(a.supervisor)?.attributes?.id?.value?.toString() ?? null,
    employmentType: getValue(a.employment_type),
    hireDate: getDate(a.hire_date),
    contractEndDate: getDate(a.contract_end_date),
    terminationDate: getDate(a.termination_date),
    lastWorkingDay: getDate(a.last_working_day),
    terminationType: getValue(a.termination_type),
    weeklyWorkingHours: getValue(a.weekly_working_hours),
    absentAttributes: [],
    costCenters: getValue(a.cost_centers).map(({ attributes: { id, name, percentage } }) => ({
      id: String(id),
      name,
      percentage,
    })),
    attributes: Object.fromEntries(STORED.map((key) => [key, a[key].value])),
  };
}

function toAttendance({ id, attributes: a }) {
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

/** Reads, stages and merges an endpoint once. */
async function runPass(endpoint, window) {
  runs += 1;
  const run = { connectionId: 'default', endpoint, runId: `bare-${process.pid}-${runs}` };
  const chunk = endpoint === 'attendances' ? window : null;
  const key = { attempt: 1, chunk: chunk?.from ?? null };
  await insertRun(database, run, new Date().toISOString(), chunk);
  await createStaging(database, run);
  const query = chunk === null ? {} : { start_date: chunk.from, end_date: chunk.to };
  const toRecord = endpoint === 'employees' ? toEmployee : toAttendance;
  const total = await readAll(endpoint, query, (data) =>
    stageRecords(database, run, key, { endpoint, records: data.map(toRecord) }),
  );
  const merging = performance.now();
  const request = { ...run, source: 'v1', chunk, attempt: 1, total };
  if (endpoint === 'employees') await commitEmployeesRead(request);
  else await commitSnapshot(database, { ...request, acceptShrunk: true });
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

async function commitEmployeesRead(request) {
  const collectedAt = new Date().toISOString();
  const employeesRequest = { ...request, collectedAt, preview: false, requests: 0, onlyEmployeeId: null };
  await commitEmployees(database, employeesRequest, { policy, digest: (text) => text });
}

process.on('message', ({ id, question, argument }) => {
  if (question === 'ready') {
    process.send({ id, answer: true });
    return;
  }
  void runPass(argument.endpoint, argument.window).then((figures) =>
    process.send({ id, answer: { ...figures, peakMiB: process.resourceUsage().maxRSS / 1_024 } }),
  );
});
process.on('disconnect', () => process.exit(0));
