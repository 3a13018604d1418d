/**
 * `npm run faults`: runs the tests that docs/faults.md names and those of Personio's own faults, and prints both tables
 * with what came. Fails where a promise was not kept.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';

const PERSONIO_FAULTS = 'test/workflows/faults.test.ts';

/** Rows of docs/faults.md with the tests that they name, and its headings. */
const lines = readFileSync('docs/faults.md', 'utf8').split('\n');
const rows = lines.flatMap((line) => {
  const heading = /^## (.*)$/.exec(line)?.[1];
  if (heading !== undefined) return [{ heading }];
  const [, condition = '', promise = '', tests = ''] = line.split('|').map((cell) => cell.trim());
  const files = [...tests.matchAll(/`(test\/[^`]+)`/g)].map(([, file]) => file);
  return files.length === 0 ? [] : [{ condition, promise, files, name: /`: (.+)$/.exec(tests)?.[1] ?? '' }];
});

const files = [...new Set([PERSONIO_FAULTS, ...rows.flatMap((row) => row.files ?? [])])];
const output = join(mkdtempSync(join(tmpdir(), 'personio-sync-faults-')), 'results.json');
const globals = JSON.stringify({ printFaults: true });
const { status } = spawnSync('npm', ['test', '--', ...files, '--globals', globals, '--json', '--outputFile', output], {
  stdio: ['ignore', 'inherit', 'inherit'],
});

const results = JSON.parse(readFileSync(output, 'utf8')).testResults.flatMap(({ name, assertionResults }) =>
  assertionResults.map(({ fullName, status: outcome }) => ({ file: relative('.', name), fullName, outcome })),
);

/** Returns what came of the tests that a row names. */
function describeOutcome({ files: named, name }) {
  const found = results.filter(({ file, fullName }) => named.includes(file) && fullName.includes(name));
  const passed = found.filter(({ outcome }) => outcome === 'passed').length;
  if (found.length === 0) return 'NO TEST';
  return passed === found.length ? `kept (${passed})` : `BROKEN (${found.length - passed} of ${found.length})`;
}

let broken = status === 0 ? 0 : 1;
for (const row of rows) {
  if (row.heading !== undefined) {
    process.stdout.write(`\n${row.heading}\n`);
    continue;
  }
  const outcome = describeOutcome(row);
  if (!outcome.startsWith('kept')) broken += 1;
  process.stdout.write(`  ${outcome.padEnd(16)}  ${row.condition}: ${row.promise}\n`);
}
process.exitCode = broken === 0 ? 0 : 1;
