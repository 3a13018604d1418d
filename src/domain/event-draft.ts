import { PLANNED_KINDS } from '../contracts/public/events.js';
import type { AttributeChange, EventKind } from '../contracts/public/events.js';
import type { EventDraft, LifecycleRule } from './lifecycle.js';
import type { EmployeeRecord } from './records.js';
import { endOfDay, hasCome, startOfDay } from './zones.js';

/** The person that an event is about, as known when the change was detected. */
interface EventSubject {
  readonly connectionId: string;
  readonly employeeId: string;
  readonly episode: number;
  /** Version of the person before the change. */
  readonly version: number;
  readonly record: EmployeeRecord;
  readonly zone: string;
  readonly collectedAt: string;
  readonly digest: (text: string) => string;
}

export interface EventOptions {
  /** Default: the start or end of `date`. */
  readonly effectiveAt?: string;
  readonly changes?: readonly AttributeChange[];
  /** Values for the digest, if `changes` has none. */
  readonly newValues?: readonly unknown[];
  readonly supersedes?: string | null;
  /** True if a planned kind is due when detected: out by status. */
  readonly isDueNow?: boolean;
}

interface EventSpec extends EventOptions {
  readonly kind: EventKind;
  readonly date: string;
  readonly rule: LifecycleRule;
}

/** Creates an event. Its id is built from facts only, so that deciding again gives the same id. */
export function createEventDraft(subject: EventSubject, { kind, date, rule, ...more }: EventSpec): EventDraft {
  const { episode, zone: timeZone, collectedAt } = subject;
  const changes = more.changes ?? [];
  const effectiveAt = more.effectiveAt ?? toEffectiveMoment(kind, date, timeZone);
  const hasOwnMoment = isPlannedKind(kind) && more.isDueNow !== true;
  const isStillAhead = hasOwnMoment && !hasCome(effectiveAt, collectedAt);
  return {
    eventId: createEventId(subject, kind, more.newValues ?? changes.map(({ attribute, to }) => [attribute, to])),
    class: toEventClass(kind),
    kind,
    episode,
    effectiveDate: date,
    effectiveAt,
    timeZone,
    changes,
    rule,
    state: isStillAhead ? 'planned' : 'due',
    dueAt: isStillAhead ? effectiveAt : collectedAt,
    late: hasOwnMoment && !isStillAhead,
    supersedes: more.supersedes ?? null,
  };
}

/** Uses Personio's dates, never the event's own date, which may be the day of detection. */
function createEventId(subject: EventSubject, kind: EventKind, newValues: readonly unknown[]): string {
  const { connectionId, employeeId, episode, version, record, zone } = subject;
  const dates = [record.hireDate, record.terminationDate, record.lastWorkingDay, zone];
  const digest = subject.digest(JSON.stringify([connectionId, employeeId, episode, kind, version, dates, newValues]));
  return `${connectionId}:${employeeId}:${episode}:${kind}:${version}:${digest}`;
}

/** Returns the effective moment: the start of the day, or for leavers the end of it. */
export function toEffectiveMoment(kind: EventKind, date: string, zone: string): string {
  return kind.startsWith('leaver.') ? endOfDay(date, zone) : startOfDay(date, zone);
}

function isPlannedKind(kind: EventKind): boolean {
  return PLANNED_KINDS.some((planned) => planned === kind);
}

function toEventClass(kind: EventKind): EventDraft['class'] {
  if (kind.startsWith('joiner.')) return 'joiner';
  return kind.startsWith('leaver.') ? 'leaver' : 'mover';
}
