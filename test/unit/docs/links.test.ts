import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { posix } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { z } from 'zod';
import { listPages, readText, resolvePath } from '../../support/docs.js';

interface Link {
  /** Relative to the root of the repository. */
  readonly path: string;
  readonly anchor: string;
}

/** Returns the links of a page to files of the repository and to its own headings. */
function listLinks(page: string): readonly Link[] {
  const prose = readText(page).replaceAll(/```.*?```/gs, '');
  return [...prose.matchAll(/\]\((?![a-z]+:)([^)#]*)(?:#([^)]*))?\)/g)].map(([, target = '', anchor = '']) => ({
    path: target === '' ? page : posix.normalize(posix.join(posix.dirname(page), target)),
    anchor,
  }));
}

/** Returns the anchors of a page's headings, as GitHub forms them. */
function listAnchors(page: string): readonly string[] {
  const headings = [...readText(page).matchAll(/^#+ (.*)$/gm)].map(([, heading = '']) => heading);
  return headings.map((heading) =>
    heading
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-'),
  );
}

/** Returns the paths that npm would put into the package. */
function listPackedFiles(): readonly string[] {
  const args = ['pack', '--dry-run', '--json', '--ignore-scripts'];
  const output = execFileSync('npm', args, {
    cwd: resolvePath(''),
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const packages = z.array(z.object({ files: z.array(z.object({ path: z.string() })) })).parse(JSON.parse(output));
  return packages.flatMap(({ files }) => files.map(({ path }) => path));
}

describe('links', () => {
  test.each(listPages())('of %s lead to files and headings that exist', (page) => {
    const broken = listLinks(page).filter(
      ({ path, anchor }) => !existsSync(resolvePath(path)) || (anchor !== '' && !listAnchors(path).includes(anchor)),
    );
    expect(broken).toEqual([]);
  });

  test('of packed pages lead to packed files', () => {
    const packed = listPackedFiles();
    expect(packed).toContain('README.md');
    const isPacked = (path: string): boolean => packed.some((file) => file === path || file.startsWith(`${path}/`));
    const missing = listPages()
      .filter((page) => packed.includes(page))
      .flatMap((page) => listLinks(page).map(({ path }) => ({ page, path })))
      .filter(({ path }) => !isPacked(path));
    expect(missing).toEqual([]);
  }, 30_000);
});

const FILE = /`((?:\.ci|\.github|activities|docs|examples|scripts|src|test|workflows)\/[\w./-]*)`/g;

test.each(listPages())('%s names files that exist', (page) => {
  const paths = [...readText(page).matchAll(FILE)].map(([, path = '']) => path);
  const missing = paths.filter(
    (path) => ![path, posix.join(posix.dirname(page), path)].some((place) => existsSync(resolvePath(place))),
  );
  expect(missing).toEqual([]);
});
