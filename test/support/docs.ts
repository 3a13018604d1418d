import { readFileSync, writeFileSync } from 'node:fs';
import { expect } from '@jest/globals';

/**
 * Pages of the docs that are made by a test, so that they cannot rot: the test fails where the page says something else. To write it anew,
 * add `--globals '{"writeDocs":true}'` to the command that runs the test.
 */
export function expectPage(path: string, text: string): void {
  if ('writeDocs' in globalThis) writeFileSync(path, text);
  expect(readFileSync(path, 'utf8')).toBe(text);
}
