import type { PersonioSettings, Settings } from '../config/settings.js';
import { createDataConverter } from '../temporal/codec.js';
import type { TemporalTarget } from '../temporal/connection.js';
import { CommandError, EXIT } from './exit.js';
import { readRunningServers } from './running-servers.js';

/** Servers that a command talks to. */
export interface Servers {
  readonly databaseUrl: string;
  readonly temporal: TemporalTarget;
}

/**
 * Returns the servers of the settings; where they name none, those of a `personio-sync dev` that runs in this folder.
 *
 * @throws CommandError (usage) that names what is missing.
 */
export function resolveServers(settings: Settings): Servers {
  return { databaseUrl: resolveDatabaseUrl(settings), temporal: resolveTemporal(settings) };
}

/** Returns the database URL of the settings, or of a running `dev`. @throws CommandError (usage) */
export function resolveDatabaseUrl(settings: Settings): string {
  const url = settings.databaseUrl ?? readRunningServers(settings.home)?.databaseUrl;
  if (url === undefined) {
    throw new CommandError(
      'No database configured. Set DATABASE_URL (PostgreSQL 15 or newer), or run `npm start` to start everything here.',
      EXIT.usage,
    );
  }
  return url;
}

/** Returns the Temporal server of the settings, of a running `dev`, or at Temporal's default address. */
export function resolveTemporal(settings: Settings): TemporalTarget {
  const { isExplicit, connectionOptions, namespace } = settings.temporal;
  const running = isExplicit ? null : readRunningServers(settings.home);
  const dataConverter = createDataConverter(settings.payloadKeys);
  if (running === null) return { connectionOptions, namespace, dataConverter };
  return { connectionOptions: { address: running.temporalAddress }, namespace: running.namespace, dataConverter };
}

/** Returns the connection of the environment, or the demo company of a running `dev`, or null. */
export function resolvePersonio(settings: Settings): PersonioSettings | null {
  return settings.personio ?? readRunningServers(settings.home)?.company ?? null;
}
