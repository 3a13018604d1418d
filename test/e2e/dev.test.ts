import { chmodSync, mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { isAlive } from '../../src/embedded/processes.js';
import { runCommand, startCommand } from '../support/cli.js';
import type { CommandResult } from '../support/cli.js';
import { readTestServers } from '../support/servers-file.js';
import { waitUntil } from '../support/worker.js';

const folder = mkdtempSync(join(tmpdir(), 'personio-sync-dev-'));
// As root, PostgreSQL runs as another user, which needs access to its data.
chmodSync(folder, 0o755);
const createEnvironment = (home: string): Record<string, string> => ({
  PERSONIO_SYNC_HOME: join(folder, home),
  TEMPORAL_CLI_PATH: readTestServers().temporalCli,
});

interface Document {
  readonly ok: boolean;
  readonly exitCode: number;
  readonly runs: readonly { readonly endpoint: string; readonly outcome: string; readonly source: string }[];
  readonly events: readonly {
    readonly kind: string;
    readonly state: string;
    readonly deliveries: readonly {
      readonly subscriber: string;
      readonly state: string;
      readonly acknowledgedAt: string | null;
    }[];
  }[];
}

/** Returns the processes that hold the data of a home's servers. */
function readServerPids(home: string): readonly number[] {
  const postgres = readFileSync(join(folder, home, 'postgres', 'data', 'postmaster.pid'), 'utf8').split('\n')[0];
  return [Number(postgres), Number(readFileSync(join(folder, home, 'temporal', 'pid'), 'utf8'))];
}

/** Returns the code and messages of a command that failed, else null. */
function describeFailure({ code, stderr }: CommandResult): string | null {
  return code === 0 ? null : `${String(code)}: ${stderr}`;
}

describe('dev', () => {
  test('--once syncs every endpoint and a simulated day, with all events acknowledged', async () => {
    const { code, stdout, stderr } = await runCommand(['dev', '--once', '--json'], createEnvironment('once'), folder);
    expect([code, stderr]).toEqual([0, expect.stringContaining('a made-up company of 250 people')]);
    const { ok, exitCode, runs, events } = JSON.parse(stdout) as Document;
    expect({ ok, exitCode }).toEqual({ ok: true, exitCode: 0 });
    expect(Object.fromEntries(runs.map(({ endpoint, source }) => [endpoint, source]))).toEqual({
      employees: 'v1',
      attendances: 'v1',
      departments: 'employees',
      'time-off-types': 'v1',
    });
    expect(runs.every(({ outcome }) => outcome === 'succeeded')).toBe(true);
    const due = events.filter(({ state }) => state === 'due');
    expect(due.map(({ kind }) => kind).sort()).toEqual(['joiner.started', 'leaver.left', 'mover.changed']);
    for (const { deliveries } of due)
      expect(deliveries).toMatchObject([{ subscriber: 'demo-it', state: 'acknowledged' }]);
  }, 120_000);

  test('a second start continues from the state of the first', async () => {
    const { code, stdout } = await runCommand(['dev', '--once', '--json'], createEnvironment('once'), folder);
    expect(code).toBe(0);
    expect((JSON.parse(stdout) as { runs: { inserted: number }[] }).runs[0]).toMatchObject({ inserted: 0 });
  }, 120_000);

  test('two folders run side by side; a killed one leaves no server and recovers', async () => {
    const killed = startCommand(['dev'], createEnvironment('killed'), folder);
    const other = startCommand(['dev'], createEnvironment('other'), folder);
    const isUp = (output: string): boolean => output.includes('Next: look at the runs');
    await waitUntil(async () => Promise.resolve(isUp(killed.output()) && isUp(other.output())), 90_000);
    const pids = readServerPids('killed');
    expect(pids.every(isAlive)).toBe(true);
    killed.child.kill('SIGKILL');
    await waitUntil(async () => Promise.resolve(!pids.some(isAlive)), 30_000);

    const again = await runCommand(['dev', '--once', '--json'], createEnvironment('killed'), folder);
    expect(again.code).toBe(0);

    const otherPids = readServerPids('other');
    other.child.kill('SIGINT');
    expect(describeFailure(await other.ended)).toBeNull();
    expect(otherPids.some(isAlive)).toBe(false);
  }, 180_000);

  test('a second start in the same folder is refused', async () => {
    const running = startCommand(['dev'], createEnvironment('once'), folder);
    await waitUntil(async () => Promise.resolve(running.output().includes('Personio   ')), 60_000);
    const second = await runCommand(['dev', '--once'], createEnvironment('once'), folder);
    expect(second.code).toBe(1);
    expect(second.stderr).toMatch(/^Another personio-sync .* already runs its servers/);
    running.child.kill('SIGTERM');
    expect(describeFailure(await running.ended)).toBeNull();
  }, 120_000);
});
