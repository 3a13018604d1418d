import type { Queries } from '../database.js';
import type { StoredDelivery } from '../deliveries/columns.js';
import { EVENT_COLUMNS, FEED_FIELDS } from './columns.js';
import type { StoredEvent } from './columns.js';

/** A delivery in a `--json` document. */
export type DeliveryReport = Pick<StoredDelivery, 'deliveryId' | 'subscriber' | 'purpose' | 'state' | 'acknowledgedAt'>;

/** A lifecycle event in a `--json` document, with its deliveries. */
export interface EventReport extends Pick<StoredEvent, (typeof FEED_FIELDS)[number] | 'state'> {
  readonly deliveries: readonly DeliveryReport[];
}

/** Lists the events that runs made, in the order in which they were decided. */
export async function listRunEvents(queries: Queries, runIds: readonly string[]): Promise<readonly EventReport[]> {
  return queries.query<EventReport>(
    `select
       ${EVENT_COLUMNS.select('events', [...FEED_FIELDS, 'state'])},
       coalesce((
         select jsonb_agg(
           jsonb_build_object(
             'deliveryId', deliveries.delivery_id,
             'subscriber', deliveries.subscriber,
             'purpose', deliveries.purpose,
             'state', deliveries.state,
             'acknowledgedAt', to_char(
               deliveries.acknowledged_at at time zone 'UTC',
               'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'
             )
           )
           order by deliveries.due_at, deliveries.delivery_id
         )
         from personio.deliveries as deliveries
         where deliveries.event_id = events.event_id
       ), '[]') as deliveries
     from personio.lifecycle_events as events
     where events.run_id = any($1)
     order by events.detected_at, events.sequence nulls last, events.event_id`,
    [runIds],
  );
}

/** Counts the deliveries of these runs' events that are due and not yet acknowledged. */
export async function countUnacknowledged(queries: Queries, runIds: readonly string[]): Promise<number> {
  const [row] = await queries.query<{ open: number }>(
    `select count(*) as open
     from personio.deliveries as deliveries
     join personio.lifecycle_events as events using (event_id)
     where events.run_id = any($1)
       and deliveries.state in ('waiting', 'sent')
       and deliveries.due_at <= clock_timestamp()`,
    [runIds],
  );
  return row?.open ?? 0;
}
