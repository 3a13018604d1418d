/** Starts the processes of the benchmark: servers, demo company, our worker, bare loop. */
import { fork, spawn } from 'node:child_process';
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { startPostgresServer } from '../../dist/src/embedded/postgres-server.js';
import { startGuard } from '../../dist/src/embedded/processes.js';
import { startTemporalServer } from '../../dist/src/embedded/temporal-server.js';
import { openDatabase } from '../../dist/src/store/database.js';

const toPath = (relative) => fileURLToPath(new URL(relative, import.meta.url));
const BIN = toPath('../../bin/personio-sync.js');
const say = (sentence) => process.stderr.write(`${sentence}\n`);

export async function waitUntil(condition) {
  while (!(await condition())) await setTimeout(100);
}

export async function startServers() {
  const homes = ['postgres', 'temporal', 'work'].map((name) =>
    mkdtempSync(join(tmpdir(), `personio-sync-bench-${name}-`)),
  );
  for (const home of homes) chmodSync(home, 0o755);
  const [postgresHome, temporalHome, work] = homes;
  const options = { guard: startGuard(), environment: process.env, say };
  const explicitPath = process.env.TEMPORAL_CLI_PATH ?? null;
  const [postgres, temporal] = await Promise.all([
    startPostgresServer({ ...options, home: postgresHome, settings: ['max_connections=100'] }),
    startTemporalServer({ ...options, home: temporalHome, explicitPath, headless: true }),
  ]);
  const stop = async () => {
    await Promise.all([postgres.stop(), temporal.stop()]);
    options.guard.release();
    for (const home of homes) rmSync(home, { recursive: true, force: true });
  };
  return { postgresUrl: postgres.url, temporalAddress: temporal.address, work, stop };
}

/** Starts a script that answers questions over IPC. */
export function startChild(script, args) {
  const child = fork(toPath(script), args, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
  const waiting = new Map();
  let asked = 0;
  child.on('message', ({ id, answer }) => waiting.get(id)?.(answer));
  const ask = async (question, argument = null) =>
    new Promise((resolve, reject) => {
      asked += 1;
      waiting.set(asked, resolve);
      child.once('exit', (code) => reject(new Error(`${script} exited with code ${code}.`)));
      child.send({ id: asked, question, argument });
    });
  child.setMaxListeners(0);
  return { ask, pid: child.pid, stop: () => child.connected && child.disconnect() };
}

let databases = 0;

/** Policy that reads as if Personio had no limits. */
export const UNLIMITED = 'reading: { requestsPerMinute: 1000000, requestsPerSecond: 100000 }\n';

/** Creates and migrates an empty database. Returns it with the environment of the commands that use it. */
export async function createDatabase({ postgresUrl, temporalAddress, work }, fakeUrl, policyText) {
  databases += 1;
  const admin = openDatabase({ url: postgresUrl, applicationName: 'bench', poolSize: 1 });
  await admin.run(`create database bench_${databases}`);
  await admin.close();
  const url = new URL(postgresUrl);
  url.pathname = `/bench_${databases}`;
  writeFileSync(join(work, 'policy.yaml'), policyText);
  const environment = {
    ...process.env,
    DATABASE_URL: url.href,
    TEMPORAL_ADDRESS: temporalAddress,
    PERSONIO_SYNC_HOME: work,
    PERSONIO_CLIENT_ID: 'id',
    PERSONIO_CLIENT_SECRET: 'secret',
    PERSONIO_BASE_URL: fakeUrl,
    PERSONIO_SYNC_CONFIG: join(work, 'policy.yaml'),
    METRICS_ADDRESS: 'off',
    LOG_LEVEL: 'warn',
  };
  await migrate(environment);
  const database = openDatabase({ url: url.href, applicationName: 'bench', poolSize: 2 });
  return { database, environment, url: url.href };
}

async function migrate(environment) {
  const child = spawn(process.execPath, [BIN, 'migrate'], { env: environment, stdio: ['ignore', 'ignore', 'inherit'] });
  const code = await new Promise((resolve) => child.on('close', resolve));
  if (code !== 0) throw new Error(`migrate exited with code ${code}.`);
}

/** Returns the processor time of a process in ticks, of which Linux counts a hundred a second. Linux only. */
function readTicks(pid) {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1].split(' ');
  return Number(fields[11]) + Number(fields[12]);
}

/** Most ticks in a second for a process to count as idle. */
const IDLE_TICKS = 10;

export function startWorker(environment) {
  const child = spawn(process.execPath, [BIN, 'worker'], { env: environment, stdio: ['ignore', 'inherit', 'inherit'] });
  // The worker must not outlive a benchmark that fails.
  process.once('exit', () => child.kill('SIGKILL'));
  return {
    /** Returns the peak of resident memory since the worker's start, in MiB. Linux only. */
    readPeakMiB: () => {
      const [, kib] = /VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${child.pid}/status`, 'utf8')) ?? [];
      return Number(kib) / 1_024;
    },
    /** Waits until the worker is idle, so that the work that one sync caused does not burden the next. */
    waitUntilIdle: async () =>
      waitUntil(async () => {
        const before = readTicks(child.pid);
        await setTimeout(1_000);
        return readTicks(child.pid) - before < IDLE_TICKS;
      }),
    stop: async () => {
      child.kill('SIGTERM');
      await new Promise((resolve) => child.on('close', resolve));
    },
  };
}
