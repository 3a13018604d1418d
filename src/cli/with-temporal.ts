import { hostname } from 'node:os';
import type { Settings } from '../config/settings.js';
import { connectTemporal } from '../temporal/connection.js';
import type { TemporalClients } from '../temporal/connection.js';
import { resolveTemporal } from './servers.js';

/** Long enough for a server that is restarting; short enough for a person who is waiting. */
const CONNECT_TIMEOUT_MS = 5_000;

/** Runs `work` with the Temporal server of the settings, and closes the connection afterwards. */
export async function withTemporal<T>(
  settings: Settings,
  command: string,
  work: (temporal: TemporalClients) => Promise<T>,
): Promise<T> {
  const temporal = await openTemporal(settings, command);
  try {
    return await work(temporal);
  } finally {
    await temporal.close();
  }
}

/**
 * Connects to the Temporal server of the settings.
 *
 * @param command name of the command, which histories and the UI show as part of the identity.
 * @throws TemporalUnreachableError
 */
export async function openTemporal(settings: Settings, command: string): Promise<TemporalClients> {
  const identity = `personio-sync ${command}@${hostname()}`;
  return connectTemporal({ ...resolveTemporal(settings), identity }, CONNECT_TIMEOUT_MS);
}
