import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from '@jest/globals';
import type { Command } from 'commander';
import { createProgram } from '../../../src/cli/program.js';
import { readVersion } from '../../../src/cli/version.js';

const DECISIONS = /approve|delete|erase|readmit|redeliver|reject|remove|rotate/;

/** Returns the sentence of a usage error; the command itself does not run. */
async function readUsageError(...args: string[]): Promise<string> {
  const program = await createProgram(args, async (run) => {
    // A command that starts despite wrong usage fails on its settings.
    run.catch(() => undefined);
    await Promise.resolve();
  });
  return program.parseAsync(args, { from: 'user' }).then(
    () => 'no error',
    (error: unknown) => (error as Error).message,
  );
}

/** Lists the commands without subcommands, each by its words. */
function listCommands(parent: Command, words: readonly string[] = []): readonly (readonly string[])[] {
  return parent.commands.flatMap((child) => {
    const path = [...words, child.name()];
    return child.commands.length === 0 ? [path] : listCommands(child, path);
  });
}

const createIdleProgram = async (): Promise<Command> => createProgram([], async () => Promise.resolve());
const COMMANDS = listCommands(await createIdleProgram());

describe('missing arguments and options', () => {
  test.each([
    ['approve', 'Missing <run>, --by <name>, --reason <text>. See `personio-sync approve --help`.'],
    ['reject RUN --by Ada', 'Missing --reason <text>. See `personio-sync reject --help`.'],
    ['erase', 'Missing <employee>, --by <name>, --reason <text>. See `personio-sync erase --help`.'],
    ['readmit 7', 'Missing --by <name>, --reason <text>. See `personio-sync readmit --help`.'],
    ['backfill', 'Missing <endpoint>, --from <date>, --to <date>. See `personio-sync backfill --help`.'],
    ['connections add', 'Missing <id>, --client-id <id>. See `personio-sync connections add --help`.'],
    ['explain', 'Missing <event>. See `personio-sync explain --help`.'],
    ['approve --force yes', 'Unknown option --force. See `personio-sync approve --help`.'],
  ])('of `%s` are named at once', async (line, sentence) => {
    expect(await readUsageError(...line.split(' '))).toBe(sentence);
  });
});

describe('an unknown option', () => {
  test.each(COMMANDS.map((words) => [words.join(' ')]))('of `%s` is named without its value', async (line) => {
    const sentence = await readUsageError(...line.split(' '), '--client-secret=TOPSECRET');
    expect(sentence).not.toContain('TOPSECRET');
    expect(sentence).toMatch(new RegExp(`See \`personio-sync ${line} --help\`\\.$`));
  });

  test.each([
    ['--client-secret=TOPSECRET', '--client-secret'],
    ['--client-secret:TOPSECRET', '--client-secret'],
    ['-sTOPSECRET', '-s'],
  ])('%s is named as %s', async (option, name) => {
    const sentence = await readUsageError('connections', 'add', 'acme', '--client-id', 'id', option);
    expect(sentence).toBe(`Unknown option ${name}. See \`personio-sync connections add --help\`.`);
  });

  test('gets a suggestion', async () => {
    expect(await readUsageError('status', '--jsno')).toMatch(/^Unknown option --jsno\. Did you mean --json\?/);
  });
});

describe('an unknown command', () => {
  test.each(['report', 'rejct', 'aprove', 'eraze', 'readmitt', 'redelivr'])(
    '%s gets no decision as a suggestion',
    async (name) => {
      const sentence = await readUsageError(name);
      expect(sentence).toMatch(new RegExp(`^Unknown command ${name}\\. .*See \`personio-sync --help\`\\.$`));
      expect(sentence.replace(name, '')).not.toMatch(DECISIONS);
    },
  );

  test('gets a suggestion that is safe', async () => {
    expect(await readUsageError('statsu')).toMatch(/^Unknown command statsu\. Did you mean status\?/);
    expect(await readUsageError('connections', 'lst')).toMatch(
      /^Unknown command lst\. Did you mean list\? See `personio-sync connections --help`\.$/,
    );
  });
});

describe('an invalid value', () => {
  test.each([
    [
      'deliveries --state bogus',
      /^--state must be one of waiting, sent, acknowledged, failed, overdue, dead, supersed/,
    ],
    ['deliveries --limit 0', /^--limit must be a whole number from 1\./],
    ['events --after never', /^--after must be the `sequence` of an event, a whole number\./],
    ['worker --only bogus', /^--only must be one of sync, api, lifecycle\./],
    ['worker --only constructor', /^--only must be one of sync, api, lifecycle\./],
    ['fake-personio --port http', /^--port must be a whole number\./],
    ['backfill attendances --from', /^--from needs a value: --from <date>\./],
    ['status now', /^Too many arguments: expected 0, got 1\./],
  ])('in `%s` is explained', async (line, pattern) => {
    const sentence = await readUsageError(...line.split(' '));
    expect(sentence).toMatch(pattern);
    expect(sentence).toMatch(new RegExp(` See \`personio-sync ${line.split(' ')[0] ?? ''} --help\`\\.$`));
  });
});

describe('worker --only', () => {
  test.each([
    ['sync', 'sync'],
    ['api', 'api'],
    ['lifecycle', 'lifecycle'],
    ['personio-sync', 'sync'],
    ['personio-api', 'api'],
    ['personio-lifecycle', 'lifecycle'],
    ['orchestration', 'sync'],
    ['personio', 'api'],
  ])('understands %s as the queue %s', async (value, queue) => {
    const worker = (await createIdleProgram()).commands.find((command) => command.name() === 'worker');
    worker?.parseOptions(['--only', value]);
    expect(worker?.opts()).toEqual({ only: queue });
  });
});

test('the version is the one in package.json', () => {
  const manifest = readFileSync(fileURLToPath(new URL('../../../package.json', import.meta.url)), 'utf8');
  expect(readVersion()).toBe((JSON.parse(manifest) as { version: string }).version);
});
