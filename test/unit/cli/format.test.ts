import { describe, expect, test } from '@jest/globals';
import { formatEvent, formatFeedEvent, formatMoment } from '../../../src/cli/format-event.js';
import { findOfficeProblems } from '../../../src/cli/status/find-problems.js';
import { formatHeldPeople } from '../../../src/cli/status/held-people.js';
import type { FeedEvent } from '../../../src/domain/cloud-event.js';
import type { HeldPerson } from '../../../src/store/employees/holds.js';

const EVENT: FeedEvent = {
  sequence: 12,
  eventId: 'default:7:1:leaver.left:3:digest',
  connectionId: 'default',
  employeeId: '7',
  class: 'leaver',
  kind: 'leaver.left',
  episode: 1,
  effectiveDate: '2026-12-31',
  effectiveAt: '2026-12-31T23:00:00.000Z',
  timeZone: 'Europe/Berlin',
  detectedAt: '2026-11-30T03:00:12.000Z',
  late: false,
  supersedes: null,
  relatedEmployeeId: null,
  changes: [],
};

describe('a moment', () => {
  test.each([
    ['2026-12-31T23:00:00.000Z', 'Europe/Berlin', '2027-01-01 00:00 Europe/Berlin'],
    ['2026-07-01T22:30:00.000Z', 'America/New_York', '2026-07-01 18:30 America/New_York'],
    ['2026-07-01T22:30:00.000Z', 'UTC', '2026-07-01 22:30 UTC'],
  ])('%s in %s is %s', (moment, zone, text) => {
    expect(formatMoment(moment, zone)).toBe(text);
  });
});

describe('the line of an event', () => {
  test('shows its id and its moment in the zone of the office', () => {
    expect(formatFeedEvent(EVENT)).toBe(
      `     12  leaver.left          employee 7 of default, 2027-01-01 00:00 Europe/Berlin  ${EVENT.eventId}`,
    );
    expect(formatFeedEvent({ ...EVENT, sequence: null })).toMatch(/^planned {2}leaver\.left .*:digest$/);
  });

  test('shows who acknowledged it, and its id', () => {
    const delivery = { deliveryId: 'd', subscriber: 'it', purpose: 'event', acknowledgedAt: null } as const;
    const report = { ...EVENT, late: true, state: 'due', deliveries: [{ ...delivery, state: 'sent' }] } as const;
    expect(formatEvent(report)).toBe(`leaver.left          employee 7, 2026-12-31, late  sent by it  ${EVENT.eventId}`);
  });
});

describe('offices', () => {
  const zones = { Berlin: 'Europe/Berlin' };

  test('that do not match the policy are a problem, unless it names none', () => {
    const mismatch = { withoutZone: ['Moon'], unmatched: ['Berlin'] };
    const policy = { defaultZone: 'Europe/Paris', zones };
    const [problem] = findOfficeProblems('default', mismatch, policy);
    expect(problem).toMatchObject({ code: 'offices-without-zone', connectionId: 'default' });
    expect(problem?.sentence).toBe(
      'Offices without a zone in the policy, so that Europe/Paris applies: Moon. ' +
        'Offices of the policy that no employee has: Berlin.',
    );
    expect(findOfficeProblems('default', { withoutZone: [], unmatched: [] }, policy)).toEqual([]);
    expect(findOfficeProblems('default', mismatch, { ...policy, zones: {} })).toEqual([]);
  });
});

describe('held people', () => {
  const hold = (employeeId: string, decision: HeldPerson['decision'] = 'asked'): HeldPerson => ({
    employeeId,
    class: 'leavers',
    decision,
    runId: 'run',
    since: '2026-11-30T03:00:12.000Z',
    eventIds: [`event-of-${employeeId}`],
    waitingLeavingAt: null,
  });

  test('are listed by class and decision, each with its event ids', () => {
    expect(formatHeldPeople([hold('1'), hold('2'), hold('3', 'rejected')])).toEqual([
      '  held (leavers, waiting for approval): 2 employees',
      '    employee 1  event-of-1',
      '    employee 2  event-of-2',
      '  held (leavers, rejected): 1 employee',
      '    employee 3  event-of-3',
    ]);
  });

  test('show the leaving that waits for the answer', () => {
    const waiting = { ...hold('1'), class: 'withdrawals', waitingLeavingAt: '2026-12-31T23:00:00Z' } as const;
    expect(formatHeldPeople([waiting])).toEqual([
      '  held (withdrawals, waiting for approval): 1 employee',
      '    employee 1  event-of-1  leaving of 2026-12-31T23:00:00Z on hold',
    ]);
  });

  test('are listed up to 20', () => {
    const lines = formatHeldPeople(Array.from({ length: 25 }, (_, index) => hold(String(index))));
    expect(lines).toHaveLength(22);
    expect(lines.at(-1)).toBe('    and 5 more, listed by `status --json`');
  });
});
