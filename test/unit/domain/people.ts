import { createHmac } from 'node:crypto';
import { decide } from '../../../src/domain/decide.js';
import type {
  DecideContext,
  DecideInput,
  EventDraft,
  LifecycleDecision,
  PersonState,
  PlannedEvent,
} from '../../../src/domain/lifecycle.js';
import type { LifecyclePolicy } from '../../../src/domain/policy.js';
import { createEmptyRecord } from '../../../src/domain/records.js';
import type { EmployeeRecord } from '../../../src/domain/records.js';
import { fillAbsentAttributes } from '../../../src/domain/employment.js';

/** People for tests, and the decisions of consecutive complete reads. */

const LIMIT = { atLeast: 5, percent: 10 };

const LIFECYCLE: LifecyclePolicy = {
  leaverEndsOn: 'last_working_day',
  noticeDays: [],
  brake: { leavers: LIMIT, missing: LIMIT, joiners: LIMIT, withdrawals: LIMIT, movers: LIMIT },
  ignoreKinds: [],
  ignoreAttributes: [],
};

export function createContext(lifecycle: Partial<LifecyclePolicy> = {}): DecideContext {
  return {
    lifecycle: { ...LIFECYCLE, ...lifecycle },
    offices: {
      defaultZone: 'Europe/Berlin',
      zones: { Berlin: 'Europe/Berlin', Auckland: 'Pacific/Auckland', 'Los Angeles': 'America/Los_Angeles' },
    },
    digest: (text) => createHmac('sha256', 'key').update(text).digest('hex').slice(0, 16),
  };
}

/** Creates the record of a person who is active since 2020, without an end. */
export function createRecord(more: Partial<EmployeeRecord> = {}): EmployeeRecord {
  return {
    ...createEmptyRecord('7'),
    email: 'anna@example.com',
    firstName: 'Anna',
    lastName: 'Alt',
    status: 'active',
    position: 'Engineer',
    departmentId: '1',
    department: 'Sales',
    team: 'A',
    office: 'Berlin',
    subcompany: 'One GmbH',
    supervisorId: '1',
    employmentType: 'internal',
    hireDate: '2020-01-01',
    weeklyWorkingHours: '40',
    ...more,
  };
}

export interface Read {
  /** Day of the read, or its moment if the zone matters. */
  readonly on: string;
  /** Null for a person who is missing. */
  readonly record: EmployeeRecord | null;
  readonly isConfirmedGone?: boolean;
  readonly isBaseline?: boolean;
}

/** Returns a moment early in the morning in Berlin, as by schedule. */
function toReadMoment(on: string): string {
  return on.length === 10 ? `${on}T03:00:00.000Z` : on;
}

export function createInput(previous: PersonState | null, read: Read): DecideInput {
  return {
    connectionId: 'default',
    employeeId: '7',
    previous,
    current: read.record,
    isConfirmedGone: read.isConfirmedGone ?? false,
    isBaseline: read.isBaseline ?? false,
    collectedAt: toReadMoment(read.on),
  };
}

/** Returns the person as the store has them after a commit. Fallen due events stay planned until they are marked. */
export function commitDecision(previous: PersonState | null, read: Read, decision: LifecycleDecision): PersonState {
  const last = previous?.record ?? null;
  const record = read.record === null ? last : fillAbsentAttributes(read.record, last);
  if (record === null) throw new Error('A person who was never seen cannot be missing.');
  const superseded = decision.superseded.map(({ eventId }) => eventId);
  const stillPlanned = (previous?.planned ?? []).filter(({ eventId }) => !superseded.includes(eventId));
  return {
    record,
    lifecycleState: decision.lifecycleState,
    episode: decision.episode,
    // A first absence does not change the person.
    version: (previous?.version ?? 0) + (read.record === null && !decision.isDeleted ? 0 : 1),
    ...(read.record === null ? toAbsence(previous, read, decision.isDeleted) : { missingSince: null, deletedAt: null }),
    planned: [...stillPlanned, ...decision.events.filter(({ state }) => state === 'planned').map(toPlannedEvent)],
    announcedStart: decision.announcedStart,
    announcedEnd: decision.announcedEnd,
    formerEnd: decision.formerEnd,
    hasStarted: decision.hasStarted,
  };
}

function toAbsence(
  previous: PersonState | null,
  { on }: Read,
  isDeleted: boolean,
): Pick<PersonState, 'missingSince' | 'deletedAt'> {
  const { missingSince, deletedAt } = previous ?? { missingSince: null, deletedAt: null };
  return { missingSince: missingSince ?? toReadMoment(on), deletedAt: isDeleted ? toReadMoment(on) : deletedAt };
}

function toPlannedEvent({ eventId, kind, episode, effectiveDate, timeZone }: EventDraft): PlannedEvent {
  return { eventId, kind, episode, effectiveDate, timeZone };
}

interface Story {
  readonly decision: LifecycleDecision;
  readonly previous: PersonState | null;
  readonly state: PersonState;
}

/** Commits each read in turn, and returns what the last one decided. */
export function playReads(reads: readonly Read[], context = createContext(), from: PersonState | null = null): Story {
  let state = from;
  let last: Story | null = null;
  for (const read of reads) {
    const decision = decide(createInput(state, read), context);
    last = { decision, previous: state, state: commitDecision(state, read, decision) };
    state = last.state;
  }
  if (last === null) throw new Error('A story needs a read.');
  return last;
}

/** Formats one line per event, such as `leaver.left 2026-06-30 planned`, or with `due` or `late`. */
export function formatEvents({ events }: LifecycleDecision): readonly string[] {
  return events.map(
    ({ kind, effectiveDate, state, late }) => `${kind} ${effectiveDate} ${late && state === 'due' ? 'late' : state}`,
  );
}
