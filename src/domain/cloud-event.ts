import type { AttributeChange, EventClass, EventKind } from '../contracts/public/events.js';

/** What the feed shows of an event: the fields of the signal that do not depend on who is told. */
export interface FeedEventData {
  readonly eventId: string;
  readonly connectionId: string;
  readonly employeeId: string;
  readonly class: EventClass;
  readonly kind: EventKind;
  readonly episode: number;
  readonly effectiveDate: string;
  readonly effectiveAt: string;
  readonly timeZone: string;
  readonly detectedAt: string;
  readonly late: boolean;
  readonly supersedes: string | null;
  readonly changes: readonly AttributeChange[];
}

/** An event of the feed, with its place in it; null while it is planned. */
export interface FeedEvent extends FeedEventData {
  readonly sequence: number | null;
}

/** CloudEvents 1.0, in the JSON format. */
export interface CloudEvent {
  readonly specversion: '1.0';
  readonly id: string;
  readonly source: string;
  readonly type: string;
  readonly subject: string;
  readonly time: string;
  readonly datacontenttype: 'application/json';
  /** The feed's cursor, left out of what is only planned. */
  readonly sequence?: string;
  readonly data: FeedEventData;
}

export function toCloudEvent({ sequence, ...data }: FeedEvent): CloudEvent {
  return {
    specversion: '1.0',
    id: data.eventId,
    source: `personio-sync/${data.connectionId}`,
    type: `personio.lifecycle.v1.${data.kind}`,
    subject: data.employeeId,
    time: data.effectiveAt,
    datacontenttype: 'application/json',
    ...(sequence === null ? {} : { sequence: String(sequence) }),
    data,
  };
}
