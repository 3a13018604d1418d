import type { FeedEventData } from '../../domain/cloud-event.js';
import type { Queries } from '../database.js';

/** A delivery as programs see it. */
export interface DeliveryReport {
  readonly deliveryId: string;
  readonly subscriber: string;
  readonly purpose: string;
  readonly state: string;
  readonly acknowledgedAt: string | null;
}

/** A lifecycle event as programs see it, with what became of it. */
export interface EventReport extends FeedEventData {
  readonly state: 'planned' | 'due' | 'superseded';
  readonly deliveries: readonly DeliveryReport[];
}

/** @returns the events that runs made, in the order in which they were decided. */
export async function listRunEvents(queries: Queries, runIds: readonly string[]): Promise<readonly EventReport[]> {
  return queries.query<EventReport>(
    `select v.event_id as "eventId", v.connection_id as "connectionId", v.employee_id as "employeeId", v.class, v.kind, v.episode,
       v.effective_date as "effectiveDate", v.effective_at as "effectiveAt", v.time_zone as "timeZone", v.detected_at as "detectedAt",
       v.late, v.supersedes, v.changes, v.state,
       coalesce((
         select jsonb_agg(jsonb_build_object('deliveryId', x.delivery_id, 'subscriber', x.subscriber, 'purpose', x.purpose, 'state', x.state,
           'acknowledgedAt', to_char(x.acknowledged_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')) order by x.due_at, x.delivery_id)
         from personio.deliveries x where x.event_id = v.event_id), '[]') as deliveries
     from personio.lifecycle_events v where v.run_id = any($1) order by v.detected_at, v.sequence nulls last, v.event_id`,
    [runIds],
  );
}

/** @returns how many deliveries of these runs' events are due and not yet answered. */
export async function countUnacknowledged(queries: Queries, runIds: readonly string[]): Promise<number> {
  const [row] = await queries.query<{ open: number }>(
    `select count(*) as open from personio.deliveries x join personio.lifecycle_events v using (event_id)
     where v.run_id = any($1) and x.state in ('waiting', 'sent') and x.due_at <= clock_timestamp()`,
    [runIds],
  );
  return row?.open ?? 0;
}
