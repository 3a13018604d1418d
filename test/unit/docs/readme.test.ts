import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from '@jest/globals';
import { z } from 'zod';
import { parsePolicy } from '../../../src/config/policy-file.js';

const resolvePath = (path: string): string => fileURLToPath(new URL(`../../../${path}`, import.meta.url));
const read = (path: string): string => readFileSync(resolvePath(path), 'utf8');
const readme = read('README.md');

describe('the README', () => {
  test('opens with the command of the main job and that of the tests', () => {
    const { scripts } = z
      .object({ scripts: z.record(z.string(), z.string()) })
      .parse(JSON.parse(read('package.json')) as unknown);
    const [, block = ''] = /```\n(.*?)```/s.exec(readme) ?? [];
    expect(block.split('\n').map((line) => line.split('#')[0]?.trim())).toEqual([
      'npm install && npm start',
      'npm install && npm test',
      '',
    ]);
    expect(Object.keys(scripts)).toEqual(expect.arrayContaining(['start', 'test']));
  });

  test('shows the defaults of the policy file as they are', () => {
    const [, yaml = ''] = /```yaml\n(.*?)```/s.exec(readme) ?? [];
    expect(parsePolicy(yaml)).toEqual(parsePolicy(''));
  });

  test('names every variable that is read', () => {
    const source = read('src/config/settings.ts');
    const names = [...source.matchAll(/'([A-Z][A-Z_]+[A-Z])'/g)].map(([, name]) => name ?? '');
    expect(names).toContain('DATABASE_URL');
    for (const name of names) expect(readme).toContain(name);
  });

  test('names every command', () => {
    const files = readdirSync(resolvePath('src/cli/commands'));
    const commands = files.flatMap((file) =>
      [...read(`src/cli/commands/${file}`).matchAll(/program\s*\.command\('([a-z-]+)/g)].map(([, name]) => name ?? ''),
    );
    expect(commands).toContain('backfill');
    for (const command of commands) expect(readme).toMatch(new RegExp(`\`${command}\\b`));
  });
});

const pages = readdirSync(resolvePath('docs')).filter((name) => name.endsWith('.md'));

test.each(['README.md', 'CONTRIBUTING.md', ...pages.map((name) => `docs/${name}`)])(
  'every link of %s leads somewhere',
  (file) => {
    const folder = file.replace(/[^/]*$/, '');
    const links = [...read(file).matchAll(/\]\((?!https?:|#)([^)#]+)(?:#[^)]*)?\)/g)].map(([, target]) => target ?? '');
    for (const link of links) expect([link, existsSync(resolvePath(`${folder}${link}`))]).toEqual([link, true]);
  },
);
