import type { FeedEvent } from '../../domain/cloud-event.js';
import type { Queries } from '../database.js';

const COLUMNS = `sequence, event_id as "eventId", connection_id as "connectionId", employee_id as "employeeId", class, kind, episode,
  effective_date as "effectiveDate", effective_at as "effectiveAt", time_zone as "timeZone", detected_at as "detectedAt", late, supersedes, changes`;

/**
 * What has become due after a cursor, in commit order. Without holes: a sequence is given under a lock that is held until the commit, so none
 * comes to light behind one that was read.
 */
export async function listFeedEvents(queries: Queries, cursor: number, limit: number): Promise<readonly FeedEvent[]> {
  return queries.query<FeedEvent>(
    `select ${COLUMNS} from personio.lifecycle_events where sequence > $1 order by sequence limit $2`,
    [cursor, limit],
  );
}

/** What is still to come, the next first. */
export async function listPlannedEvents(
  queries: Queries,
  offset: number,
  limit: number,
): Promise<readonly FeedEvent[]> {
  return queries.query<FeedEvent>(
    `select ${COLUMNS} from personio.lifecycle_events where state = 'planned' order by due_at, event_id offset $1 limit $2`,
    [offset, limit],
  );
}

/** How many events of a kind have become due. */
export interface KindCount {
  readonly kind: string;
  readonly events: number;
}

export async function countEventsByKind(queries: Queries): Promise<readonly KindCount[]> {
  return queries.query<KindCount>(
    `select kind, count(*) as events from personio.lifecycle_events where state = 'due' group by kind`,
  );
}
