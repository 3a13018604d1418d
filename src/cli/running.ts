import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';

const runningServersSchema = z.object({
  pid: z.int(),
  databaseUrl: z.string(),
  temporalAddress: z.string(),
  namespace: z.string(),
  /** The made-up company; null where a real Personio is configured. */
  company: z
    .object({ connectionId: z.string(), baseUrl: z.string(), clientId: z.string(), clientSecret: z.string() })
    .nullable(),
});

/** What a running `personio-sync dev` tells the other commands of the same folder, so that they need no settings. */
export type RunningServers = z.infer<typeof runningServersSchema>;

const getFilePath = (home: string): string => join(home, 'running.json');

/** Kept readable by its owner only: the database URL has a password. */
export function writeRunningServers(home: string, running: RunningServers): void {
  writeFileSync(getFilePath(home), JSON.stringify(running), { mode: 0o600 });
}

export function removeRunningServers(home: string): void {
  rmSync(getFilePath(home), { force: true });
}

/** @returns null when no `dev` of this home runs. */
export function readRunningServers(home: string): RunningServers | null {
  try {
    const running = runningServersSchema.parse(JSON.parse(readFileSync(getFilePath(home), 'utf8')));
    process.kill(running.pid, 0);
    return running;
  } catch {
    // No file, a torn one, or a process that is gone: all mean that nothing of ours runs here.
    return null;
  }
}
