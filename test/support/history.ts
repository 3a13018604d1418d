import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { readTestServers } from './servers-file.js';

const run = promisify(execFile);
const MAX_BYTES = 64 * 1024 * 1024;

export interface ExportedHistory {
  readonly events: readonly unknown[];
}

/** Runs Temporal's command line as an operator does. Returns its output. */
export async function runTemporalCommand(namespace: string, ...args: string[]): Promise<string> {
  const { temporalCli, temporalAddress } = readTestServers();
  const where = ['--namespace', namespace, '--address', temporalAddress];
  const { stdout } = await run(temporalCli, [...args, ...where], { maxBuffer: MAX_BYTES });
  return stdout;
}

/** Exports a workflow's history as people do: with the CLI, as JSON. */
export async function exportHistory(namespace: string, workflowId: string): Promise<ExportedHistory> {
  const stdout = await runTemporalCommand(
    namespace,
    'workflow',
    'show',
    '--workflow-id',
    workflowId,
    '--output',
    'json',
  );
  return JSON.parse(stdout) as ExportedHistory;
}

/** Returns a history with its payloads decoded: in its JSON form they are base64. */
export function toReadableHistory(history: unknown): string {
  return JSON.stringify(history).replaceAll(
    /"([A-Za-z0-9+/=]{8,})"/g,
    (match, text: string) => `${match}${Buffer.from(text, 'base64').toString('utf8')}`,
  );
}
