import type { FeedEventData } from '../../domain/cloud-event.js';
import type { EventDraft, EventRecord } from '../../domain/lifecycle.js';
import { ColumnMap } from '../column-map.js';

/** A row of `lifecycle_events`. Types of events in the store pick from this one. */
export interface StoredEvent extends EventRecord {
  readonly runId: string;
  /** Id of the event that corrects this one; null if none does. */
  readonly supersededBy: string | null;
}

export const EVENT_COLUMNS = new ColumnMap<StoredEvent>({
  eventId: 'text',
  connectionId: 'text',
  employeeId: 'text',
  class: 'text',
  kind: 'text',
  episode: 'integer',
  effectiveDate: 'date',
  effectiveAt: 'timestamptz',
  timeZone: 'text',
  detectedAt: 'timestamptz',
  runId: 'text',
  late: 'boolean',
  supersedes: 'text',
  supersededBy: 'text',
  relatedEmployeeId: 'text',
  changes: 'jsonb',
  state: 'text',
  dueAt: 'timestamptz',
  rule: 'text',
  sequence: 'bigint',
});

/** Fields that the feed and every `--json` document show. */
export const FEED_FIELDS = [
  'eventId',
  'connectionId',
  'employeeId',
  'class',
  'kind',
  'episode',
  'effectiveDate',
  'effectiveAt',
  'timeZone',
  'detectedAt',
  'late',
  'supersedes',
  'relatedEmployeeId',
  'changes',
] as const satisfies readonly (keyof FeedEventData)[];

/** Fields that a decision fills. */
export const DRAFT_FIELDS = [
  'eventId',
  'class',
  'kind',
  'episode',
  'effectiveDate',
  'effectiveAt',
  'timeZone',
  'changes',
  'state',
  'late',
  'supersedes',
  'dueAt',
  'rule',
] as const satisfies readonly (keyof EventDraft)[];
