import { isStatusUnknown } from '../domain/employment.js';
import { ENDPOINTS } from '../contracts/internal/names.js';
import type { Endpoint } from '../contracts/internal/names.js';
import type { Source } from '../contracts/internal/activities.js';
import { NEEDED_ATTRIBUTES, findProfileAlarms } from '../domain/attribute-profile.js';
import type { EmployeeRecord } from '../domain/records.js';
import { addDays } from '../domain/zones.js';
import type { PersonioApi } from './api.js';
import { PersonioError } from './errors.js';
import type { ReadRequest } from './pages.js';
import { listSources, readSegment, shouldFallBack } from './sources.js';
import { createStandaloneApi } from './standalone-api.js';
import type { StandaloneConnection } from './standalone-api.js';

/** One line of `connections test`. */
export interface ConnectionCheck {
  readonly check: 'token' | Endpoint;
  readonly ok: boolean;
  /** Source that answered; null for the token and when none did. */
  readonly source: Source | null;
  /** Number of records that the server reports, or that came; null for the token and when none came. */
  readonly records: number | null;
  readonly sentence: string;
  /** Remedy of a failed check; null when it passed. */
  readonly action: string | null;
}

interface CheckOptions extends Pick<ReadRequest, 'attributesToStore'> {
  readonly pageSize: number;
}

const DAYS_OF_ATTENDANCES = 7;
/** Enough employees to see which departments there are, and whether the credential sees those who have left. */
const PAGES = 3;

/**
 * Exchanges a token and reads up to three pages of each endpoint. Needs Personio only, and changes nothing. Returns the
 * check of the token and one per endpoint, or the former only when it fails.
 */
export async function testConnection(
  connection: StandaloneConnection,
  options: CheckOptions,
): Promise<readonly ConnectionCheck[]> {
  const api = createStandaloneApi(connection);
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
    sentence: 'Personio issued a token.',
    action: null,
  };
  const checks = [token];
  for (const endpoint of ENDPOINTS) checks.push(await checkEndpoint(api, endpoint, options));
  return checks;
}

async function checkEndpoint(api: PersonioApi, endpoint: Endpoint, options: CheckOptions): Promise<ConnectionCheck> {
  let failure: unknown;
  for (const source of listSources(endpoint)) {
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
    source === 'employees' ? ` Personio has no ${endpoint} endpoint, so they are derived from the employees.` : '';
  const sentence = `${records} records can be read.${derived}`;
  return { check: endpoint, ok: true, source, records, sentence, action: null };
}

/** Checks that needed attributes and inactive employees are among the records. */
function checkEmployees({ total, employees }: Sample, source: Source): ConnectionCheck {
  const alarms = findProfileAlarms({
    records: employees.length,
    isComplete: employees.length === total,
    coverage: Object.keys(NEEDED_ATTRIBUTES).map((attribute) => ({
      attribute,
      wasReadBefore: false,
      records: employees.filter(({ absentAttributes }) => !absentAttributes.includes(attribute)).length,
    })),
    inactive: employees.filter(({ status }) => status === 'inactive').length,
    unknownStatus: employees.filter(isStatusUnknown).length,
    hadInactive: false,
  });
  if (alarms.length === 0) return createPassedCheck('employees', source, total);
  const sentence = [`${total} records can be read.`, ...alarms.map((alarm) => alarm.sentence)].join(' ');
  const action = alarms.map((alarm) => alarm.action).join(' ');
  return { check: 'employees', ok: false, source, records: total, sentence, action };
}

interface Sample {
  readonly total: number;
  /** Employees that were read; empty for other endpoints. */
  readonly employees: readonly EmployeeRecord[];
}

async function readSample(
  api: PersonioApi,
  { endpoint, source }: Pick<ReadRequest, 'endpoint' | 'source'>,
  { pageSize, attributesToStore }: CheckOptions,
): Promise<Sample> {
  const today = new Date().toISOString().slice(0, 10);
  const chunk = endpoint === 'attendances' ? { from: addDays(today, 1 - DAYS_OF_ATTENDANCES), to: today } : null;
  const position = { offset: 0, cursor: null, total: null, pageSize };
  const employees: EmployeeRecord[] = [];
  const departments = new Set<string | null>();
  let total = 0;
  const pages = readSegment(api, { endpoint, source, chunk, position, pages: PAGES, attributesToStore });
  for await (const page of pages) {
    if (page.endpoint === 'employees') employees.push(...page.records);
    if (page.endpoint === 'departments') for (const { departmentId } of page.records) departments.add(departmentId);
    total = page.position.total ?? total + page.records.length;
  }
  departments.delete(null);
  return { total: source === 'employees' ? departments.size : total, employees };
}

/** Splits the message: its first sentence says what happened, the rest what to do. */
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
