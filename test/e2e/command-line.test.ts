import { mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { runCommand } from '../support/cli.js';
import { readTestServers } from '../support/servers-file.js';

/** The program as a user runs it, without the servers that it needs. */
const folder = mkdtempSync(join(tmpdir(), 'personio-sync-command-line-'));
/** No server listens on port 1. */
const NO_POSTGRES = 'postgresql://user:hunter2@127.0.0.1:1/db';
const SENTENCE = new RegExp(
  '^Cannot connect to PostgreSQL at 127\\.0\\.0\\.1:1 \\(ECONNREFUSED\\)\\. ' +
    'Check that it is running and that DATABASE_URL is correct\\.( Tried \\d+ times in \\d+ s\\.)?\n$',
);

test('--version prints the version of the package, in a clone as where it is installed', async () => {
  const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string };
  for (const flag of ['--version', '-V'])
    expect(await runCommand([flag], {}, folder)).toEqual({ code: 0, stdout: `${version}\n`, stderr: '' });
});

test('an unknown option that holds a secret is named without it, on stderr and in JSON', async () => {
  const args = ['connections', 'add', 'acme', '--client-id', 'id', '--client-secret=TOPSECRET'];
  const sentence = 'Unknown option --client-secret. See `personio-sync connections add --help`.';
  expect(await runCommand(args, {}, folder)).toEqual({ code: 2, stdout: '', stderr: `${sentence}\n` });
  const { code, stdout, stderr } = await runCommand([...args, '--json'], {}, folder);
  expect([code, stderr]).toEqual([2, `${sentence}\n`]);
  expect(JSON.parse(stdout)).toEqual({ ok: false, exitCode: 2, message: sentence });
});

test('a command without a database or a connection says what to set', async () => {
  const events = await runCommand(['events'], {}, folder);
  expect([events.code, events.stderr]).toEqual([
    2,
    expect.stringMatching(/^No database configured\. Set DATABASE_URL/),
  ]);
  const connections = await runCommand(['connections', 'test'], {}, folder);
  expect([connections.code, connections.stderr]).toEqual([
    2,
    'No connection is configured. Set PERSONIO_CLIENT_ID and PERSONIO_CLIENT_SECRET, ' +
      'or store one with `personio-sync connections add`.\n',
  ]);
});

test('a command without PostgreSQL says where it cannot connect, and what to check', async () => {
  const environment = { DATABASE_URL: NO_POSTGRES, TEMPORAL_ADDRESS: readTestServers().temporalAddress };
  const lines = ['events', 'deliveries', 'explain event', 'sync', 'schedules apply'];
  const ended = await Promise.all(lines.map(async (line) => runCommand(line.split(' '), environment, folder)));
  for (const { code, stdout, stderr } of ended) {
    expect([code, stdout]).toEqual([1, '']);
    expect(stderr).toMatch(SENTENCE);
  }
});

test.each(['nowhere', 'no-such-host.invalid:9464'])('METRICS_ADDRESS=%s is a wrong setting', async (address) => {
  const environment = { DATABASE_URL: NO_POSTGRES, METRICS_ADDRESS: address };
  const { code, stderr } = await runCommand(['worker'], environment, folder);
  expect([code, stderr]).toEqual([2, expect.stringContaining('METRICS_ADDRESS')]);
  expect(stderr).not.toContain(address);
});
