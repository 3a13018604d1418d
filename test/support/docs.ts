import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect } from '@jest/globals';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
/** Folders of tools and builds, and recorded histories. */
const SKIPPED = new Set(['.git', '.personio-sync', 'coverage', 'dist', 'fixtures', 'node_modules']);
const TEXT = /\.(cjs|css|html|js|json|md|py|sql|ts|ya?ml)$|^(Dockerfile|run)$/;

/** Returns a file of the repository as text. */
export const readText = (path: string): string => readFileSync(`${ROOT}${path}`, 'utf8');

/** Returns the absolute path of a file of the repository. */
export const resolvePath = (path: string): string => `${ROOT}${path}`;

/** Lists the text files of the repository, relative to its root, without builds, fixtures and lock files. */
export function listTextFiles(): readonly string[] {
  return listFiles('').filter((path) => TEXT.test(path.replace(/^.*\//, '')) && !path.endsWith('package-lock.json'));
}

/** Lists the pages of the documentation, with paths relative to the root of the repository. */
export function listPages(): readonly string[] {
  return listTextFiles().filter((path) => path.endsWith('.md'));
}

function listFiles(folder: string): readonly string[] {
  return readdirSync(`${ROOT}${folder}`, { withFileTypes: true }).flatMap((entry) => {
    const path = `${folder}${entry.name}`;
    if (!entry.isDirectory()) return [path];
    return SKIPPED.has(entry.name) ? [] : listFiles(`${path}/`);
  });
}

export interface Sample {
  readonly page: string;
  /** Counts the samples of the page, from 1. */
  readonly number: number;
  readonly text: string;
}

const FENCE = /^( *)```(\w*)\n(.*?)^\1```$/gms;

/** Lists the fenced blocks of one language in all pages; `''` for blocks that name none. */
export function listSamples(language: string): readonly Sample[] {
  return listPages().flatMap((page) =>
    [...readText(page).matchAll(FENCE)]
      .filter((fence) => fence[2] === language)
      .map(([, indent = '', , text = ''], index) => ({
        page,
        number: index + 1,
        text: text.replaceAll(new RegExp(`^${indent}`, 'gm'), ''),
      })),
  );
}

/**
 * Fails if a page that a test generates differs from `text`. To write the page, add `--globals '{"writeDocs":true}'`
 * to the command that runs the test.
 */
export function expectPage(path: string, text: string): void {
  if ('writeDocs' in globalThis) writeFileSync(path, text);
  expect(readFileSync(path, 'utf8')).toBe(text);
}
