import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, afterAll, expect, test } from '@jest/globals';
import { startFakePersonio } from '../../src/fake-personio/server.js';
import type { FakePersonio } from '../../src/fake-personio/server.js';
import { runCommand } from '../support/cli.js';
import { expectPage } from '../support/docs.js';

const CREDENTIALS = { clientId: 'papi-1111', clientSecret: 'papi-2222' };
const FOUNDED_ON = '2026-11-20';

interface Case {
  readonly name: string;
  readonly arrange: (fake: FakePersonio) => void;
  readonly secret?: string;
  /** Checks that are red. */
  readonly red: readonly string[];
}

const CASES: readonly Case[] = [
  { name: 'All checks pass', arrange: ({ behaviour }) => (behaviour.hasDepartments = true), red: [] },
  { name: 'Wrong credentials', arrange: () => undefined, secret: 'mistyped', red: ['token'] },
  {
    name: 'No permission for attendances',
    arrange: ({ behaviour }) => {
      behaviour.hasDepartments = true;
      behaviour.forbidden = new Set(['/v1/company/attendances']);
    },
    red: ['attendances'],
  },
  { name: 'No endpoint for departments', arrange: () => undefined, red: [] },
  {
    name: 'Attributes are missing',
    arrange: ({ behaviour }) => {
      behaviour.hasDepartments = true;
      behaviour.readable = new Set(['email', 'first_name', 'last_name', 'status', 'hire_date', 'position', 'team']);
    },
    red: ['employees'],
  },
  {
    name: 'Inactive people are hidden',
    arrange: ({ behaviour }) => Object.assign(behaviour, { hasDepartments: true, hidesInactive: true }),
    red: ['employees'],
  },
];

const transcripts: string[] = [];
const home = mkdtempSync(join(tmpdir(), 'personio-sync-test-'));
let fake: FakePersonio | null = null;
afterEach(async () => fake?.close());
afterAll(() => rmSync(home, { recursive: true, force: true }));

test.each(CASES)('connections test: $name', async ({ name, arrange, secret, red }) => {
  fake = await startFakePersonio({
    employees: 250,
    seed: 1,
    foundedOn: FOUNDED_ON,
    today: getToday,
    credentials: CREDENTIALS,
  });
  arrange(fake);
  const environment = {
    PERSONIO_BASE_URL: fake.url,
    PERSONIO_CLIENT_ID: CREDENTIALS.clientId,
    PERSONIO_SYNC_HOME: home,
    PERSONIO_CLIENT_SECRET: secret ?? CREDENTIALS.clientSecret,
  };
  const said = await runCommand(['connections', 'test'], environment, home);
  const json = await runCommand(['connections', 'test', '--json'], environment, home);
  const { ok, checks } = JSON.parse(json.stdout) as {
    readonly ok: boolean;
    readonly checks: readonly { readonly check: string; readonly ok: boolean; readonly action: string | null }[];
  };
  expect(checks.filter((check) => !check.ok).map(({ check }) => check)).toEqual(red);
  expect(checks.filter((check) => !check.ok && check.action === null)).toEqual([]);
  expect({ ok, code: json.code, said: said.code }).toEqual(
    red.length === 0 ? { ok: true, code: 0, said: 0 } : { ok: false, code: 1, said: 1 },
  );
  expect(`${said.stdout}${said.stderr}${json.stdout}`).not.toContain(secret ?? CREDENTIALS.clientSecret);
  const transcript = `$ personio-sync connections test\n${trimCounts(said.stdout)}\n$ echo $?\n${said.code ?? ''}`;
  transcripts.push(`## ${name}\n\n\`\`\`\n${transcript}\n\`\`\`\n`);
});

function getToday(): string {
  return new Date().toISOString().slice(0, 10);
}

/** The number of attendances depends on the day of the week. */
const trimCounts = (text: string): string => text.trimEnd().replace(/(attendances +)\d+( records)/, '$1…$2');

test('docs/connections-test.md shows what it prints', () => {
  const intro = `# What \`connections test\` prints

\`personio-sync connections test\` exchanges the credentials for a token and reads each endpoint once. Each check
prints green, or red with the fix in Personio. The command needs only Personio, changes nothing, and exits with 1 if
a check is red. The six transcripts below are of the demo company (\`personio-sync fake-personio\`); a test generates
this page and compares it (\`test/e2e/connections-test.test.ts\`).

The check of the employees reads three pages, to see which attributes come and whether people who have left are visible.
`;
  expectPage('docs/connections-test.md', [intro, ...transcripts].join('\n'));
});
