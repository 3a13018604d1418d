import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { decide } from '../../../src/domain/decide.js';
import { EMPLOYEE_ATTRIBUTES } from '../../../src/domain/records.js';
import type { EmployeeAttribute, EmployeeRecord } from '../../../src/domain/records.js';
import { commitDecision, createContext, createInput, formatEvents, createRecord, playReads } from './people.js';
import { BASELINE, NEXT } from './reads.js';

/** Returns null for each absent attribute. */
function clearAbsent(absent: readonly string[]): Partial<EmployeeRecord> {
  return {
    ...(absent.includes('hire_date') ? { hireDate: null } : {}),
    ...(absent.includes('termination_date') ? { terminationDate: null } : {}),
    ...(absent.includes('status') ? { status: null } : {}),
    ...(absent.includes('team') ? { team: null } : {}),
  };
}

const isAttribute = (key: string): key is EmployeeAttribute => Object.hasOwn(EMPLOYEE_ATTRIBUTES, key);

describe('any two records', () => {
  const date = fc.constantFrom(
    null,
    '2020-01-01',
    '2026-05-20',
    '2026-06-02',
    '2026-06-03',
    '2026-06-20',
    '2026-12-31',
  );
  const record = fc
    .record({
      status: fc.constantFrom('onboarding', 'active', 'leave', 'inactive', null),
      hireDate: date,
      terminationDate: date,
      lastWorkingDay: date,
      team: fc.constantFrom('A', 'B', null),
      lastName: fc.constantFrom('Alt', 'Neu'),
      office: fc.constantFrom('Berlin', 'Auckland', 'Los Angeles', 'Hamburg', null),
      absentAttributes: fc.subarray(['hire_date', 'termination_date', 'status', 'team']),
    })
    .map((more) => createRecord({ ...more, ...clearAbsent(more.absentAttributes) }));

  test('deciding twice gives the same decision, whose event ids are unique', () => {
    fc.assert(
      fc.property(record, fc.option(record), record, fc.boolean(), (first, second, third, isBaseline) => {
        const before = { on: BASELINE, record: first, isBaseline };
        const opening = decide(createInput(null, before), createContext());
        const reads = [
          { on: NEXT, record: second },
          { on: '2026-06-21', record: third, isConfirmedGone: true },
        ];
        let state = commitDecision(null, before, opening);
        for (const read of reads) {
          const decision = decide(createInput(state, read), createContext());
          expect(decide(createInput(state, read), createContext())).toEqual(decision);
          const ids = decision.events.map(({ eventId }) => eventId);
          expect(new Set(ids).size).toBe(ids.length);
          for (const { eventId } of state.planned) expect(ids).not.toContain(eventId);
          state = commitDecision(state, read, decision);
        }
      }),
      { numRuns: 500 },
    );
  });

  test('an unchanged record emits no events', () => {
    fc.assert(
      fc.property(record, record, fc.boolean(), (first, second, isBaseline) => {
        const reads = [
          { on: BASELINE, record: first, isBaseline },
          { on: NEXT, record: second },
        ];
        const { state } = playReads(reads);
        expect(formatEvents(decide(createInput(state, { on: NEXT, record: state.record }), createContext()))).toEqual(
          [],
        );
      }),
      { numRuns: 500 },
    );
  });

  test('every superseded event was planned and has at most one correction', () => {
    fc.assert(
      fc.property(record, record, fc.boolean(), (first, second, isBaseline) => {
        const { decision, previous } = playReads([
          { on: BASELINE, record: first, isBaseline },
          { on: NEXT, record: second },
        ]);
        const planned = previous?.planned.map(({ eventId }) => eventId) ?? [];
        const superseded = decision.superseded.map(({ eventId }) => eventId);
        expect(new Set(superseded).size).toBe(superseded.length);
        for (const eventId of superseded) expect(planned).toContain(eventId);
        const corrected = decision.events.flatMap(({ supersedes }) => (supersedes === null ? [] : [supersedes]));
        expect(new Set(corrected).size).toBe(corrected.length);
        for (const eventId of corrected) expect(superseded).toContain(eventId);
      }),
      { numRuns: 500 },
    );
  });

  test('attributes that become unreadable emit no event', () => {
    const keys = Object.keys(EMPLOYEE_ATTRIBUTES).filter(isAttribute);
    fc.assert(
      fc.property(record, fc.subarray(keys), fc.boolean(), (known, absent, isBaseline) => {
        const first = { ...known, absentAttributes: [] };
        const blind = Object.fromEntries(
          absent.flatMap((key) => EMPLOYEE_ATTRIBUTES[key].map((field) => [field, null])),
        );
        const { decision } = playReads([
          { on: BASELINE, record: first, isBaseline },
          { on: BASELINE, record: { ...first, ...blind, absentAttributes: [...absent].sort() } },
        ]);
        expect(formatEvents(decision)).toEqual([]);
      }),
      { numRuns: 500 },
    );
  });
});
