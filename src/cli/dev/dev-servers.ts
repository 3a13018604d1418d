import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { PersonioSettings, Settings } from '../../config/settings.js';
import { forgetPostgresData, startPostgresServer } from '../../embedded/postgres-server.js';
import type { PostgresServerOptions } from '../../embedded/postgres-server.js';
import { findFreePorts, lockHome, startGuard } from '../../embedded/processes.js';
import { startTemporalServer } from '../../embedded/temporal-server.js';
import { createDataConverter } from '../../temporal/codec.js';
import type { TemporalTarget } from '../../temporal/connection.js';
import { removeRunningServers, writeRunningServers } from '../running-servers.js';
import { openDemoCompany } from './demo-company.js';
import type { DemoCompany } from './demo-company.js';

/** Servers that `dev` talks to: its own, or those of the settings. */
export interface DevServers {
  readonly databaseUrl: string;
  readonly temporal: TemporalTarget;
  /** Null where the server is not ours. */
  readonly uiUrl: string | null;
  /** Null where a real Personio is configured. */
  readonly company: DemoCompany | null;
  /** The configured connection, or the demo company's. */
  readonly personio: PersonioSettings;
  /** Stops the servers that were started here, and only those. */
  readonly stop: () => Promise<void>;
}

/** Starts the servers that the settings do not name. @throws ServerUnavailableError */
export async function startDevServers(
  settings: Settings,
  fresh: boolean,
  say: (sentence: string) => void,
): Promise<DevServers> {
  const { home } = settings;
  mkdirSync(home, { recursive: true });
  const unlock = lockHome(home);
  const stops: (() => Promise<void>)[] = [];
  const guard = startGuard();
  const stop = async (): Promise<void> => {
    removeRunningServers(home);
    await Promise.allSettled(stops.map(async (end) => end()));
    guard.release();
    unlock();
  };
  try {
    if (fresh) deleteState(home);
    return { ...(await startAll(settings, { home, guard, environment: settings.environment, say }, stops)), stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function startAll(
  settings: Settings,
  options: PostgresServerOptions,
  stops: (() => Promise<void>)[],
): Promise<Omit<DevServers, 'stop'>> {
  const { home } = settings;
  const [postgres, temporal] = await Promise.all([
    settings.databaseUrl === null ? trackServer(startPostgresServer(options), stops) : null,
    settings.temporal.isExplicit
      ? null
      : trackServer(startTemporalServer({ ...options, explicitPath: settings.temporalCliPath }), stops),
  ]);
  const company = settings.personio === null ? await startDemoCompany(home, stops) : null;
  const target = {
    ...(temporal === null ? settings.temporal : toTemporalTarget(temporal.address)),
    dataConverter: createDataConverter(settings.payloadKeys),
  };
  const databaseUrl = postgres?.url ?? settings.databaseUrl ?? '';
  const personio = settings.personio ?? createDemoConnection(settings.connectionId, company);
  const servers = { databaseUrl, temporal: target, uiUrl: temporal?.uiUrl ?? null, company, personio };
  publishServers(home, servers);
  return servers;
}

function toTemporalTarget(address: string): TemporalTarget {
  return { connectionOptions: { address }, namespace: 'default' };
}

/** Lets other commands in the same folder find these servers without any setting. */
function publishServers(home: string, { databaseUrl, temporal, company, personio }: Omit<DevServers, 'stop'>): void {
  const temporalAddress = temporal.connectionOptions.address ?? 'localhost:7233';
  const known = { pid: process.pid, databaseUrl, temporalAddress, namespace: temporal.namespace };
  writeRunningServers(home, { ...known, company: company === null ? null : personio });
}

async function startDemoCompany(home: string, stops: (() => Promise<void>)[]): Promise<DemoCompany> {
  const { company: port = 0 } = await findFreePorts(home, ['company']);
  const company = await openDemoCompany(home, port);
  stops.push(company.fake.close);
  return company;
}

/** Returns the connection of the demo company, which accepts any credentials. */
function createDemoConnection(connectionId: string, company: DemoCompany | null): PersonioSettings {
  return { connectionId, baseUrl: company?.fake.url ?? '', clientId: 'demo', clientSecret: 'demo' };
}

/** Registers a server as soon as it is up, so that the failure of another one stops it too. */
async function trackServer<T extends { readonly stop: () => Promise<void> }>(
  server: Promise<T>,
  stops: (() => Promise<void>)[],
): Promise<T> {
  const up = await server;
  stops.push(up.stop);
  return up;
}

/** Deletes the state of earlier starts, and nothing else in the folder. */
function deleteState(home: string): void {
  forgetPostgresData(home);
  for (const name of ['temporal', 'company.json']) rmSync(join(home, name), { recursive: true, force: true });
}
