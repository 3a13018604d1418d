import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';

const runningServersSchema = z.object({
  pid: z.int(),
  databaseUrl: z.string(),
  temporalAddress: z.string(),
  namespace: z.string(),
  /** Connection of the demo company; null where a real Personio is configured. */
  company: z
    .object({ connectionId: z.string(), baseUrl: z.string(), clientId: z.string(), clientSecret: z.string() })
    .nullable(),
});

/** Addresses that a running `personio-sync dev` publishes to other commands in the same folder. */
export type RunningServers = z.infer<typeof runningServersSchema>;

const getFilePath = (home: string): string => join(home, 'running.json');

/** Publishes the servers. Only the owner may read the file, since the database URL contains a password. */
export function writeRunningServers(home: string, running: RunningServers): void {
  writeFileSync(getFilePath(home), JSON.stringify(running), { mode: 0o600 });
}

export function removeRunningServers(home: string): void {
  rmSync(getFilePath(home), { force: true });
}

/** Returns the servers of the `dev` that runs in this home, or null. */
export function readRunningServers(home: string): RunningServers | null {
  try {
    const running = runningServersSchema.parse(JSON.parse(readFileSync(getFilePath(home), 'utf8')));
    process.kill(running.pid, 0);
    return running;
  } catch {
    // No file, a torn one, or a process that is gone: no `dev` runs here.
    return null;
  }
}
