import { describe, expect, test } from '@jest/globals';
import { describePending } from '../../../src/domain/describe-pending.js';
import type { PendingEntry } from '../../../src/domain/describe-pending.js';
import { toCloudEvent } from '../../../src/domain/cloud-event.js';
import type { FeedEventData } from '../../../src/domain/cloud-event.js';
import {
  MAX_CROWD_SIZE,
  findNextAttemptAt,
  findNextMoments,
  planDeliveries,
  shouldMark,
  toJitterMs,
  toRepeatDelayMs,
  toRetryDelayMs,
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
    isOnHold: false,
    ...more,
  };
}

describe('delays', () => {
  test.each([
    [1, 1_000],
    [2, 2_000],
    [3, 4_000],
    [10, 512_000],
    [11, 900_000],
    [10_000, 900_000],
  ])('after %d consecutive refusals: %d ms', (refusals, waitMs) => {
    expect(toRetryDelayMs(refusals)).toBe(waitMs);
  });

  test.each([
    [1, 60_000],
    [3_600, 3_600_000],
    [86_400 * 7, 86_400_000],
  ])('a delivery to acknowledge within %d s is repeated after %d ms', (seconds, waitMs) => {
    expect(toRepeatDelayMs(seconds)).toBe(waitMs);
  });
});

test.each([
  ['a person who has a moment alone does not wait', 1, 0.999, 0],
  ['a crowd is dispatched at 50 people a second', 2_001, 0.5, 20_000],
  ['the largest counted crowd is dispatched within 50 s', MAX_CROWD_SIZE, 0.999_999, 49_979],
])('%s', (_, crowdSize, random, delayMs) => {
  expect(toJitterMs(crowdSize, random)).toBe(delayMs);
});

describe('the next step of a delivery', () => {
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

  test('a failed delivery is not retried, and a superseded one is not repeated', () => {
    expect(findNextAttemptAt(createDeliveryStatus({ state: 'failed' }))).toBeNull();
    expect(findNextAttemptAt(createDeliveryStatus({ state: 'sent', sentAt: NOW, isObsolete: true }))).toBeNull();
    expect(findNextAttemptAt(createDeliveryStatus({ state: 'sent', sentAt: NOW, nextAttemptAt: NOW }))).toBe(NOW);
  });

  test('only the first unsent delivery to a subscriber has a moment of its own', () => {
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

  test('a delivery on hold is not tried, and holds up no other', () => {
    const onHold = createDeliveryStatus({ isOnHold: true });
    const behind = createDeliveryStatus({ dueAt: '2026-11-24T11:30:00.000Z' });
    expect(findNextMoments([onHold, behind])).toEqual([null, '2026-11-24T11:30:00.000Z']);
  });

  test('the deadline counts even for a delivery that waits for another', () => {
    const deadlineAt = '2026-11-24T12:01:00.000Z';
    expect(
      findNextMoments([createDeliveryStatus({ nextAttemptAt: NOW }), createDeliveryStatus({ deadlineAt })])[1],
    ).toBe(deadlineAt);
  });
});

describe('planning deliveries', () => {
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

  test('days before keep the wall-clock time across a clock change', () => {
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

  test('a past moment is due now and late, except for `detected`', () => {
    expect(plan({ daysBefore: 60 })).toMatchObject([{ dueAt: NOW, late: true }]);
    expect(plan('detected')).toMatchObject([{ dueAt: NOW, late: false }]);
  });

  test('notices come before the event, never after its moment', () => {
    expect(plan('effective', [14, 60, 1]).map(({ purpose, dueAt }) => [purpose, dueAt.slice(0, 10)])).toEqual([
      ['notice', '2026-12-17'],
      ['notice', '2026-12-30'],
      ['event', '2026-12-31'],
    ]);
    expect(plan('detected', [14])).toHaveLength(1);
  });
});

describe('the description of pending work', () => {
  const entry: PendingEntry = {
    kind: 'leaver.left',
    purpose: 'event',
    subscriber: 'it-offboarding',
    state: 'waiting',
    attempts: 0,
    sentAt: null,
    at: '2026-12-31T23:00:00.000Z',
    timeZone: 'Europe/Berlin',
    isOnHold: false,
  };
  test.each([
    {
      name: 'a leaving whose withdrawal is asked about',
      more: { isOnHold: true, at: null },
      want: 'On hold until its withdrawal is approved or rejected: employee 4711 has left (it-offboarding)',
    },
    {
      name: 'a first attempt',
      more: {},
      want: 'Waiting until 31 Dec 2026 23:59 Europe/Berlin to tell it-offboarding that employee 4711 has left',
    },
    {
      name: 'a delivery behind another',
      more: { at: null },
      want: 'Waiting to tell it-offboarding that employee 4711 has left, after the previous event',
    },
    {
      name: 'a notice',
      more: { purpose: 'notice' },
      want: 'Waiting until 31 Dec 2026 23:59 Europe/Berlin to tell it-offboarding that employee 4711 leaves soon',
    },
    {
      name: 'refused attempts',
      more: { attempts: 3, at: NOW },
      want:
        'Waiting until 24 Nov 2026 13:00 Europe/Berlin to tell it-offboarding that employee 4711 has left ' +
        '(Temporal refused 3 attempts)',
    },
    {
      name: 'an overdue delivery',
      more: { state: 'overdue', sentAt: NOW },
      want:
        'Waiting for it-offboarding to acknowledge that employee 4711 has left ' +
        '(sent 24 Nov 2026 13:00 Europe/Berlin, overdue)',
    },
    {
      name: 'a rejected delivery',
      more: { state: 'failed', sentAt: NOW },
      want: 'Rejected by it-offboarding: employee 4711 has left. Waiting for another acknowledgement',
    },
    {
      name: 'a planned event without a subscriber',
      more: { subscriber: null, state: 'planned' },
      want: 'Waiting until 31 Dec 2026 23:59 Europe/Berlin: employee 4711 has left (no subscriber)',
    },
  ] as const)('covers $name', ({ more, want }) => {
    expect(describePending({ ...entry, ...more }, '4711')).toBe(want);
  });
});

test('a CloudEvent has connection, kind, person and the cursor as text', () => {
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
    relatedEmployeeId: null,
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
