import type { Queries } from '../database.js';
import { DELIVERY_COLUMNS } from './columns.js';
import type { StoredDelivery } from './columns.js';

/** Columns of `deliveries` that readers may rely on. */
const RECORD_FIELDS = [
  'deliveryId',
  'eventId',
  'connectionId',
  'employeeId',
  'subscriber',
  'purpose',
  'state',
  'attempts',
  'dueAt',
  'sentAt',
  'acknowledgedAt',
  'deadlineAt',
  'note',
  'lastError',
] as const satisfies readonly (keyof StoredDelivery)[];

/** A delivery with the columns that readers may rely on. */
export type DeliveryRecord = Pick<StoredDelivery, (typeof RECORD_FIELDS)[number]>;

export interface DeliveryFilter {
  readonly state: string | null;
  readonly subscriber: string | null;
  readonly limit: number;
}

/** Lists deliveries, newest first. */
export async function listDeliveries(
  queries: Queries,
  { state, subscriber, limit }: DeliveryFilter,
): Promise<readonly DeliveryRecord[]> {
  return queries.query<DeliveryRecord>(
    `select ${DELIVERY_COLUMNS.select('deliveries', RECORD_FIELDS)}
     from personio.deliveries as deliveries
     where ($1::text is null or deliveries.state = $1)
       and ($2::text is null or deliveries.subscriber = $2)
     order by deliveries.due_at desc, deliveries.delivery_id
     limit $3`,
    [state, subscriber, limit],
  );
}
