import { ENDPOINTS } from '../contracts/internal/names.js';
import type { Endpoint } from '../contracts/internal/names.js';
import type { Source } from '../contracts/internal/activities.js';
import { NEEDED_ATTRIBUTES, findProfileAlarms } from '../domain/attribute-profile.js';
import type { EmployeeRecord } from '../domain/records.js';
import { addDays } from '../domain/zones.js';
import type { PersonioApi } from './api.js';
import { PersonioError } from './errors.js';
import { SOURCES, shouldFallBack, readSegment } from './sources.js';
import { createUnsharedApi } from './unshared.js';
import type { UnsharedConnection } from './unshared.js';

/** One line of `connections test`. */
export interface ConnectionCheck {
  readonly check: 'token' | Endpoint;
  readonly ok: boolean;
  /** Which source answered; null for the token and where none did. */
  readonly source: string | null;
  /** How many records there are, as the server says, or as came. */
  readonly records: number | null;
  readonly sentence: string;
  /** What to do; null when green. */
  readonly action: string | null;
}

interface CheckOptions {
  readonly pageSize: number;
  readonly attributesToStore: readonly string[];
}

const DAYS_OF_ATTENDANCES = 7;
/** Enough people to tell which departments there are, and whether the credential sees those who have left. */
const PAGES = 3;

/** Exchanges a token and reads a page or a few from each endpoint. Needs Personio and nothing else. */
export async function testConnection(
  connection: UnsharedConnection,
  options: CheckOptions,
): Promise<readonly ConnectionCheck[]> {
  const api = createUnsharedApi(connection);
  try {
    await api.authorise();
  } catch (error) {
    return [createFailedCheck('token', error)];
  }
  const token: ConnectionCheck = {
    check: 'token',
    ok: true,
    source: null,
    records: null,
    sentence: 'Personio gave a token.',
    action: null,
  };
  const checks = [token];
  for (const endpoint of ENDPOINTS) checks.push(await checkEndpoint(api, endpoint, options));
  return checks;
}

async function checkEndpoint(api: PersonioApi, endpoint: Endpoint, options: CheckOptions): Promise<ConnectionCheck> {
  let failure: unknown;
  for (const source of SOURCES[endpoint]) {
    try {
      const sample = await readSample(api, { endpoint, source }, options);
      return endpoint === 'employees'
        ? checkEmployees(sample, source)
        : createPassedCheck(endpoint, source, sample.total);
    } catch (error) {
      failure = error;
      if (!shouldFallBack(error, { endpoint, source })) break;
    }
  }
  return createFailedCheck(endpoint, failure);
}

function createPassedCheck(endpoint: Endpoint, source: Source, records: number): ConnectionCheck {
  const derived =
    source === 'employees' ? ' Personio has no such endpoint, so they are derived from the employees.' : '';
  const sentence = `${records} records can be read.${derived}`;
  return { check: endpoint, ok: true, source, records, sentence, action: null };
}

/** They come, and yet not as they should. */
function checkEmployees({ total, employees }: Sample, source: Source): ConnectionCheck {
  const alarms = findProfileAlarms({
    records: employees.length,
    isComplete: employees.length === total,
    coverage: Object.keys(NEEDED_ATTRIBUTES).map((attribute) => ({
      attribute,
      cameBefore: false,
      records: employees.filter(({ absentAttributes }) => !absentAttributes.includes(attribute)).length,
    })),
    inactive: employees.filter(({ status }) => status === 'inactive').length,
    hadInactive: false,
  });
  if (alarms.length === 0) return createPassedCheck('employees', source, total);
  const sentence = [`${total} records can be read.`, ...alarms.map((alarm) => alarm.sentence)].join(' ');
  const action = alarms.map((alarm) => alarm.action).join(' ');
  return { check: 'employees', ok: false, source, records: total, sentence, action };
}

interface Sample {
  readonly total: number;
  /** Those that were looked at, where they are employees. */
  readonly employees: readonly EmployeeRecord[];
}

async function readSample(
  api: PersonioApi,
  { endpoint, source }: { readonly endpoint: Endpoint; readonly source: Source },
  { pageSize, attributesToStore }: CheckOptions,
): Promise<Sample> {
  const today = new Date().toISOString().slice(0, 10);
  const chunk = endpoint === 'attendances' ? { from: addDays(today, 1 - DAYS_OF_ATTENDANCES), to: today } : null;
  const employees: EmployeeRecord[] = [];
  const departments = new Set<string | null>();
  let total = 0;
  await readSegment(api, {
    endpoint,
    source,
    chunk,
    pages: PAGES,
    attributesToStore,
    position: { offset: 0, cursor: null, total: null, pageSize },
    onPage: async (page, after) => {
      if (page.endpoint === 'employees') employees.push(...page.records);
      if (page.endpoint === 'departments') for (const { departmentId } of page.records) departments.add(departmentId);
      total = after.total ?? total + page.records.length;
      return Promise.resolve();
    },
  });
  departments.delete(null);
  return { total: source === 'employees' ? departments.size : total, employees };
}

/** The first sentence says what happened, the rest what to do. */
function createFailedCheck(check: ConnectionCheck['check'], error: unknown): ConnectionCheck {
  if (!(error instanceof PersonioError)) throw error;
  const [, sentence = error.message, action = ''] = /^(.*?[.:])\s+(.*)$/s.exec(error.message) ?? [];
  return {
    check,
    ok: false,
    source: null,
    records: null,
    sentence: sentence.replace(/:$/, '.'),
    action: action === '' ? null : action,
  };
}
