import type { PersonioSettings, Settings } from '../config/settings.js';
import { createDataConverter } from '../temporal/codec.js';
import type { TemporalTarget } from '../temporal/connection.js';
import { CommandError, EXIT } from './exit.js';
import { readRunningServers } from './running.js';

/** The servers that a command talks to. */
export interface Servers {
  readonly databaseUrl: string;
  readonly temporal: TemporalTarget;
}

/**
 * Settings first; where they name no server, those of a `personio-sync dev` that runs in the same folder.
 *
 * @throws CommandError (usage) that names what is missing.
 */
export function resolveServers(settings: Settings): Servers {
  return { databaseUrl: resolveDatabaseUrl(settings), temporal: resolveTemporal(settings) };
}

function resolveDatabaseUrl(settings: Settings): string {
  const url = settings.databaseUrl ?? readRunningServers(settings.home)?.databaseUrl;
  if (url === undefined) {
    throw new CommandError(
      'No database is named: set DATABASE_URL (PostgreSQL 15 or newer), or start everything on this machine with `npm start`.',
      EXIT.usage,
    );
  }
  return url;
}

/** Where nothing is set, Temporal's own default address is meant. */
function resolveTemporal(settings: Settings): TemporalTarget {
  const { isExplicit, connectionOptions, namespace } = settings.temporal;
  const running = isExplicit ? null : readRunningServers(settings.home);
  const dataConverter = createDataConverter(settings.payloadKeys);
  if (running === null) return { connectionOptions, namespace, dataConverter };
  return { connectionOptions: { address: running.temporalAddress }, namespace: running.namespace, dataConverter };
}

/** The connection of the environment, or the made-up company of a `dev` that runs here; null where there is neither. */
export function resolvePersonio(settings: Settings): PersonioSettings | null {
  return settings.personio ?? readRunningServers(settings.home)?.company ?? null;
}
