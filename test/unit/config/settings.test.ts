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
  test('all have defaults', () => {
    const settings = loadSettings({}, folder);
    expect(settings).toMatchObject({ personio: null, connectionId: 'default', databaseUrl: null, logLevel: 'info' });
    expect(settings.home).toBe(join(folder, '.personio-sync'));
    expect(settings.policy.reading).toMatchObject({ pageSize: 200, requestsPerMinute: 300, requestsPerSecond: 15 });
    expect(settings.policy.schedule.cron.attendances).toBe('30 3 * * *');
  });

  test('treat an empty variable as unset, as compose files pass it on', () => {
    expect(loadSettings({ DATABASE_URL: '', PERSONIO_CLIENT_ID: '' }, folder)).toMatchObject({
      databaseUrl: null,
      personio: null,
    });
  });

  test('take a secret from its file, without the last line break', () => {
    const file = join(folder, 'secret');
    writeFileSync(file, 'papi-"quoted" secret\n');
    const settings = loadSettings({ PERSONIO_CLIENT_ID: 'id', PERSONIO_CLIENT_SECRET_FILE: file }, folder);
    expect(settings.personio?.clientSecret).toBe('papi-"quoted" secret');
  });

  test('report all faults at once, without their values', () => {
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

  test.each(['localhost:9464', '[::1]:9464', '0.0.0.0:0', 'off'])('METRICS_ADDRESS can be %s', (address) => {
    expect(loadSettings({ METRICS_ADDRESS: address }, folder).metricsAddress).toBe(address);
  });

  test.each(['9464', 'localhost', 'localhost:http', 'localhost:65536'])('METRICS_ADDRESS cannot be %s', (address) => {
    expect(findFaults({ METRICS_ADDRESS: address })).toEqual([expect.stringMatching(/^METRICS_ADDRESS is malformed/)]);
  });

  test.each([
    ['ftp://api.personio.de', 'https://'],
    ['http://api.personio.de', 'http:'],
    ['https://user:pass@api.personio.de', 'credentials'],
    ['https://api.personio.de/v1?x=1', 'query'],
    ['https://api.personio.de/other', 'path'],
  ])('refuse the base URL %s', (url, reason) => {
    expect(findFaults({ PERSONIO_BASE_URL: url })).toEqual([expect.stringContaining(reason)]);
  });

  test.each([
    ['https://api.personio.de/v1', 'https://api.personio.de'],
    ['http://127.0.0.1:4010', 'http://127.0.0.1:4010'],
  ])('accept the base URL %s', (url, origin) => {
    const environment = { PERSONIO_BASE_URL: url, PERSONIO_CLIENT_ID: 'id', PERSONIO_CLIENT_SECRET: 's' };
    expect(loadSettings(environment, folder).personio?.baseUrl).toBe(origin);
  });
});

describe('the policy file', () => {
  test('reports each fault with its line and key', () => {
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
      expect.stringMatching(/line 5: lifecycle.brakes is unknown. Known keys: leaverEndsOn, noticeDays, brake, /),
      expect.stringContaining('line 9: subscribers[0].workflowId'),
      expect.stringContaining('line 11: subscribers[0].events[1]'),
      expect.stringContaining('line 12: subscribers[0].escalateTo'),
    ]);
  });

  test('may not escalate to the same or to an unknown subscriber', () => {
    const formatEntry = (name: string, to: string): string =>
      `  - { name: ${name}, workflowType: w, workflowId: w, taskQueue: q, events: ["*"], escalateTo: ${to} }\n`;
    const faults = findFaults({}, writePolicyFile(`subscribers:\n${formatEntry('a', 'a')}${formatEntry('b', 'c')}`));
    expect(faults).toEqual([
      expect.stringContaining('subscribers[0].escalateTo'),
      expect.stringContaining('subscribers[1].escalateTo'),
    ]);
  });

  test.each([
    ['schedule: { jitter: 2d }', 'between 0s and 1d'],
    ['schedule: { catchUpWithin: 0s }', 'between 10s and 365d'],
    ['schedule: { catchUpWithin: 99999999d }', 'between 10s and 365d'],
    ['schedule: { employees: "@every 99999d" }', 'a cron expression'],
    [
      'subscribers: [{ name: a, workflowType: w, workflowId: w, taskQueue: q, events: ["*"], acknowledgeWithin: 0s }]',
      'between 1s and 28d',
    ],
    ['retention: { eventsDays: 1000000000 }', '<=36500'],
    ['retention: { rawRunsDays: 1000000000 }', '<=36500'],
    ['secretRotationDays: 9007199254740991', '<=36500'],
    ['reading: { requestsPerMinute: 10000000000 }', '<=1000000'],
  ])('has bounds: %s', (text, bounds) => {
    expect(findFaults({}, writePolicyFile(`${text}\n`))).toEqual([expect.stringContaining(bounds)]);
  });

  test.each(['99 99 * * *', '0 3 * * 9', '0 3 * *', '@every 0s', 'CRON_TZ=Mars/Olympus 0 3 * * *'])(
    'refuses the schedule %s, which Temporal would refuse',
    (expression) => {
      const faults = findFaults({}, writePolicyFile(`schedule: { employees: "${expression}" }\n`));
      expect(faults).toEqual([expect.stringMatching(/line 1: schedule\.employees .* cron expression that Temporal/)]);
    },
  );

  test('can turn off an endpoint, and keeps all other defaults', () => {
    const { policy } = loadSettings({}, writePolicyFile('schedule: { attendances: off }\n'));
    expect(policy.schedule.cron).toMatchObject({ attendances: null, employees: '0 3 * * *' });
  });

  test('needs a token for the feed, and refuses a short one without showing it', () => {
    expect(loadSettings({ FEED_ADDRESS: '[::1]:8080' }, '/nowhere').feed).toBeNull();
    const token = 'sixteen-letters!';
    expect(loadSettings({ FEED_TOKEN: token, FEED_ADDRESS: '[::1]:8080' }, '/nowhere').feed).toEqual({
      host: '::1',
      port: 8080,
      token,
    });
    expect(findFaults({ FEED_ADDRESS: 'feed.example:65536' })).toEqual([
      'FEED_ADDRESS is malformed: its port must be a number from 0 to 65535.',
    ]);
    expect(findFaults({ FEED_TOKEN: 'short' })).toEqual([
      'FEED_TOKEN is too short: it must have at least 16 characters.',
    ]);
  });
});
