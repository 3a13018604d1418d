import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import {
  ServerUnavailableError,
  readCommand,
  findFreePorts,
  isAlive,
  pause,
  startServer,
  stopProcess,
} from './processes.js';
import type { Guard } from './processes.js';
import { findTemporalCli } from './temporal-cli.js';
import type { CliSearch } from './temporal-cli.js';

export interface TemporalServerOptions extends CliSearch {
  /** Folder that keeps runs, schedules and timers between starts. */
  readonly home: string;
  readonly guard: Guard;
  /** Starts the server without the UI. Default: false. */
  readonly headless?: boolean;
}

export interface TemporalServer {
  readonly address: string;
  /** Null without the UI. */
  readonly uiUrl: string | null;
  readonly cliPath: string;
  readonly pid: number;
  readonly stop: () => Promise<void>;
}

const START_TIMEOUT_MS = 60_000;

/**
 * Starts the official development server with a database file in the folder.
 *
 * @throws ServerUnavailableError if it cannot be found or does not start.
 */
export async function startTemporalServer(options: TemporalServerOptions): Promise<TemporalServer> {
  const { home, guard, headless = false, environment } = options;
  const cliPath = await findTemporalCli(options);
  const folder = join(home, 'temporal');
  mkdirSync(folder, { recursive: true });
  const database = join(folder, 'temporal.db');
  await stopLeftOver(folder, database);
  const ports = await findFreePorts(home, ['temporal', 'temporalUi', 'temporalHttp', 'temporalMetrics']);
  const getPort = (name: string): string => String(ports[name] ?? 0);
  const logFile = join(folder, 'server.log');
  const child = startServer({
    file: cliPath,
    logFile,
    environment,
    args: [
      'server',
      'start-dev',
      '--db-filename',
      database,
      '--ip',
      '127.0.0.1',
      '--port',
      getPort('temporal'),
      '--http-port',
      getPort('temporalHttp'),
      '--metrics-port',
      getPort('temporalMetrics'),
      ...(headless ? ['--headless'] : ['--ui-port', getPort('temporalUi')]),
      '--sqlite-pragma',
      'journal_mode=WAL',
      '--sqlite-pragma',
      'synchronous=NORMAL',
      '--log-level',
      'error',
    ],
  });
  const { pid } = child;
  if (pid === undefined)
    throw new ServerUnavailableError(`Cannot start the Temporal server ${cliPath}. Check that the file is executable.`);
  guard.watch(pid, 'SIGTERM');
  writeFileSync(join(folder, 'pid'), String(pid));
  const stop = async (): Promise<void> => stopProcess(pid, 'SIGTERM');
  await waitUntilListening(Number(getPort('temporal')), pid, logFile);
  const uiUrl = headless ? null : `http://127.0.0.1:${getPort('temporalUi')}`;
  return { address: `127.0.0.1:${getPort('temporal')}`, uiUrl, cliPath, pid, stop };
}

/** Stops a server that a killed start left behind, since it holds the database file. */
async function stopLeftOver(folder: string, database: string): Promise<void> {
  try {
    const pid = Number(readFileSync(join(folder, 'pid'), 'utf8'));
    if (pid > 0 && isAlive(pid) && readCommand(pid).includes(database)) await stopProcess(pid, 'SIGTERM');
  } catch {
    // No such file: nothing was left behind.
  }
}

async function waitUntilListening(port: number, pid: number, logFile: string): Promise<void> {
  const until = Date.now() + START_TIMEOUT_MS;
  while (Date.now() < until) {
    if (await isAccepting(port)) return;
    if (!isAlive(pid)) break;
    await pause(50);
  }
  await stopProcess(pid, 'SIGTERM');
  throw new ServerUnavailableError(
    `The Temporal server did not start; see its log, ${logFile}. \`dev --fresh\` starts with an empty state.`,
  );
}

async function isAccepting(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    const end = (yes: boolean): void => {
      socket.destroy();
      resolve(yes);
    };
    socket.once('connect', () => end(true));
    socket.once('error', () => end(false));
  });
}
