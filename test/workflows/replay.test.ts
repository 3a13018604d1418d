import { readFileSync, readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, test } from '@jest/globals';
import { Worker, bundleWorkflowCode } from '@temporalio/worker';
import type { WorkflowBundle } from '@temporalio/worker';
import { toReadableHistory } from '../support/history.js';

/**
 * Histories of released versions, exported with Temporal's command line (scripts/record-histories.js). If one of them
 * does not replay, running workflows of users would break: put the change behind `patched()`. Never record them
 * again.
 */
const FOLDER = fileURLToPath(new URL('../fixtures/histories/', import.meta.url));
const FILES = readdirSync(FOLDER).filter((name) => name.endsWith('.json'));

interface RecordedHistory {
  readonly workflowId: string;
  readonly events: readonly { readonly eventType: string }[];
}

let bundle: WorkflowBundle;
beforeAll(async () => {
  const ignore = (): void => undefined;
  const logger = { log: ignore, trace: ignore, debug: ignore, info: ignore, warn: ignore, error: ignore };
  const workflowsPath = fileURLToPath(new URL('../../workflows/index.ts', import.meta.url));
  bundle = await bundleWorkflowCode({ workflowsPath, logger });
});

const loadHistory = (file: string): RecordedHistory =>
  JSON.parse(readFileSync(`${FOLDER}${file}`, 'utf8')) as RecordedHistory;

async function replay({ workflowId, events }: RecordedHistory): Promise<void> {
  await Worker.runReplayHistory({ workflowBundle: bundle }, { events }, workflowId);
}

describe('recorded histories', () => {
  test('cover each workflow type, continue-as-new and an approved question', () => {
    const names = FILES.map((file) => file.replace('.json', ''));
    const types = ['syncEmployees', 'syncDepartments', 'syncAttendances', 'syncTimeOffTypes', 'refreshEmployee'];
    expect(names).toEqual(
      expect.arrayContaining([
        ...types,
        'detectLifecycleTransitions',
        'detectLifecycleTransitions-answered',
        'employeeLifecycle',
        'applyRetention',
        'syncAttendances-continued',
      ]),
    );
  });

  test.each(FILES)('%s replays', async (file) => {
    await expect(replay(loadHistory(file))).resolves.toBeUndefined();
  });

  test.each(FILES)('%s contains no personal data', (file) => {
    expect(toReadableHistory(loadHistory(file))).not.toMatch(/@example\.org|papi-|secret/);
  });

  test('fail with a renamed activity', async () => {
    const { workflowId, events } = loadHistory('syncAttendances.json');
    const renamed = JSON.stringify(events).replaceAll('"name":"commitSnapshot"', '"name":"commitChunk"');
    expect(renamed).toContain('"name":"commitChunk"');
    await expect(replay({ workflowId, events: JSON.parse(renamed) as RecordedHistory['events'] })).rejects.toThrow();
  });
});
