import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { z } from 'zod';

const root = fileURLToPath(new URL('../..', import.meta.url));
const cruiser = join(root, 'node_modules', 'dependency-cruiser', 'bin', 'dependency-cruise.mjs');
const config = join(root, '.dependency-cruiser.cjs');

const violationSchema = z.object({ from: z.string(), to: z.string(), rule: z.object({ name: z.string() }) });
const outputSchema = z.object({
  summary: z.object({
    violations: z.array(violationSchema),
    totalDependenciesCruised: z.number(),
    ruleSetUsed: z.object({ forbidden: z.array(z.object({ name: z.string(), comment: z.string() })) }),
  }),
});
type Summary = z.infer<typeof outputSchema>['summary'];

/** Returns the summary that dependency-cruiser prints for the code below a folder. */
function cruise(folder: string): Summary {
  const args = [cruiser, '--config', config, '--output-type', 'json', 'src', 'workflows', 'activities'];
  const stdout = execFileSync(process.execPath, args, { cwd: folder, encoding: 'utf8', maxBuffer: 64 * 1024 * 1024 });
  return outputSchema.parse(JSON.parse(stdout)).summary;
}

/** Returns a sentence for each violation, with the remedy, so that a failing test says what to do. */
function formatViolations({ violations, ruleSetUsed }: Summary): readonly string[] {
  return violations.map(({ from, to, rule }) => {
    const remedy = ruleSetUsed.forbidden.find(({ name }) => name === rule.name)?.comment ?? '';
    return `${from} imports ${to} (${rule.name}). ${remedy}`;
  });
}

test('dependencies point inwards', () => {
  const summary = cruise(root);
  // Code that was not found would pass otherwise.
  expect(summary.totalDependenciesCruised).toBeGreaterThan(400);
  expect(formatViolations(summary)).toEqual([]);
});

/** Imports of a small tree of the same shape, each with the rule that must catch it; null: it is allowed. */
const IMPORTS: readonly (readonly [from: string, to: string, rule: string | null])[] = [
  ['workflows/calls-an-activity.ts', '../activities/index.js', 'layer-workflows'],
  ['workflows/calls-the-store.ts', '../src/store/runs.js', 'layer-workflows'],
  ['workflows/reads-a-file.ts', 'node:fs', 'packages-of-workflows'],
  ['workflows/uses-a-client.ts', '@temporalio/client', 'packages-of-workflows'],
  ['workflows/uses-contracts.ts', '../src/contracts/internal/names.js', null],
  ['workflows/uses-the-sandbox.ts', '@temporalio/workflow', null],
  ['activities/asks-the-cli.ts', '../src/cli/exit.js', 'layer-activities'],
  ['activities/uses-the-store.ts', '../src/store/runs.js', null],
  ['src/contracts/internal/decides.ts', '../../domain/decide.js', 'layer-contracts'],
  ['src/contracts/internal/logs.ts', 'pino', 'packages-of-contracts'],
  ['src/contracts/internal/uses-public.ts', '../public/names.js', null],
  ['src/contracts/public/uses-internal.ts', '../internal/names.js', 'public-contracts'],
  ['src/domain/reads-settings.ts', '../config/settings.js', 'layer-domain'],
  ['src/domain/reads-a-file.ts', 'node:fs', 'packages-of-domain'],
  ['src/config/asks-the-store.ts', '../store/runs.js', 'layer-config'],
  ['src/crypto/asks-the-store.ts', '../store/runs.js', 'layer-crypto'],
  ['src/observability/asks-the-store.ts', '../store/runs.js', 'layer-observability'],
  ['src/personio/asks-the-store.ts', '../store/runs.js', 'layer-personio'],
  ['src/personio/writes-sql.ts', 'pg', 'only-there-pg'],
  ['src/store/uses-a-port.ts', '../personio/errors.js', null],
  ['src/store/reads-pages.ts', '../personio/pages.js', 'layer-store'],
  ['src/personio/v2/uses-v1.ts', '../v1/envelope.js', 'personio-v2-apart'],
  ['src/store/calls-personio.ts', 'got', 'only-there-got'],
  ['src/temporal/composes.ts', '../cli/exit.js', 'layer-temporal'],
  ['src/temporal/seals.ts', 'jose', 'only-there-jose'],
  ['src/observability/reads-arguments.ts', 'commander', 'only-there-commander'],
  ['src/network/logs.ts', '../store/runs.js', 'layer-network'],
  ['src/worker/prints.ts', '../cli/exit.js', 'layer-worker'],
  ['src/embedded/reads-settings.ts', '../config/settings.js', 'layer-embedded'],
  ['src/fake-personio/knows-the-client.ts', '../personio/pages.js', 'layer-fake-personio'],
  ['src/fake-personio/uses-zones.ts', '../domain/zones.js', null],
  ['src/cli/runs-a-workflow.ts', '../../workflows/index.js', 'layer-cli'],
  ['src/misc/has-no-layer.ts', '../contracts/internal/names.js', 'no-unknown-folder'],
  ['src/domain/one.ts', './other.js', 'no-circular'],
];

/** Files that the imports above point at. */
const TARGETS: readonly string[] = [
  'workflows/index.ts',
  'activities/index.ts',
  'src/contracts/internal/names.ts',
  'src/contracts/public/names.ts',
  'src/domain/decide.ts',
  'src/domain/zones.ts',
  'src/config/settings.ts',
  'src/personio/errors.ts',
  'src/personio/pages.ts',
  'src/personio/v1/envelope.ts',
  'src/store/runs.ts',
  'src/cli/exit.ts',
];

describe('an import across layers', () => {
  const folder = mkdtempSync(join(tmpdir(), 'personio-sync-layers-'));
  const write = (path: string, text: string): void => {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), text);
  };
  let summary: Summary;
  beforeAll(() => {
    for (const path of TARGETS) write(path, 'export const here = true;\n');
    write('src/domain/other.ts', "import type { here } from './one.js';\nexport type There = typeof here;\n");
    // An import of a type alone counts as well.
    for (const [from, to] of IMPORTS)
      write(from, `import type { here } from '${to}';\nexport type { here };\nexport const used = true;\n`);
    write('src/domain/unused.ts', 'export const alone = true;\n');
    summary = cruise(folder);
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  const findRules = (file: string): readonly string[] =>
    summary.violations.filter(({ from }) => from === file).map(({ rule }) => rule.name);

  test.each(IMPORTS)('%s importing %s: %s', (from, _to, rule) => {
    expect(findRules(from)).toEqual(rule === null ? [] : [rule]);
  });

  test('a module without importers and imports is an orphan', () => {
    expect(findRules('src/domain/unused.ts')).toEqual(['no-orphans']);
  });

  test('every rule has a remedy and a case here', () => {
    const { forbidden } = summary.ruleSetUsed;
    expect(forbidden.filter(({ comment }) => !comment.endsWith('.'))).toEqual([]);
    const tried = new Set(summary.violations.map(({ rule }) => rule.name));
    expect(forbidden.map(({ name }) => name).filter((name) => !tried.has(name))).toEqual([]);
  });
});
