import { describe, expect, test } from '@jest/globals';
import { decide } from '../../../src/domain/decide.js';
import type { EmployeeRecord } from '../../../src/domain/records.js';
import { createContext, createInput, createRecord, playReads } from './people.js';
import type { Read } from './people.js';
import { NEXT, known, seen, missing, leaving, inactive, joining } from './reads.js';

describe('the moment of an event', () => {
  const listMoments = (more: Partial<EmployeeRecord>): readonly string[] =>
    playReads([seen(NEXT, more)]).decision.events.map(({ kind, effectiveAt }) => `${kind} ${effectiveAt}`);

  test('is the start of the day for joiners and the end of it for leavers', () => {
    const dates = { ...joining, terminationDate: '2026-12-31', office: 'Auckland' };
    expect(listMoments(dates)).toEqual([
      'joiner.announced 2026-06-30T12:00:00.000Z',
      'joiner.started 2026-06-30T12:00:00.000Z',
      'leaver.announced 2026-12-31T11:00:00.000Z',
      'leaver.left 2026-12-31T11:00:00.000Z',
    ]);
  });

  test('uses the default zone for an office without a zone', () => {
    expect(listMoments({ ...joining, office: 'Hamburg' })[0]).toBe('joiner.announced 2026-06-30T22:00:00.000Z');
  });

  test('moves when the person changes office, and a correction tells so', () => {
    const { decision } = playReads([known(leaving), seen(NEXT, { ...leaving, office: 'Auckland' })]);
    expect(decision.events.map(({ kind, effectiveAt }) => [kind, effectiveAt])).toEqual([
      ['leaver.rescheduled', '2026-06-30T12:00:00.000Z'],
      ['leaver.left', '2026-06-30T12:00:00.000Z'],
      ['mover.changed', '2026-06-02T03:00:00.000Z'],
    ]);
  });

  test.each([
    { office: 'Los Angeles', want: ['leaver.announced', 'leaver.left'] },
    { office: 'Auckland', want: ['leaver.left'] },
  ])('depends on the day in $office when collecting ended', ({ office, want }) => {
    const before = { on: '2026-06-29T00:00:00.000Z', record: createRecord({ office }), isBaseline: true };
    const read = { on: '2026-07-01T03:00:00.000Z', record: createRecord({ office, ...leaving }) };
    expect(playReads([before, read]).decision.events.map(({ kind }) => kind)).toEqual(want);
  });

  test('is when a planned event falls due; other events are due when detected', () => {
    const { decision } = playReads([known(), seen(NEXT, leaving)]);
    expect(decision.events.map(({ dueAt }) => dueAt)).toEqual(['2026-06-02T03:00:00.000Z', '2026-06-30T22:00:00.000Z']);
  });
});

describe('the id of an event', () => {
  const listIds = (previous: Parameters<typeof createInput>[0], read: Read): readonly string[] =>
    decide(createInput(previous, read), createContext()).events.map(({ eventId }) => eventId);

  test.each([
    { change: 'a move', read: { team: 'B' } },
    { change: 'a rename', read: { lastName: 'Neu' } },
    { change: 'leave', read: { status: 'leave' } },
    { change: 'a future end', read: { terminationDate: '2026-12-31' } },
    { change: 'inactive without dates', read: { status: 'inactive' } },
  ])('is the same today and next week: $change', ({ read }) => {
    const { state } = playReads([known()]);
    const today = listIds(state, seen(NEXT, read));
    expect(today).not.toEqual([]);
    expect(listIds(state, seen('2026-06-09', read))).toEqual(today);
  });

  test('is the same for a person deleted today or next week', () => {
    const { state } = playReads([known(), missing(NEXT)]);
    expect(listIds(state, missing('2026-06-10', true))).toEqual(listIds(state, missing('2026-06-03', true)));
  });

  test('is the same for a person who is back today or next week', () => {
    const { state } = playReads([known(inactive)]);
    expect(listIds(state, seen('2026-06-10'))).toEqual(listIds(state, seen('2026-06-03')));
  });

  test('stays the same if the end passes while an inactive leaver is held', () => {
    const { state } = playReads([known()]);
    const record = { ...leaving, ...inactive };
    expect(listIds(state, seen('2026-07-05', record))).toEqual(listIds(state, seen(NEXT, record)));
  });

  test('differs between a future end and the same person out immediately', () => {
    const { state } = playReads([known()]);
    const planned = listIds(state, seen(NEXT, leaving));
    for (const eventId of listIds(state, seen(NEXT, { ...leaving, ...inactive })))
      expect(planned).not.toContain(eventId);
  });

  test('differs for the same change in another version', () => {
    const first = playReads([known(), seen(NEXT, { team: 'B' })]);
    const again = playReads([seen('2026-06-03'), seen('2026-06-04', { team: 'B' })], createContext(), first.state);
    expect(again.decision.events.map(({ kind }) => kind)).toEqual(['mover.changed']);
    expect(again.decision.events[0]?.eventId).not.toBe(first.decision.events[0]?.eventId);
  });

  test.each([
    { fact: 'the new value', a: { team: 'B' }, b: { team: 'C' } },
    { fact: 'the new name', a: { lastName: 'B' }, b: { lastName: 'C' } },
    { fact: 'a date', a: { terminationDate: '2026-12-30' }, b: { terminationDate: '2026-12-31' } },
  ])('differs by $fact', ({ a, b }) => {
    const { state } = playReads([known()]);
    expect(listIds(state, seen(NEXT, a))).not.toEqual(listIds(state, seen(NEXT, b)));
  });
});

describe('a contradiction in a record', () => {
  test.each([
    { anomaly: 'end before start', record: { terminationDate: '2019-12-31' } },
    { anomaly: 'supervises themselves', record: { supervisorId: '7' } },
  ])('is reported without personal data: $anomaly', ({ anomaly, record }) => {
    expect(playReads([known(record)]).decision.anomalies).toEqual([anomaly]);
  });
});
