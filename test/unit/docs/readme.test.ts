import { readdirSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import { z } from 'zod';
import { parsePolicy } from '../../../src/config/policy-file.js';
import { listSamples, listTextFiles, readText, resolvePath } from '../../support/docs.js';

const readme = readText('README.md');
const policies = listSamples('yaml');
const isPolicyWithDefaults = (text: string): boolean => text.startsWith('# personio-sync.yaml: every key is optional');

function listCommands(): readonly string[] {
  const sources = listTextFiles().filter((path) => path.startsWith('src/cli/'));
  const commands = sources.flatMap((path) =>
    [...readText(path).matchAll(/program\s*\.command\('([a-z-]+)/g)].map(([, name = '']) => name),
  );
  expect(commands).toContain('backfill');
  return commands;
}

describe('the README', () => {
  test('opens with a sentence, then the commands that start and test', () => {
    const { scripts } = z
      .object({ scripts: z.record(z.string(), z.string()) })
      .parse(JSON.parse(readText('package.json')) as unknown);
    expect(readme).toMatch(/^# personio-sync\n\n[A-Za-z][^\n]*\.\n\n```\n/);
    const [, block = ''] = /```\n(.*?)```/s.exec(readme) ?? [];
    expect(block.split('\n').map((line) => line.split('#')[0]?.trim())).toEqual([
      'npm install && npm start',
      'npm install && npm test',
      '',
    ]);
    expect(Object.keys(scripts)).toEqual(expect.arrayContaining(['start', 'test']));
  });

  test('shows the defaults of the policy file', () => {
    const defaults = policies.filter(({ page, text }) => page === 'README.md' && isPolicyWithDefaults(text));
    expect(defaults.map(({ text }) => parsePolicy(text))).toEqual([parsePolicy('')]);
  });

  test('names every variable that is read', () => {
    const names = [...readText('src/config/settings.ts').matchAll(/'([A-Z][A-Z_]+[A-Z])'/g)].map(([, name]) => name);
    expect(names).toContain('DATABASE_URL');
    for (const name of names) expect(readme).toContain(name);
  });

  test('names every command', () => {
    for (const command of listCommands()) expect(readme).toMatch(new RegExp(`\`${command}\\b`));
  });

  test('names every folder of the source', () => {
    const folders = readdirSync(resolvePath('src'), { withFileTypes: true }).filter((entry) => entry.isDirectory());
    for (const { name } of folders) expect(readme).toContain(`\`src/${name}/`);
  });
});

describe('samples in the docs', () => {
  test('use commands that exist', () => {
    const commands = new Set(listCommands());
    const used = [...listSamples(''), ...listSamples('sh')].flatMap(({ page, text }) =>
      [...text.matchAll(/(?:^|npx |bin\/)personio-sync(?:\.js)? +([a-z-]+)/gm)].map(([, name = '']) => ({
        page,
        name,
      })),
    );
    expect(used.length).toBeGreaterThan(20);
    expect(used.filter(({ name }) => !commands.has(name))).toEqual([]);
  });

  test('show policies that are valid', () => {
    const texts = policies.map(({ text }) => text).filter((text) => text.startsWith('subscribers:'));
    expect(texts.length).toBeGreaterThanOrEqual(3);
    for (const text of texts) {
      expect(() => parsePolicy(text)).not.toThrow();
    }
  });
});
