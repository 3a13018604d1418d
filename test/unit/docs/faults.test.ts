import { describe, expect, test } from '@jest/globals';
import { readText } from '../../support/docs.js';

const rows = readText('docs/faults.md')
  .split('\n')
  .filter((line) => line.includes('`test/'))
  .map((line) => line.split('|').map((cell) => cell.trim()))
  .map(([, condition = '', , tests = '']) => ({
    condition,
    files: [...tests.matchAll(/`(test\/[^`]+)`/g)].map(([, file = '']) => file),
    name: /`: (.+)$/.exec(tests)?.[1] ?? '',
  }))
  .filter(({ files }) => files.length > 0);

describe('docs/faults.md', () => {
  test('has all kinds of faults', () => {
    expect(rows.length).toBeGreaterThan(40);
  });

  test.each(rows)('names a test that exists: $condition', ({ files, name }) => {
    for (const file of files) expect(readText(file)).toContain(name);
  });
});
