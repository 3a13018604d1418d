import { describe, expect, test } from '@jest/globals';
import { listTextFiles, readText } from '../../support/docs.js';

const GLOSSARY = 'docs/glossary.md';
/** Released migrations are never edited; this file has examples. */
const EXEMPT = [GLOSSARY, 'src/store/migrations/', 'test/unit/docs/glossary.test.ts'];

const glossary = readText(GLOSSARY);
const retired = [...glossary.matchAll(/```retired\n(.*?)```/gs)].flatMap(([, block = '']) => block.trim().split('\n'));
const RETIRED = new RegExp(`\\b(?:${retired.join('|')})\\b`, 'i');
const storedNames = listCode(glossary.replace(/^.*?## Stored names/s, ''), 0);

/** Returns the code spans in one column of the tables of `markdown`. */
function listCode(markdown: string, column: number): readonly string[] {
  const rows = markdown.split('\n').filter((line) => /^\| .*\|$/.test(line) && !line.startsWith('| ---'));
  const cells = rows.map((row) => row.split('|')[column + 1] ?? '');
  return cells.flatMap((cell) => [...cell.matchAll(/`([^`]+)`/g)].map(([, code = '']) => code));
}

/** Returns the expression of a stored name. A plain word counts only as a key, a property or a quoted name. */
function toStoredPattern(name: string): string {
  return /[A-Z_ ]/.test(name) ? name : `(?<=['"\`.])${name}\\b|\\b${name}(?=['"\`]|\\??:)`;
}
const STORED = new RegExp(storedNames.map(toStoredPattern).join('|'), 'g');

/** Returns a line with its identifiers as words: `handOver`, `hand_over` and `HAND_OVER` become `hand over`. */
const splitIdentifiers = (line: string): string => line.replaceAll(/(?<=[a-z\d])(?=[A-Z])|_/g, ' ');

describe('the glossary', () => {
  test('lists retired words and stored names', () => {
    expect(retired).toEqual(expect.arrayContaining(['standing', 'agendas?', 'anew']));
    expect(storedNames).toEqual(expect.arrayContaining(['advanceAgenda', 'handed_over_to', 'oddities']));
  });

  test('finds retired words in text and identifiers, but not in stored names', () => {
    const find = (line: string): boolean => RETIRED.test(splitIdentifiers(line.replaceAll(STORED, '')));
    const found = ['Handing over', 'agendaOf(person)', 'MADE_UP = "made-up"', 'the oddities', 'it was mended'];
    const allowed = ['advanceAgenda()', 'set handed_over_to = null', "detail -> 'oddities'", 'newSize', 'recommended'];
    expect([found.filter((line) => !find(line)), allowed.filter(find)]).toEqual([[], []]);
  });

  test('retires words that no file uses', () => {
    const files = listTextFiles().filter((path) => !EXEMPT.some((exempt) => path.startsWith(exempt)));
    expect(files.length).toBeGreaterThan(300);
    const found = files.flatMap((path) =>
      readText(path)
        .split('\n')
        .flatMap((line, index) => {
          const word = RETIRED.exec(splitIdentifiers(line.replaceAll(STORED, '')));
          return word === null ? [] : [`${path}:${index + 1}: ${word[0]}`];
        }),
    );
    expect(found).toEqual([]);
  });

  test('names code that exists', () => {
    const sources = listTextFiles().filter((path) => /^(activities|src|workflows)\//.test(path));
    const code = sources.map(readText).join('\n');
    const names = listCode(glossary.replace(/## Stored names.*$/s, ''), 2).map((name) => name.replaceAll('…', ''));
    expect(names.length).toBeGreaterThan(40);
    expect(names.filter((name) => !code.includes(name))).toEqual([]);
  });
});
