import type { EventKind } from '../contracts/public/events.js';

/** What of a delivery, or of a planned event without one, people read. */
export interface PendingEntry {
  readonly kind: EventKind;
  readonly purpose: 'event' | 'notice' | 'escalation';
  /** Null: nobody has asked to be told; the event waits for its place in the feed. */
  readonly subscriber: string | null;
  readonly state: 'planned' | 'waiting' | 'sent' | 'failed' | 'overdue';
  readonly attempts: number;
  readonly sentAt: string | null;
  /** When something is done about it next; null while it waits for the one before it. */
  readonly at: string | null;
  readonly timeZone: string;
}

const EVENT_PHRASES: Readonly<Record<EventKind, string>> = {
  'joiner.announced': 'is going to start',
  'joiner.started': 'has started',
  'joiner.rescheduled': 'starts on another day',
  'joiner.rescinded': 'does not start after all',
  'joiner.rehired': 'comes back',
  'mover.changed': 'has moved',
  'mover.renamed': 'has another name or address',
  'mover.leave-started': 'is on leave',
  'mover.leave-ended': 'is back from leave',
  'leaver.announced': 'is going to leave',
  'leaver.left': 'has left',
  'leaver.rescheduled': 'leaves on another day',
  'leaver.rescinded': 'does not leave after all',
  'leaver.deleted': 'is gone from Personio',
};
const NOTICE_PHRASES: Partial<Readonly<Record<EventKind, string>>> = {
  'joiner.started': 'starts soon',
  'leaver.left': 'leaves soon',
};

/** @returns what a person's workflow waits for, such as `waits until 31 Dec 2026 23:59 Europe/Berlin to tell it that employee 4711 has left`. */
export function describePending(entry: PendingEntry, employeeId: string): string {
  const { kind, subscriber, state, at, sentAt, timeZone, attempts } = entry;
  const what = `employee ${employeeId} ${(entry.purpose === 'notice' ? NOTICE_PHRASES[kind] : undefined) ?? EVENT_PHRASES[kind]}`;
  const whom = `${subscriber ?? ''}${entry.purpose === 'escalation' ? ' (escalation)' : ''}`;
  const until = at === null ? '' : ` until ${formatLocalTime(at, timeZone)}`;
  if (subscriber === null) return `waits${until} for the moment from which ${what}`;
  if (state === 'failed') return `${whom} answered "failed" to the news that ${what}; waits for another answer`;
  if (sentAt !== null) {
    const overdue = state === 'overdue' ? ', which is overdue' : '';
    return `waits for ${whom} to acknowledge that ${what}${overdue}; told since ${formatLocalTime(sentAt, timeZone)}`;
  }
  if (at === null) return `waits to tell ${whom} that ${what}, after the news before it`;
  const refused = attempts === 0 ? '' : `, which Temporal did not accept ${attempts} times`;
  return `waits${until} to tell ${whom} that ${what}${refused}`;
}

/** The last minute of a day rather than the first moment of the next: so people say when somebody's last day is over. */
function formatLocalTime(moment: string, timeZone: string): string {
  const isMidnight = formatDateTime(moment, timeZone).endsWith(' 00:00');
  const shown = isMidnight ? new Date(Date.parse(moment) - 60_000).toISOString() : moment;
  return `${formatDateTime(shown, timeZone)} ${timeZone}`;
}

function formatDateTime(moment: string, timeZone: string): string {
  const parts = getDateTimeFormat(timeZone).formatToParts(Date.parse(moment));
  const getPart = (type: Intl.DateTimeFormatPartTypes): string => parts.find((one) => one.type === type)?.value ?? '';
  return `${getPart('day')} ${getPart('month').slice(0, 3)} ${getPart('year')} ${getPart('hour')}:${getPart('minute')}`;
}

/** Kept, since making one takes longer than all else that is done to a sentence. There are as many as a company has zones. */
const FORMATS = new Map<string, Intl.DateTimeFormat>();

function getDateTimeFormat(timeZone: string): Intl.DateTimeFormat {
  const known = FORMATS.get(timeZone);
  if (known !== undefined) return known;
  const format = new Intl.DateTimeFormat('en-GB', {
    timeZone,
    day: 'numeric',
    month: 'short',
    year: 'numeric',
    hour: '2-digit',
    minute: '2-digit',
    hourCycle: 'h23',
  });
  FORMATS.set(timeZone, format);
  return format;
}
