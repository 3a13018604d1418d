import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { SettingsError, loadSettings } from '../../../src/config/settings.js';

const folder = mkdtempSync(join(tmpdir(), 'personio-sync-settings-'));

function findFaults(environment: Readonly<Record<string, string>>, at = folder): readonly string[] {
  try {
    loadSettings(environment, at);
    return [];
  } catch (error) {
    if (error instanceof SettingsError) return error.faults;
    throw error;
  }
}

function writePolicyFile(text: string): string {
  const own = mkdtempSync(join(folder, 'policy-'));
  writeFileSync(join(own, 'personio-sync.yaml'), text);
  return own;
}

describe('settings', () => {
  test('without any, everything has its default', () => {
    const settings = loadSettings({}, folder);
    expect(settings).toMatchObject({ personio: null, connectionId: 'default', databaseUrl: null, logLevel: 'info' });
    expect(settings.home).toBe(join(folder, '.personio-sync'));
    expect(settings.policy.reading).toMatchObject({ pageSize: 200, requestsPerMinute: 300, requestsPerSecond: 15 });
    expect(settings.policy.schedule.cron.attendances).toBe('30 3 * * *');
  });

  test('an empty variable counts as unset, as a compose file passes it on', () => {
    expect(loadSettings({ DATABASE_URL: '', PERSONIO_CLIENT_ID: '' }, folder)).toMatchObject({
      databaseUrl: null,
      personio: null,
    });
  });

  test('a secret is read from the file that is named, without its last line break', () => {
    const file = join(folder, 'secret');
    writeFileSync(file, 'papi-"quoted" secret\n');
    const settings = loadSettings({ PERSONIO_CLIENT_ID: 'id', PERSONIO_CLIENT_SECRET_FILE: file }, folder);
    expect(settings.personio?.clientSecret).toBe('papi-"quoted" secret');
  });

  test('all faults are named at once, without their values', () => {
    const faults = findFaults({
      PERSONIO_CLIENT_ID: 'only-the-id',
      PERSONIO_CONNECTION: 'No Slug',
      DATABASE_URL: 'mysql://u:hunter2@h/d',
      PERSONIO_SYNC_KEYS: 'k1:dG9vIHNob3J0',
      METRICS_ADDRESS: 'everywhere',
      LOG_FORMAT: 'xml',
    });
    const names = ['PERSONIO_CONNECTION', 'PERSONIO_CLIENT_SECRET', 'DATABASE_URL', 'PERSONIO_SYNC_KEYS'];
    for (const name of [...names, 'METRICS_ADDRESS', 'LOG_FORMAT'])
      expect(faults.some((fault) => fault.includes(name))).toBe(true);
    expect(faults.join(' ')).not.toMatch(/only-the-id|hunter2|dG9vIHNob3J0|everywhere/);
  });

  test.each([
    ['ftp://api.personio.de', 'https://'],
    ['http://api.personio.de', 'http:'],
    ['https://user:pass@api.personio.de', 'credentials'],
    ['https://api.personio.de/v1?x=1', 'query'],
    ['https://api.personio.de/other', 'path'],
  ])('the base URL %s is refused', (url, reason) => {
    expect(findFaults({ PERSONIO_BASE_URL: url })).toEqual([expect.stringContaining(reason)]);
  });

  test.each([
    ['https://api.personio.de/v1', 'https://api.personio.de'],
    ['http://127.0.0.1:4010', 'http://127.0.0.1:4010'],
  ])('the base URL %s is understood', (url, origin) => {
    const environment = { PERSONIO_BASE_URL: url, PERSONIO_CLIENT_ID: 'id', PERSONIO_CLIENT_SECRET: 's' };
    expect(loadSettings(environment, folder).personio?.baseUrl).toBe(origin);
  });
});

describe('the policy file', () => {
  test('names each fault with its line and its place', () => {
    const faults = findFaults(
      {},
      writePolicyFile(`schedule: { employees: "every day" }
offices:
  default: Mars/Olympus
lifecycle:
  brakes: {}
subscribers:
  - name: it
    workflowType: offboard
    workflowId: "off:{employee}"
    taskQueue: it
    events: [leaver.*, leaver.fired]
    escalateTo: nobody
`),
    );
    expect(faults).toEqual([
      expect.stringContaining('line 1: schedule.employees'),
      expect.stringContaining('line 3: offices.default'),
      expect.stringMatching(/line 5: lifecycle.brakes is unknown; known are leaverEndsOn, noticeDays, brake, /),
      expect.stringContaining('line 9: subscribers[0].workflowId'),
      expect.stringContaining('line 11: subscribers[0].events[1]'),
    ]);
  });

  test('a subscriber that escalates to itself, or to nobody, is refused by its place', () => {
    const formatEntry = (name: string, to: string): string =>
      `  - { name: ${name}, workflowType: w, workflowId: w, taskQueue: q, events: ["*"], escalateTo: ${to} }\n`;
    const faults = findFaults({}, writePolicyFile(`subscribers:\n${formatEntry('a', 'a')}${formatEntry('b', 'c')}`));
    expect(faults).toEqual([
      expect.stringContaining('subscribers[0].escalateTo'),
      expect.stringContaining('subscribers[1].escalateTo'),
    ]);
  });

  test('an endpoint can be left out, and defaults fill the rest', () => {
    const { policy } = loadSettings({}, writePolicyFile('schedule: { attendances: off }\n'));
    expect(policy.schedule.cron).toMatchObject({ attendances: null, employees: '0 3 * * *' });
  });

  test('the feed is off without a token, and a short one is refused without being shown', () => {
    expect(loadSettings({ FEED_ADDRESS: '[::1]:8080' }, '/nowhere').feed).toBeNull();
    const token = 'sixteen-letters!';
    expect(loadSettings({ FEED_TOKEN: token, FEED_ADDRESS: '[::1]:8080' }, '/nowhere').feed).toEqual({
      host: '::1',
      port: 8080,
      token,
    });
    expect(findFaults({ FEED_TOKEN: 'short' })).toEqual(['FEED_TOKEN is too short: it has at least 16 characters.']);
  });
});
