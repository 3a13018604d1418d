import { describe, expect, test } from '@jest/globals';
import { describePending } from '../../../src/domain/describe-pending.js';
import type { PendingEntry } from '../../../src/domain/describe-pending.js';
import { toCloudEvent } from '../../../src/domain/cloud-event.js';
import type { FeedEventData } from '../../../src/domain/cloud-event.js';
import {
  MAX_CROWD_SIZE,
  findNextMoments,
  shouldMark,
  findNextAttemptAt,
  planDeliveries,
  toRepeatDelayMs,
  toRetryDelayMs,
  toJitterMs,
} from '../../../src/domain/delivery.js';
import type { DeliverableEvent, DeliveryStatus } from '../../../src/domain/delivery.js';
import { createSubscriber } from '../../support/policy.js';

const NOW = '2026-11-24T12:00:00.000Z';

function createDeliveryStatus(more: Partial<DeliveryStatus> = {}): DeliveryStatus {
  return {
    subscriber: 'it',
    purpose: 'event',
    state: 'waiting',
    dueAt: '2026-11-24T11:00:00.000Z',
    nextAttemptAt: null,
    firstAttemptAt: null,
    sentAt: null,
    deadlineAt: null,
    escalatedAt: null,
    isObsolete: false,
    ...more,
  };
}

describe('waits', () => {
  test.each([
    [1, 1_000],
    [2, 2_000],
    [3, 4_000],
    [10, 512_000],
    [11, 900_000],
    [10_000, 900_000],
  ])('after %d refusals in a row: %d ms', (refusals, waitMs) => {
    expect(toRetryDelayMs(refusals)).toBe(waitMs);
  });

  test.each([
    [1, 60_000],
    [3_600, 3_600_000],
    [86_400 * 7, 86_400_000],
  ])('what is to be acknowledged within %d s is repeated after %d ms', (seconds, waitMs) => {
    expect(toRepeatDelayMs(seconds)).toBe(waitMs);
  });
});

test.each([
  ['nobody waits who has a moment alone', 1, 0.999, 0],
  ['a crowd is woken at 50 a second', 2_001, 0.5, 20_000],
  ['and the largest one that is counted within 50 s', MAX_CROWD_SIZE, 0.999_999, 49_979],
])('%s', (_, together, draw, delayMs) => {
  expect(toJitterMs(together, draw)).toBe(delayMs);
});

describe('what a delivery needs next', () => {
  test.each([
    { name: 'nothing before its deadline', more: { deadlineAt: '2026-11-24T12:00:00.001Z' }, want: false },
    { name: 'overdue at its deadline', more: { deadlineAt: NOW }, want: true },
    { name: 'overdue once', more: { state: 'overdue', deadlineAt: NOW, escalatedAt: NOW }, want: false },
    { name: 'failed is escalated too', more: { state: 'failed' }, want: true },
    { name: 'no escalation of an escalation', more: { state: 'overdue', purpose: 'escalation' }, want: false },
    {
      name: 'dead after 28 days',
      more: { state: 'failed', escalatedAt: NOW, firstAttemptAt: '2026-10-27T12:00:00.000Z' },
      want: true,
    },
  ] as const)('marking: $name', ({ more, want }) => {
    expect(shouldMark(createDeliveryStatus(more), NOW)).toBe(want);
  });

  test('a failed one is not tried again, and one whose date was corrected is not repeated', () => {
    expect(findNextAttemptAt(createDeliveryStatus({ state: 'failed' }))).toBeNull();
    expect(findNextAttemptAt(createDeliveryStatus({ state: 'sent', sentAt: NOW, isObsolete: true }))).toBeNull();
    expect(findNextAttemptAt(createDeliveryStatus({ state: 'sent', sentAt: NOW, nextAttemptAt: NOW }))).toBe(NOW);
  });

  test('to one subscriber only the first of what is unsent has a moment of its own, so nobody looks in a circle', () => {
    const refused = createDeliveryStatus({ nextAttemptAt: '2026-11-24T12:15:00.000Z' });
    const behind = createDeliveryStatus({ dueAt: '2026-11-24T11:30:00.000Z' });
    const other = createDeliveryStatus({ subscriber: 'hr', dueAt: '2026-12-01T00:00:00.000Z' });
    expect(findNextMoments([refused, behind, other])).toEqual([
      '2026-11-24T12:15:00.000Z',
      null,
      '2026-12-01T00:00:00.000Z',
    ]);
    expect(findNextMoments([{ ...refused, sentAt: NOW }, behind])[1]).toBe('2026-11-24T11:30:00.000Z');
  });

  test('the deadline counts, also of what waits for the one before it', () => {
    const deadlineAt = '2026-11-24T12:01:00.000Z';
    expect(
      findNextMoments([createDeliveryStatus({ nextAttemptAt: NOW }), createDeliveryStatus({ deadlineAt })])[1],
    ).toBe(deadlineAt);
  });
});

describe('who is told when', () => {
  const event: DeliverableEvent = {
    eventId: 'e',
    kind: 'leaver.left',
    effectiveAt: '2026-12-31T23:00:00.000Z',
    timeZone: 'Europe/Berlin',
    state: 'planned',
    late: false,
    dueAt: '2026-12-31T23:00:00.000Z',
  };
  const plan = (when: 'detected' | 'effective' | { daysBefore: number }, noticeDays: readonly number[] = []) =>
    planDeliveries(event, {
      subscribers: [createSubscriber({ events: ['leaver.left'], when })],
      noticeDays,
      detectedAt: NOW,
      notifiedSubscribers: new Set(),
    });

  test('days before keep the time on the clocks, over the change of the clocks too', () => {
    expect(plan({ daysBefore: 14 })).toMatchObject([{ dueAt: '2026-12-17T23:00:00.000Z', late: false }]);
    const spring = { ...event, effectiveAt: '2027-04-04T22:00:00.000Z', dueAt: '2027-04-04T22:00:00.000Z' };
    const context = {
      subscribers: [createSubscriber({ events: ['leaver.left'], when: { daysBefore: 14 } })],
      noticeDays: [],
      detectedAt: NOW,
      notifiedSubscribers: new Set<string>(),
    };
    expect(planDeliveries(spring, context)).toMatchObject([{ dueAt: '2027-03-21T23:00:00.000Z' }]);
  });

  test('a moment that has passed is due at once and late; who asks for detection is never late', () => {
    expect(plan({ daysBefore: 60 })).toMatchObject([{ dueAt: NOW, late: true }]);
    expect(plan('detected')).toMatchObject([{ dueAt: NOW, late: false }]);
  });

  test('notices come before the event, and none after its moment', () => {
    expect(plan('effective', [14, 60, 1]).map(({ purpose, dueAt }) => [purpose, dueAt.slice(0, 10)])).toEqual([
      ['notice', '2026-12-17'],
      ['notice', '2026-12-30'],
      ['event', '2026-12-31'],
    ]);
    expect(plan('detected', [14])).toHaveLength(1);
  });
});

describe('plain words', () => {
  const entry: PendingEntry = {
    kind: 'leaver.left',
    purpose: 'event',
    subscriber: 'it-offboarding',
    state: 'waiting',
    attempts: 0,
    sentAt: null,
    at: '2026-12-31T23:00:00.000Z',
    timeZone: 'Europe/Berlin',
  };
  test.each([
    {
      more: {},
      want: 'waits until 31 Dec 2026 23:59 Europe/Berlin to tell it-offboarding that employee 4711 has left',
    },
    { more: { at: null }, want: 'waits to tell it-offboarding that employee 4711 has left, after the news before it' },
    {
      more: { purpose: 'notice' },
      want: 'waits until 31 Dec 2026 23:59 Europe/Berlin to tell it-offboarding that employee 4711 leaves soon',
    },
    {
      more: { attempts: 3, at: NOW },
      want: 'waits until 24 Nov 2026 13:00 Europe/Berlin to tell it-offboarding that employee 4711 has left, which Temporal did not accept 3 times',
    },
    {
      more: { state: 'overdue', sentAt: NOW },
      want: 'waits for it-offboarding to acknowledge that employee 4711 has left, which is overdue; told since 24 Nov 2026 13:00 Europe/Berlin',
    },
    {
      more: { state: 'failed', sentAt: NOW },
      want: 'it-offboarding answered "failed" to the news that employee 4711 has left; waits for another answer',
    },
    {
      more: { subscriber: null, state: 'planned' },
      want: 'waits until 31 Dec 2026 23:59 Europe/Berlin for the moment from which employee 4711 has left',
    },
  ] as const)('$want', ({ more, want }) => {
    expect(describePending({ ...entry, ...more }, '4711')).toBe(want);
  });
});

test('a cloud event names the connection, the kind and the person, and has the cursor as text', () => {
  const data: FeedEventData = {
    eventId: 'e',
    connectionId: 'default',
    employeeId: '4711',
    class: 'leaver',
    kind: 'leaver.left',
    episode: 1,
    effectiveDate: '2026-12-31',
    effectiveAt: '2026-12-31T23:00:00.000Z',
    timeZone: 'Europe/Berlin',
    detectedAt: NOW,
    late: false,
    supersedes: null,
    changes: [],
  };
  expect(toCloudEvent({ ...data, sequence: 12 })).toEqual({
    specversion: '1.0',
    id: 'e',
    source: 'personio-sync/default',
    type: 'personio.lifecycle.v1.leaver.left',
    subject: '4711',
    time: data.effectiveAt,
    datacontenttype: 'application/json',
    sequence: '12',
    data,
  });
  expect(toCloudEvent({ ...data, sequence: null })).not.toHaveProperty('sequence');
});
