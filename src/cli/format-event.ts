import type { FeedEvent } from '../domain/cloud-event.js';
import type { EventReport } from '../store/events/queries.js';

/** Returns a moment on the clocks of a zone: `2026-12-31 18:00 Europe/Berlin`. */
export function formatMoment(moment: string, timeZone: string): string {
  // Sweden writes dates and times as ISO 8601 does.
  const format = new Intl.DateTimeFormat('sv-SE', { timeZone, dateStyle: 'short', timeStyle: 'short' });
  return `${format.format(Date.parse(moment))} ${timeZone}`;
}

/** Returns the line of an event in the feed; its id, which `explain` takes, comes last. */
export function formatFeedEvent(event: FeedEvent): string {
  const { sequence, kind, employeeId, connectionId, effectiveAt, timeZone, eventId } = event;
  const position = (sequence === null ? 'planned' : String(sequence)).padStart(7);
  const moment = formatMoment(effectiveAt, timeZone);
  const details = `${formatChanges(event)}${event.late ? ', late' : ''}`;
  return `${position}  ${kind.padEnd(19)}  employee ${employeeId} of ${connectionId}, ${moment}${details}  ${eventId}`;
}

/** Returns the line of an event with the state of its deliveries; its id, which `explain` takes, comes last. */
export function formatEvent(event: EventReport): string {
  const { kind, employeeId, effectiveDate, eventId, deliveries, state } = event;
  const details = `${formatChanges(event)}${event.late ? ', late' : ''}`;
  const delivered = deliveries.map((delivery) => `${delivery.state} by ${delivery.subscriber}`).join(', ');
  const outcome = delivered === '' ? state : delivered;
  return `${kind.padEnd(19)}  employee ${employeeId}, ${effectiveDate}${details}  ${outcome}  ${eventId}`;
}

function formatChanges({ changes }: Pick<FeedEvent, 'changes'>): string {
  return changes.length === 0 ? '' : ` (${changes.map(({ attribute }) => attribute).join(', ')})`;
}
