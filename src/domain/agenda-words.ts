import type { EventKind } from '../contracts/events.js';

/** What of a delivery, or of a planned event without one, people read. */
export interface AgendaEntry {
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

const WORDS: Readonly<Record<EventKind, string>> = {
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
const NOTICE_WORDS: Partial<Readonly<Record<EventKind, string>>> = {
  'joiner.started': 'starts soon',
  'leaver.left': 'leaves soon',
};

/** @returns what a person's workflow waits for, such as `waits until 31 Dec 2026 23:59 Europe/Berlin to tell it that employee 4711 has left`. */
export function wordsOf(entry: AgendaEntry, employeeId: string): string {
  const { kind, subscriber, state, at, sentAt, timeZone, attempts } = entry;
  const what = `employee ${employeeId} ${(entry.purpose === 'notice' ? NOTICE_WORDS[kind] : undefined) ?? WORDS[kind]}`;
  const whom = `${subscriber ?? ''}${entry.purpose === 'escalation' ? ' (escalation)' : ''}`;
  const until = at === null ? '' : ` until ${localTime(at, timeZone)}`;
  if (subscriber === null) return `waits${until} for the moment from which ${what}`;
  if (state === 'failed') return `${whom} answered "failed" to the news that ${what}; waits for another answer`;
  if (sentAt !== null) {
    const overdue = state === 'overdue' ? ', which is overdue' : '';
    return `waits for ${whom} to acknowledge that ${what}${overdue}; told since ${localTime(sentAt, timeZone)}`;
  }
  if (at === null) return `waits to tell ${whom} that ${what}, after the news before it`;
  const refused = attempts === 0 ? '' : `, which Temporal did not accept ${attempts} times`;
  return `waits${until} to tell ${whom} that ${what}${refused}`;
}

/** The last minute of a day rather than the first moment of the next: so people say when somebody's last day is over. */
function localTime(moment: string, timeZone: string): string {
  const isMidnight = partsOf(moment, timeZone).endsWith(' 00:00');
  const shown = isMidnight ? new Date(Date.parse(moment) - 60_000).toISOString() : moment;
  return `${partsOf(shown, timeZone)} ${timeZone}`;
}

function partsOf(moment: string, timeZone: string): string {
  const parts = formatOf(timeZone).formatToParts(Date.parse(moment));
  const part = (type: Intl.DateTimeFormatPartTypes): string => parts.find((one) => one.type === type)?.value ?? '';
  return `${part('day')} ${part('month').slice(0, 3)} ${part('year')} ${part('hour')}:${part('minute')}`;
}

/** Kept, since making one takes longer than all else that is done to a sentence. There are as many as a company has zones. */
const FORMATS = new Map<string, Intl.DateTimeFormat>();

function formatOf(timeZone: string): Intl.DateTimeFormat {
  const known = FORMATS.get(timeZone);
  if (known !== undefined) return known;
  const format = new Intl.DateTimeFormat('en-GB', {
    ...{ timeZone, day: 'numeric', month: 'short', year: 'numeric' },
    ...{ hour: '2-digit', minute: '2-digit', hourCycle: 'h23' },
  });
  FORMATS.set(timeZone, format);
  return format;
}
