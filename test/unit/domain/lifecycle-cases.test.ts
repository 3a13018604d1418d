import { describe, expect, test } from '@jest/globals';
import { decide } from '../../../src/domain/decide.js';
import { toEffectiveMoment } from '../../../src/domain/event-draft.js';
import type { EventDraft, PersonState } from '../../../src/domain/lifecycle.js';
import type { OfficePolicy } from '../../../src/domain/policy.js';
import { hasCome } from '../../../src/domain/zones.js';
import { compareByRun, listWantedEvents, readLives, toFields } from '../../support/lifecycle-cases.js';
import type { CasePerson } from '../../support/lifecycle-cases.js';
import { commitDecision, createContext, createInput, createRecord } from './people.js';
import type { Read } from './people.js';

type LifeEvent = Omit<EventDraft, 'state'> & {
  readonly run: number;
  readonly employeeId: string;
  readonly state: 'planned' | 'due' | 'superseded';
};

/** A store that applies decisions: planned, due and superseded events, episodes and states. */
class MemoryStore {
  readonly states = new Map<string, PersonState>();
  readonly events: LifeEvent[] = [];
  private readonly offices: OfficePolicy;

  constructor(offices: Readonly<Record<string, string>> | undefined) {
    const { default: defaultZone = 'Europe/Berlin', ...zones } = offices ?? {};
    this.offices = { defaultZone, zones };
  }

  readAll(run: number, on: string, people: readonly CasePerson[]): void {
    const ids = new Set([...people.map(({ id }) => id), ...this.states.keys()]);
    for (const id of ids) this.readOne(run, id, { on, person: people.find((person) => person.id === id) ?? null });
    this.markDue(on);
  }

  private readOne(run: number, id: string, { on, person }: { on: string; person: CasePerson | null }): void {
    const record = person === null ? null : createRecord(toFields(person));
    const read: Read = { on, record, isConfirmedGone: record === null, isBaseline: run === 0 };
    const previous = this.states.get(id) ?? null;
    const context = { ...createContext(), offices: this.offices };
    const decision = decide({ ...createInput(previous, read), employeeId: id }, context);
    for (const { eventId, by } of decision.superseded) {
      const planned = this.events.find((event) => event.eventId === eventId);
      expect([planned?.state, by]).toEqual(['planned', expect.any(String)]);
      this.replace(eventId, 'superseded');
    }
    for (const event of decision.events) this.events.push({ ...event, run, employeeId: id });
    this.states.set(id, commitDecision(previous, read, decision));
  }

  private markDue(now: string): void {
    for (const { kind, eventId, effectiveDate, timeZone, state } of this.events) {
      const moment = toEffectiveMoment(kind, effectiveDate, timeZone);
      if (state === 'planned' && hasCome(moment, now)) this.replace(eventId, 'due');
    }
  }

  private replace(eventId: string, state: LifeEvent['state']): void {
    const index = this.events.findIndex((event) => event.eventId === eventId);
    const event = this.events[index];
    if (event !== undefined) this.events[index] = { ...event, state };
  }
}

describe('the life', () => {
  // What a second person has to do with it, and what subscribers are told, is for the store's test.
  test.each(readLives())('$name', (life) => {
    const store = new MemoryStore(life.offices);
    const states = life.runs.map(({ at, people }, run) => {
      store.readAll(run, at, people);
      return store.states.get('1')?.lifecycleState ?? null;
    });
    const wanted = listWantedEvents(life).map((event) => ({
      run: event.run,
      kind: event.kind,
      effectiveDate: event.effectiveDate,
      employeeId: event.employeeId,
      ...(event.effectiveAt === undefined ? {} : { effectiveAt: event.effectiveAt }),
      ...(event.state === undefined ? {} : { state: event.state }),
      ...(event.late === undefined ? {} : { late: event.late }),
      ...(event.episode === undefined ? {} : { episode: event.episode }),
    }));
    const got = store.events.toSorted(compareByRun);
    expect(got.map(({ run, kind }) => `${run} ${kind}`)).toEqual(wanted.map(({ run, kind }) => `${run} ${kind}`));
    expect(got).toMatchObject(wanted);
    if (life.lifecycleStates !== undefined) expect(states).toEqual(life.lifecycleStates);
  });
});
