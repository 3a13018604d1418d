import type { PersonioSettings, Settings } from '../config/settings.js';
import { dataConverterOf } from '../temporal/codec.js';
import type { TemporalTarget } from '../temporal/connection.js';
import { CommandFailed, EXIT } from './exit.js';
import { readRunning } from './running.js';

/** The servers that a command talks to. */
export interface Servers {
  readonly databaseUrl: string;
  readonly temporal: TemporalTarget;
}

/**
 * Settings first; where they name no server, those of a `personio-sync dev` that runs in the same folder.
 *
 * @throws CommandFailed (usage) that names what is missing.
 */
export function serversOf(settings: Settings): Servers {
  return { databaseUrl: databaseUrlOf(settings), temporal: temporalOf(settings) };
}

function databaseUrlOf(settings: Settings): string {
  const url = settings.databaseUrl ?? readRunning(settings.home)?.databaseUrl;
  if (url === undefined) {
    throw new CommandFailed(
      'No database is named: set DATABASE_URL (PostgreSQL 15 or newer), or start everything on this machine with `npm start`.',
      EXIT.usage,
    );
  }
  return url;
}

/** Where nothing is set, Temporal's own default address is meant. */
function temporalOf(settings: Settings): TemporalTarget {
  const { isExplicit, connectionOptions, namespace } = settings.temporal;
  const running = isExplicit ? null : readRunning(settings.home);
  const dataConverter = dataConverterOf(settings.payloadKeys);
  if (running === null) return { connectionOptions, namespace, dataConverter };
  return { connectionOptions: { address: running.temporalAddress }, namespace: running.namespace, dataConverter };
}

/** The connection of the environment, or the made-up company of a `dev` that runs here; null where there is neither. */
export function personioOf(settings: Settings): PersonioSettings | null {
  return settings.personio ?? readRunning(settings.home)?.company ?? null;
}
