import type { Queries } from '../database.js';

/** A row of `deliveries`, with the columns that readers may rely on. */
export interface DeliveryRecord {
  readonly deliveryId: string;
  readonly eventId: string;
  readonly connectionId: string;
  readonly employeeId: string;
  readonly subscriber: string;
  readonly purpose: string;
  readonly state: string;
  readonly attempts: number;
  readonly dueAt: string;
  readonly sentAt: string | null;
  readonly acknowledgedAt: string | null;
  readonly deadlineAt: string | null;
  readonly note: string | null;
  readonly lastError: string | null;
}

export interface DeliveryFilter {
  readonly state: string | null;
  readonly subscriber: string | null;
  readonly limit: number;
}

/** @returns the deliveries whose moment came last, first. */
export async function listDeliveries(
  queries: Queries,
  { state, subscriber, limit }: DeliveryFilter,
): Promise<readonly DeliveryRecord[]> {
  return queries.query<DeliveryRecord>(
    `select delivery_id as "deliveryId", event_id as "eventId", connection_id as "connectionId", employee_id as "employeeId", subscriber, purpose, state,
       attempts, due_at as "dueAt", sent_at as "sentAt", acknowledged_at as "acknowledgedAt", deadline_at as "deadlineAt", note, last_error as "lastError"
     from personio.deliveries where ($1::text is null or state = $1) and ($2::text is null or subscriber = $2)
     order by due_at desc, delivery_id limit $3`,
    [state, subscriber, limit],
  );
}
