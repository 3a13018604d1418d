import type { EventKind } from '../contracts/public/events.js';
import type { Delivery, DeliveryStatus } from './delivery.js';
import type { EventRecord } from './lifecycle.js';

/** An open delivery or planned event, with the fields that its description needs. */
export type PendingEntry = Pick<Delivery, 'purpose' | 'attempts' | 'sentAt'> &
  Pick<EventRecord, 'kind' | 'timeZone'> & {
    /** Null for a planned event without a delivery, which only waits for its place in the feed. */
    readonly subscriber: string | null;
    readonly state: DeliveryStatus['state'] | 'planned';
    /** Moment of the next step; null while it waits for the delivery before it. */
    readonly at: string | null;
    /** True while the leaving waits until its withdrawal is approved or rejected. */
    readonly isOnHold: boolean;
  };

const EVENT_PHRASES: Readonly<Record<EventKind, string>> = {
  'joiner.announced': 'will join',
  'joiner.started': 'has started',
  'joiner.rescheduled': 'has a new start date',
  'joiner.rescinded': 'is not starting after all',
  'joiner.rehired': 'has been rehired',
  'mover.changed': 'has moved',
  'mover.renamed': 'has a new name or e-mail address',
  'mover.leave-started': 'is on leave',
  'mover.leave-ended': 'is back from leave',
  'leaver.announced': 'will leave',
  'leaver.left': 'has left',
  'leaver.rescheduled': 'has a new leaving date',
  'leaver.rescinded': 'is not leaving after all',
  'leaver.deleted': 'was deleted from Personio',
};
const NOTICE_PHRASES: Partial<Readonly<Record<EventKind, string>>> = {
  'joiner.started': 'starts soon',
  'leaver.left': 'leaves soon',
};

/**
 * Describes pending work in a sentence, such as
 * `Waiting until 31 Dec 2026 23:59 Europe/Berlin to tell it-offboarding that employee 4711 has left`.
 */
export function describePending(entry: PendingEntry, employeeId: string): string {
  const { kind, purpose, subscriber } = entry;
  const phrase = (purpose === 'notice' ? NOTICE_PHRASES[kind] : undefined) ?? EVENT_PHRASES[kind];
  const fact = `employee ${employeeId} ${phrase}`;
  return entry.isOnHold
    ? `On hold until its withdrawal is approved or rejected: ${fact} (${subscriber ?? 'no subscriber'})`
    : describeOpen(entry, fact);
}

function describeOpen(entry: PendingEntry, fact: string): string {
  const { purpose, subscriber, state, at, sentAt, timeZone, attempts } = entry;
  const until = at === null ? '' : ` until ${formatLocalTime(at, timeZone)}`;
  if (subscriber === null) return `Waiting${until}: ${fact} (no subscriber)`;
  const recipient = purpose === 'escalation' ? `${subscriber} (escalation)` : subscriber;
  if (state === 'failed') return `Rejected by ${recipient}: ${fact}. Waiting for another acknowledgement`;
  if (sentAt !== null) {
    const sent = `sent ${formatLocalTime(sentAt, timeZone)}${state === 'overdue' ? ', overdue' : ''}`;
    return `Waiting for ${recipient} to acknowledge that ${fact} (${sent})`;
  }
  if (at === null) return `Waiting to tell ${recipient} that ${fact}, after the previous event`;
  const refused = attempts === 0 ? '' : ` (Temporal refused ${attempts} ${attempts === 1 ? 'attempt' : 'attempts'})`;
  return `Waiting${until} to tell ${recipient} that ${fact}${refused}`;
}

/** Formats midnight as the last minute of the day before, which is how people say when a last day is over. */
function formatLocalTime(moment: string, timeZone: string): string {
  const isMidnight = formatDateTime(moment, timeZone).endsWith(' 00:00');
  const lastMinute = isMidnight ? new Date(Date.parse(moment) - 60_000).toISOString() : moment;
  return `${formatDateTime(lastMinute, timeZone)} ${timeZone}`;
}

function formatDateTime(moment: string, timeZone: string): string {
  const parts = getDateTimeFormat(timeZone).formatToParts(Date.parse(moment));
  const getPart = (type: Intl.DateTimeFormatPartTypes): string => parts.find((part) => part.type === type)?.value ?? '';
  return `${getPart('day')} ${getPart('month').slice(0, 3)} ${getPart('year')} ${getPart('hour')}:${getPart('minute')}`;
}

/** Formats by time zone, cached because creating one is slow. A company has few zones. */
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
