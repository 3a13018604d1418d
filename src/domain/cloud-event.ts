import type { EventRecord } from './lifecycle.js';

/** The fields of an event in the feed: those of the signal that are the same for every subscriber. */
export type FeedEventData = Omit<EventRecord, 'state' | 'dueAt' | 'rule' | 'sequence'>;

/** An event of the feed with its place in it. */
export type FeedEvent = FeedEventData & Pick<EventRecord, 'sequence'>;

/** An event in the JSON format of CloudEvents 1.0. */
export interface CloudEvent {
  readonly specversion: '1.0';
  readonly id: string;
  readonly source: string;
  readonly type: string;
  readonly subject: string;
  readonly time: string;
  readonly datacontenttype: 'application/json';
  /** Cursor of the feed; absent while the event is planned. */
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
