import { execFileSync, spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { closeSync, existsSync, mkdirSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { Socket, createServer } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Thrown when a server cannot be found, fetched or started. The message says what was tried and what to do. */
export class ServerUnavailableError extends Error {
  override readonly name = 'ServerUnavailableError';
}

/** Stops the servers that this process started, even when it is killed. */
export interface Guard {
  readonly watch: (pid: number, signal: NodeJS.Signals) => void;
  /** Ends the guard, once the servers are stopped. */
  readonly release: () => void;
}

/** Starts the guard as a process in its own session, so that Ctrl-C does not reach it. */
export function startGuard(): Guard {
  const script = fileURLToPath(new URL('./guard.js', import.meta.url));
  const child = spawn(process.execPath, [script], { detached: true, stdio: ['pipe', 'ignore', 'ignore'] });
  child.on('error', () => undefined);
  child.stdin.on('error', () => undefined);
  child.unref();
  const { stdin } = child;
  if (stdin instanceof Socket) stdin.unref();
  return {
    watch: (pid, signal) => void stdin.write(`${pid} ${signal}\n`),
    release: () => void stdin.end('done\n'),
  };
}

export interface ServerCommand {
  readonly file: string;
  readonly args: readonly string[];
  readonly logFile: string;
  readonly environment: Readonly<NodeJS.ProcessEnv>;
  readonly uid?: number;
  readonly gid?: number;
  readonly cwd?: string;
}

/** Starts a server in its own session: on Ctrl-C the worker drains first, and then the servers stop. */
export function startServer({ file, args, logFile, environment, ...rest }: ServerCommand): ChildProcess {
  const log = openSync(logFile, 'a', 0o600);
  try {
    const child = spawn(file, args, { ...rest, env: { ...environment }, detached: true, stdio: ['ignore', log, log] });
    child.on('error', () => undefined);
    child.unref();
    return child;
  } finally {
    closeSync(log);
  }
}

export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // We may not signal it, so it is alive.
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}

/** Returns the command line of a process, since its pid may have been reused; empty if it cannot be read. */
export function readCommand(pid: number): string {
  try {
    return execFileSync('ps', ['-o', 'args=', '-p', String(pid)], { encoding: 'utf8' });
  } catch {
    return readProcCommand(pid);
  }
}

function readProcCommand(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ');
  } catch {
    return '';
  }
}

const STOP_TIMEOUT_MS = 15_000;

/** Signals a process to stop, and kills it if it does not. */
export async function stopProcess(pid: number, signal: NodeJS.Signals): Promise<void> {
  if (!isAlive(pid)) return;
  try {
    process.kill(pid, signal);
    const until = Date.now() + STOP_TIMEOUT_MS;
    while (isAlive(pid) && Date.now() < until) await pause(25);
    if (isAlive(pid)) process.kill(pid, 'SIGKILL');
  } catch {
    // It ended meanwhile.
  }
}

/** Returns free ports: those of the last start if they are still free, so that links keep working. */
export async function findFreePorts(home: string, names: readonly string[]): Promise<Readonly<Record<string, number>>> {
  const file = join(home, 'ports.json');
  const known = readPorts(file);
  const ports: Record<string, number> = { ...known };
  for (const name of names) {
    const before = known[name];
    ports[name] = before !== undefined && (await isFree(before)) ? before : await findFreePort();
  }
  writeFileSync(file, JSON.stringify(ports));
  return ports;
}

function readPorts(file: string): Readonly<Record<string, number>> {
  try {
    const ports: unknown = JSON.parse(readFileSync(file, 'utf8'));
    const entries = Object.entries(ports ?? {}).filter((entry): entry is [string, number] =>
      Number.isInteger(entry[1]),
    );
    return Object.fromEntries(entries);
  } catch {
    return {};
  }
}

async function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
}

async function findFreePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(address !== null && typeof address !== 'string' ? address.port : 0));
    });
  });
}

/**
 * Creates the folder and locks it for this process. Returns a function that releases it.
 *
 * @throws ServerUnavailableError if another process has it.
 */
export function lockHome(home: string): () => void {
  mkdirSync(home, { recursive: true });
  const file = join(home, 'lock');
  for (let attempt = 0; attempt < 2; attempt++) {
    try {
      writeFileSync(file, String(process.pid), { flag: 'wx' });
      return () => rmSync(file, { force: true });
    } catch {
      const holder = existsSync(file) ? Number(readFileSync(file, 'utf8')) : 0;
      if (holder > 0 && isAlive(holder)) {
        throw new ServerUnavailableError(
          `Another personio-sync (process ${holder}) already runs its servers in ${home}. ` +
            'Stop it with Ctrl-C, or set PERSONIO_SYNC_HOME to another folder. ' +
            `If process ${holder} is something else, delete ${file}.`,
        );
      }
      rmSync(file, { force: true });
    }
  }
  throw new ServerUnavailableError(`Cannot lock the folder ${home}: other processes keep taking it. Try again.`);
}

export async function pause(ms: number): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, ms));
}
