import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const BIN = fileURLToPath(new URL('../../bin/personio-sync.js', import.meta.url));

export interface CommandResult {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunningCommand {
  readonly child: ChildProcess;
  readonly ended: Promise<CommandResult>;
  /** Returns everything written so far, stderr included. */
  readonly output: () => string;
}

export type Environment = Readonly<Record<string, string>>;

/** Starts `personio-sync` as a user does, in its own process with only these settings. @param input text on stdin. */
export function startCommand(
  args: readonly string[],
  environment: Environment,
  cwd?: string,
  input?: string,
): RunningCommand {
  const { PATH = '', HOME = '', GOPROXY, GOFLAGS, XDG_CACHE_HOME } = process.env;
  const inherited = Object.fromEntries(
    Object.entries({ PATH, HOME, GOPROXY, GOFLAGS, XDG_CACHE_HOME }).filter(
      (entry): entry is [string, string] => entry[1] !== undefined,
    ),
  );
  const child = spawn(process.execPath, [BIN, ...args], {
    env: { ...inherited, ...environment },
    stdio: ['pipe', 'pipe', 'pipe'],
    ...(cwd === undefined ? {} : { cwd }),
  });
  // A command that has read enough closes its end.
  child.stdin.on('error', () => undefined);
  child.stdin.end(input ?? '');
  let [stdout, stderr] = ['', ''];
  child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
  const ended = new Promise<CommandResult>((resolve) => child.on('close', (code) => resolve({ code, stdout, stderr })));
  return { child, ended, output: () => stdout + stderr };
}

export async function runCommand(
  args: readonly string[],
  environment: Environment,
  cwd?: string,
  input?: string,
): Promise<CommandResult> {
  return startCommand(args, environment, cwd, input).ended;
}
