import { readFileSync } from 'node:fs';
import { dirname } from 'node:path';

/** The servers of this run of the tests, as `global-setup.js` started them. */
export interface TestServers {
  /** The one of TEST_POSTGRES_MAJOR, for tests that need only one. */
  readonly mainPostgres: string;
  readonly newestPostgres: string;
  readonly oldestPostgres: string;
  readonly temporalAddress: string;
  readonly temporalCli: string;
  /** Data folder of the Temporal server. */
  readonly folder: string;
}

export function readTestServers(): TestServers {
  const file = process.env['PERSONIO_SYNC_TEST_SERVERS'];
  if (file === undefined) throw new Error('The test servers are not up: run the tests with `npm test`.');
  return { ...(JSON.parse(readFileSync(file, 'utf8')) as Omit<TestServers, 'folder'>), folder: dirname(file) };
}
