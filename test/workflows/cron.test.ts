import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { findCronZone, isCron } from '../../src/domain/cron.js';
import type { TemporalClients } from '../../src/temporal/connection.js';
import { createNamespace } from '../support/worker.js';

/** Expressions of every form that Temporal documents, and close to one. */
const EXPRESSIONS: readonly string[] = [
  '0 3 * * *',
  ' 0  3 * * * ',
  '*/15 * * * *',
  '0-30/10 8-18 1,15 * mon-fri',
  '0 3 * * 7',
  '0 3 * * 5-7',
  '0 3 * * su',
  '0 3 * * Sunday',
  '0 3 * jan-MAR *',
  '0 3 * September *',
  '5/7 * * * *',
  '+5 3 * * *',
  '0 3 31 2 *',
  '0 3 * * * 2030',
  '0 0 3 * * * *',
  '0 0 3 * * * 2026-2030/2',
  '0 3 * * * # each night',
  '@daily',
  '@midnight',
  '@hourly',
  '@weekly',
  '@monthly',
  '@yearly',
  '@annually',
  '@every 1s',
  '@every 12h',
  '@every 1.5h',
  '@every 1h30m',
  '@every 1d',
  '@every 14h/3h',
  '@every 2h/',
  '@every 5m # x',
  'CRON_TZ=Europe/Berlin 0 3 * * *',
  'TZ=America/New_York 0 3 * * *',
  'CRON_TZ=UTC @daily',
  'TZ=UTC @every 1h',
  '99 99 * * *',
  '0 3 * * 9',
  '60 * * * *',
  '0 24 * * *',
  '0 3 0 * *',
  '0 3 32 * *',
  '0 3 * 13 *',
  '0 3 * 0 *',
  '0 3 * * * 1999',
  '0 3 * * * 2101',
  '60 0 3 * * * *',
  '0 3 * *',
  '0 0 0 3 * * * *',
  '',
  '# nothing',
  '*',
  '0 3 * ja *',
  '0 3 * * s',
  '0 3 * * xyz',
  '0 3 ? * *',
  '0 3 L * *',
  '0 3 * * 5L',
  '0 3 * * 1#2',
  '0 3 15W * *',
  '*/0 * * * *',
  '*/-1 * * * *',
  '1/2/3 * * * *',
  '5/ * * * *',
  '1-5-7 * * * *',
  '9-3 * * * *',
  ', 3 * * *',
  '0,, 3 * * *',
  '0 3 * * fri-mon',
  '*-5 * * * *',
  '0 3.5 * * *',
  '-1 3 * * *',
  '0 3 * * *-',
  '@reboot',
  '@Daily',
  '@daily 5',
  '@every',
  '@every 0s',
  '@every 10ms',
  '@every -1h',
  '@every 1',
  '@every 1w',
  '@every 1h/1h',
  '@every 1h/-5m',
  '@every  1h',
  '@every 1h/2/3',
  'TZ=UTC',
  'CRON_TZ=UTC',
  'cron_tz=UTC 0 3 * * *',
  `0 3 * * * # ${'x'.repeat(201)}`,
];

let temporal: TemporalClients;
beforeAll(async () => ({ temporal } = await createNamespace()));
afterAll(async () => temporal.close());

test('a cron expression is accepted where Temporal accepts it, and nowhere else', async () => {
  const acceptedByTemporal: string[] = [];
  for (const [index, expression] of EXPRESSIONS.entries()) {
    const handle = temporal.client.schedule.create({
      scheduleId: `cron-${index}`,
      spec: { cronExpressions: [expression], ...(findCronZone(expression) === null ? { timezone: 'UTC' } : {}) },
      action: { type: 'startWorkflow', workflowType: 'none', taskQueue: 'none' },
      state: { paused: true },
    });
    await handle.then(
      () => acceptedByTemporal.push(expression),
      () => undefined,
    );
  }
  expect(EXPRESSIONS.filter(isCron)).toEqual(acceptedByTemporal);
});
