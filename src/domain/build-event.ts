import { PLANNED_KINDS } from '../contracts/public/events.js';
import type { AttributeChange, EventKind } from '../contracts/public/events.js';
import type { LifecycleRule, EventDraft } from './lifecycle.js';
import type { EmployeeRecord } from './records.js';
import { endOfDay, startOfDay } from './zones.js';

/** Whom an event is about, and when it was seen. */
interface EventSubject {
  readonly connectionId: string;
  readonly employeeId: string;
  readonly episode: number;
  /** The person's version before the change. */
  readonly version: number;
  readonly record: EmployeeRecord;
  readonly zone: string;
  readonly collectedAt: string;
  readonly digest: (text: string) => string;
}

export interface EventOptions {
  /** Where it is not the start or the end of `date`. */
  readonly effectiveAt?: string;
  readonly changes?: readonly AttributeChange[];
  /** For the digest, where the changes carry no values. */
  readonly newValues?: readonly unknown[];
  readonly supersedes?: string | null;
  /** Due when detected, whatever its moment: out by status. */
  readonly isDueNow?: boolean;
}

interface EventSpec extends EventOptions {
  readonly kind: EventKind;
  readonly date: string;
  readonly rule: LifecycleRule;
}

/** Puts an event together. Its id is built from facts alone, so that deciding again gives the same. */
export function buildEvent(subject: EventSubject, { kind, date, rule, ...more }: EventSpec): EventDraft {
  const { episode, zone: timeZone, collectedAt } = subject;
  const changes = more.changes ?? [];
  const effectiveAt = more.effectiveAt ?? toEffectiveMoment(kind, date, timeZone);
  const hasOwnMoment = isPlannedKind(kind) && more.isDueNow !== true;
  const isToCome = hasOwnMoment && effectiveAt > collectedAt;
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
    state: isToCome ? 'planned' : 'due',
    dueAt: isToCome ? effectiveAt : collectedAt,
    late: hasOwnMoment && !isToCome,
    supersedes: more.supersedes ?? null,
  };
}

/** Personio's dates and never the event's own, which may be the day of detection. */
function createEventId(subject: EventSubject, kind: EventKind, newValues: readonly unknown[]): string {
  const { connectionId, employeeId, episode, version, record, zone } = subject;
  const dates = [record.hireDate, record.terminationDate, record.lastWorkingDay, zone];
  const digest = subject.digest(JSON.stringify([connectionId, employeeId, episode, kind, version, dates, newValues]));
  return `${connectionId}:${employeeId}:${episode}:${kind}:${version}:${digest}`;
}

/** @returns the effective moment: the start of the day for joiners, the end of the last working day for leavers. */
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
