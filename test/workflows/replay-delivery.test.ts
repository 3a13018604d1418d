import { readFileSync, readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gunzipSync } from 'node:zlib';
import { beforeAll, describe, expect, test } from '@jest/globals';
import { DefaultLogger, Worker, bundleWorkflowCode } from '@temporalio/worker';
import type { WorkflowBundleWithSourceMap } from '@temporalio/worker';
import { silenceRuntime } from '../support/worker.js';

/**
 * Employees' workflows wait for months, so new code must continue where old code stopped. The histories were exported
 * (`temporal workflow show --output json`) from the code that last changed the order of commands. If a replay fails,
 * put the change behind `patched()`; never record the history again.
 */
const HISTORIES = fileURLToPath(new URL('../fixtures/histories', import.meta.url));
const WORKFLOWS = join(dirname(fileURLToPath(import.meta.url)), '../../workflows/index.ts');
const names = readdirSync(HISTORIES).filter((name) => /^employee-lifecycle-.*[.]json[.]gz$/.test(name));

interface RecordedHistory {
  readonly events: readonly Readonly<Record<string, unknown>>[];
}

let workflowBundle: WorkflowBundleWithSourceMap;

beforeAll(async () => {
  silenceRuntime();
  workflowBundle = await bundleWorkflowCode({ workflowsPath: WORKFLOWS, logger: new DefaultLogger('ERROR') });
}, 120_000);

function loadHistory(name: string): RecordedHistory {
  return JSON.parse(gunzipSync(readFileSync(join(HISTORIES, name))).toString()) as RecordedHistory;
}

describe('employeeLifecycle', () => {
  test('has histories of a delivered, overdue, failed, long and continued one', () => {
    expect(names).toEqual(
      ['continued', 'failed', 'long', 'overdue', 'told'].map((name) => `employee-lifecycle-${name}.json.gz`),
    );
    const listEventTypes = (name: string): readonly unknown[] =>
      loadHistory(`employee-lifecycle-${name}.json.gz`).events.map((event) => event['eventType']);
    expect(listEventTypes('long').at(-1)).toBe('EVENT_TYPE_WORKFLOW_EXECUTION_CONTINUED_AS_NEW');
    expect(listEventTypes('told').at(-1)).toBe('EVENT_TYPE_WORKFLOW_EXECUTION_COMPLETED');
    expect(
      listEventTypes('overdue').filter((kind) => kind === 'EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED').length,
    ).toBeGreaterThan(2);
  });

  test.each(names)('%s replays', async (name) => {
    await Worker.runReplayHistory({ workflowBundle }, loadHistory(name), 'personio:default:employee:1');
  });

  test('refuses a history with a renamed activity', async () => {
    // The only one with a regular activity: of local activities, a replay checks the order alone.
    const { events } = loadHistory('employee-lifecycle-failed.json.gz');
    const renamed = JSON.parse(
      JSON.stringify({ events }).replaceAll('advanceAgenda', 'somethingElse'),
    ) as RecordedHistory;
    await expect(Worker.runReplayHistory({ workflowBundle }, renamed, 'personio:default:employee:1')).rejects.toThrow();
  });
});
