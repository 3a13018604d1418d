/** The processes of the benchmark: servers, the made-up company, our worker, the bare loop. */
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

const at = (path) => fileURLToPath(new URL(path, import.meta.url));
const BIN = at('../../bin/personio-sync.js');
const say = (sentence) => process.stderr.write(`${sentence}\n`);

export async function until(condition) {
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

/** A child that answers questions over IPC. */
export function startAsked(script, args) {
  const child = fork(at(script), args, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
  const waiting = new Map();
  let asked = 0;
  child.on('message', ({ id, answer }) => waiting.get(id)?.(answer));
  const ask = async (question, argument = null) =>
    new Promise((resolve, reject) => {
      asked += 1;
      waiting.set(asked, resolve);
      child.once('exit', (code) => reject(new Error(`${script} ended with ${code}.`)));
      child.send({ id: asked, ask: question, argument });
    });
  child.setMaxListeners(0);
  return { ask, pid: child.pid, stop: () => child.connected && child.disconnect() };
}

let databases = 0;

/** For a policy file: as if Personio had no limits. */
export const UNLIMITED = 'reading: { requestsPerMinute: 1000000, requestsPerSecond: 100000 }\n';

/** An empty, migrated database, with the environment of the commands that use it, and a policy file. */
export async function freshDatabase({ postgresUrl, temporalAddress, work }, fakeUrl, policyText) {
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
  await ended(spawn(process.execPath, [BIN, 'migrate'], { env: environment, stdio: ['ignore', 'ignore', 'inherit'] }));
  const database = openDatabase({ url: url.href, applicationName: 'bench', poolSize: 2 });
  return { database, environment, url: url.href };
}

async function ended(child) {
  const code = await new Promise((resolve) => child.on('close', resolve));
  if (code !== 0) throw new Error(`A command ended with ${code}.`);
}

/** Ticks of processor time that a process has used; Linux alone tells. */
function ticksOf(pid) {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1].split(' ');
  return Number(fields[11]) + Number(fields[12]);
}

/** A tenth of a second of processor time, of the second that is looked at: Linux counts a hundred ticks a second. */
const QUIET_TICKS = 10;

export function startWorker(environment) {
  const child = spawn(process.execPath, [BIN, 'worker'], { env: environment, stdio: ['ignore', 'inherit', 'inherit'] });
  // Also where the benchmark breaks off.
  process.once('exit', () => child.kill('SIGKILL'));
  return {
    /** Since the start of the worker, in MiB; Linux alone tells. */
    peakMiB: () => {
      const [, kib] = /VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${child.pid}/status`, 'utf8')) ?? [];
      return Number(kib) / 1_024;
    },
    /** Until it has nothing to do: what one sync has set going is no part of the next one. */
    quiet: async () =>
      until(async () => {
        const before = ticksOf(child.pid);
        await setTimeout(1_000);
        return ticksOf(child.pid) - before < QUIET_TICKS;
      }),
    stop: async () => {
      child.kill('SIGTERM');
      await new Promise((resolve) => child.on('close', resolve));
    },
  };
}
