import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { readTestServers } from './servers-file.js';

const run = promisify(execFile);
const MAX_BYTES = 64 * 1024 * 1024;

export interface ExportedHistory {
  readonly events: readonly unknown[];
}

/** Runs Temporal's own command line, as an operator does. @returns what it prints. */
export async function runTemporalCommand(namespace: string, ...args: string[]): Promise<string> {
  const { temporalCli, temporalAddress } = readTestServers();
  const where = ['--namespace', namespace, '--address', temporalAddress];
  const { stdout } = await run(temporalCli, [...args, ...where], { maxBuffer: MAX_BYTES });
  return stdout;
}

/** A workflow's history as people export it: by the CLI, as JSON. */
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

/** A history with its payloads spelt out: they are base64 in its JSON form. */
export function toReadableHistory(history: unknown): string {
  return JSON.stringify(history).replaceAll(
    /"([A-Za-z0-9+/=]{8,})"/g,
    (whole, text: string) => `${whole}${Buffer.from(text, 'base64').toString('utf8')}`,
  );
}
