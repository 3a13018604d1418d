import { ENDPOINTS } from '../contracts/names.js';
import type { Endpoint } from '../contracts/names.js';
import { addDays } from '../domain/zones.js';
import type { PersonioApi } from './api.js';
import { PersonioError } from './errors.js';
import { SOURCES, isPassedOver, readSegment } from './sources.js';
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

/** Exchanges a token and reads one page from each endpoint. Needs Personio and nothing else. */
export async function testConnection(
  connection: UnsharedConnection,
  options: CheckOptions,
): Promise<readonly ConnectionCheck[]> {
  const api = createUnsharedApi(connection);
  try {
    await api.authorise();
  } catch (error) {
    return [red('token', error)];
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
      const records = await countRecords(api, endpoint, source, options);
      const derived =
        source === 'employees' ? ' Personio has no such endpoint, so they are derived from the employees.' : '';
      return {
        check: endpoint,
        ok: true,
        source,
        records,
        sentence: `${records} records can be read.${derived}`,
        action: null,
      };
    } catch (error) {
      failure = error;
      if (!isPassedOver(error, { endpoint, source })) break;
    }
  }
  return red(endpoint, failure);
}

async function countRecords(
  api: PersonioApi,
  endpoint: Endpoint,
  source: (typeof SOURCES)[Endpoint][number],
  { pageSize, attributesToStore }: CheckOptions,
): Promise<number> {
  const today = new Date().toISOString().slice(0, 10);
  const chunk = endpoint === 'attendances' ? { from: addDays(today, 1 - DAYS_OF_ATTENDANCES), to: today } : null;
  let records = 0;
  await readSegment(api, {
    ...{ endpoint, source, chunk, pages: 1, attributesToStore },
    position: { offset: 0, cursor: null, total: null, pageSize },
    onPage: async (page, after) => {
      records = after.total ?? records + page.records.length;
      return Promise.resolve();
    },
  });
  return records;
}

/** The first sentence says what happened, the rest what to do. */
function red(check: ConnectionCheck['check'], error: unknown): ConnectionCheck {
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
