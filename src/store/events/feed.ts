import type { FeedEvent } from '../../domain/cloud-event.js';
import type { Queries, Transaction } from '../database.js';
import { EVENT_COLUMNS, FEED_FIELDS } from './columns.js';

const COLUMNS = EVENT_COLUMNS.select('events', ['sequence', ...FEED_FIELDS]);

/**
 * Lists events that became due after a cursor, in commit order. There are no holes: sequences are assigned under a lock
 * that is held until the commit, so none appears behind one that was read.
 */
export async function listFeedEvents(queries: Queries, cursor: number, limit: number): Promise<readonly FeedEvent[]> {
  return queries.query<FeedEvent>(
    `select ${COLUMNS}
     from personio.lifecycle_events as events
     where sequence > $1
     order by sequence
     limit $2`,
    [cursor, limit],
  );
}

/** Lists events that are still to come, the next one first. */
export async function listPlannedEvents(
  queries: Queries,
  offset: number,
  limit: number,
): Promise<readonly FeedEvent[]> {
  return queries.query<FeedEvent>(
    `select ${COLUMNS}
     from personio.lifecycle_events as events
     where state = 'planned'
     order by due_at, event_id
     offset $1
     limit $2`,
    [offset, limit],
  );
}

/** Number of events of a kind that became due. */
export interface KindCount {
  readonly kind: string;
  readonly events: number;
}

export async function countEventsByKind(queries: Queries): Promise<readonly KindCount[]> {
  return queries.query<KindCount>(
    `select kind, count(*) as events
     from personio.lifecycle_events
     where state = 'due'
     group by kind`,
  );
}

/**
 * Reserves places in the feed. Its one row stays locked until the transaction ends, so that the order of sequences is
 * the order of commits.
 *
 * @returns the sequence before the first reserved one.
 */
export async function reserveSequences(transaction: Transaction, count: number): Promise<number> {
  const [feed] = await transaction.query<{ last_sequence: number }>(
    `update personio.lifecycle_feed
     set last_sequence = last_sequence + $1
     returning last_sequence`,
    [count],
  );
  return (feed?.last_sequence ?? 0) - count;
}
