import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import { LIFECYCLE_RULES } from '../../../src/domain/lifecycle.js';

const doc = readFileSync('docs/lifecycle.md', 'utf8');
const rows = doc.split('\n').filter((line) => line.startsWith('| '));
const documented = rows.flatMap((line) => /^\| `([a-z-]+)` /.exec(line)?.[1] ?? []);

function readTexts(folder: string, ending: string): readonly string[] {
  return readdirSync(folder)
    .filter((name) => name.endsWith(ending))
    .map((name) => readFileSync(`${folder}/${name}`, 'utf8'));
}

describe('the table of lifecycle rules', () => {
  test('has exactly one row for every rule in the code', () => {
    expect([...documented].sort()).toEqual([...LIFECYCLE_RULES].sort());
  });

  test('has a row for every rule that a decision uses', () => {
    const sources = ['decide', 'event-builder'].map((name) => readFileSync(`src/domain/${name}.ts`, 'utf8')).join('\n');
    const named = [...sources.matchAll(/'([a-z]+(?:-[a-z]+)+)'/g)].map((found) => found[1]);
    expect(named.length).toBeGreaterThan(15);
    for (const name of named) expect(documented).toContain(name);
  });

  test('has no rule that no decision uses', () => {
    const sources = readTexts('src/domain', '.ts').filter((text) => !text.includes('export const LIFECYCLE_RULES'));
    for (const rule of LIFECYCLE_RULES) expect(sources.some((text) => text.includes(`'${rule}'`))).toBe(true);
  });

  test('names only tests that exist', () => {
    // What a rule does to rows is tested with PostgreSQL.
    const tests = ['test/unit/domain', 'test/store'].flatMap((folder) => readTexts(folder, '.test.ts')).join('\n');
    const names = rows.flatMap((line) => /`([^`]+)` *\|$/.exec(line)?.[1] ?? []);
    expect(names.length).toBeGreaterThan(documented.length);
    for (const name of names) expect(tests).toContain(`'${name}'`);
  });
});
