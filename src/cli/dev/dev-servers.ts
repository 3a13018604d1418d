import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Settings } from '../../config/settings.js';
import { startPostgresServer } from '../../embedded/postgres-server.js';
import { freePorts, lockHome, startGuard } from '../../embedded/processes.js';
import { startTemporalServer } from '../../embedded/temporal-server.js';
import type { TemporalTarget } from '../../temporal/connection.js';
import { removeRunning, writeRunning } from '../running.js';
import { openDemoCompany } from './company-days.js';
import type { DemoCompany } from './company-days.js';

/** Everything that `dev` talks to: its own servers, or those of the settings. */
export interface DevServers {
  readonly databaseUrl: string;
  readonly temporal: TemporalTarget;
  /** Null where the server is not ours. */
  readonly uiUrl: string | null;
  /** Null where a real Personio is configured. */
  readonly company: DemoCompany | null;
  /** Stops what was started here, and only that. */
  readonly stop: () => Promise<void>;
}

/** @throws ServerUnavailable */
export async function startDevServers(settings: Settings, fresh: boolean, say: (sentence: string) => void): Promise<DevServers> {
  const { home, environment } = settings;
  mkdirSync(home, { recursive: true });
  const unlock = lockHome(home);
  const stops: (() => Promise<void>)[] = [];
  const guard = startGuard();
  const stop = async (): Promise<void> => {
    removeRunning(home);
    await Promise.allSettled(stops.map(async (end) => end()));
    guard.release();
    unlock();
  };
  try {
    if (fresh) forget(home);
    const [postgres, temporal] = await Promise.all([
      settings.databaseUrl === null ? started(startPostgresServer({ home, guard, environment, say }), stops) : null,
      settings.temporal.isExplicit
        ? null
        : started(startTemporalServer({ home, guard, environment, say, explicitPath: settings.temporalCliPath }), stops),
    ]);
    const company = settings.personio === null ? await openDemoCompany(home, (await freePorts(home, ['company']))['company'] ?? 0) : null;
    if (company !== null) stops.push(company.fake.close);
    const target: TemporalTarget =
      temporal === null ? settings.temporal : { connectionOptions: { address: temporal.address }, namespace: 'default' };
    const databaseUrl = postgres?.url ?? settings.databaseUrl ?? '';
    writeRunning(home, {
      ...{ pid: process.pid, databaseUrl, namespace: target.namespace, personioUrl: company?.fake.url ?? null },
      temporalAddress: target.connectionOptions.address ?? 'localhost:7233',
    });
    return { databaseUrl, temporal: target, uiUrl: temporal?.uiUrl ?? null, company, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** Noted as soon as it is up, so that the failure of another server stops it too. */
async function started<T extends { readonly stop: () => Promise<void> }>(server: Promise<T>, stops: (() => Promise<void>)[]): Promise<T> {
  const up = await server;
  stops.push(up.stop);
  return up;
}

/** `--fresh`: all state of a former start, and nothing else in the folder. */
function forget(home: string): void {
  for (const name of ['temporal', 'postgres', 'company.json']) rmSync(join(home, name), { recursive: true, force: true });
}
