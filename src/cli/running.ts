import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';

const runningSchema = z.object({
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
export type Running = z.infer<typeof runningSchema>;

const fileOf = (home: string): string => join(home, 'running.json');

/** Kept readable by its owner only: the database URL has a password. */
export function writeRunning(home: string, running: Running): void {
  writeFileSync(fileOf(home), JSON.stringify(running), { mode: 0o600 });
}

export function removeRunning(home: string): void {
  rmSync(fileOf(home), { force: true });
}

/** @returns null when no `dev` of this home runs. */
export function readRunning(home: string): Running | null {
  try {
    const running = runningSchema.parse(JSON.parse(readFileSync(fileOf(home), 'utf8')));
    process.kill(running.pid, 0);
    return running;
  } catch {
    // No file, a torn one, or a process that is gone: all mean that nothing of ours runs here.
    return null;
  }
}
