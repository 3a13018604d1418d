import type { Delivery, PlannedDelivery } from '../../domain/delivery.js';
import { ColumnMap } from '../column-map.js';
import type { StoredEvent } from '../events/columns.js';

/** A row of `deliveries`. Types of deliveries in the store pick from this one. */
export interface StoredDelivery extends Delivery {
  readonly episode: number;
  /** Attempts in a row that Temporal did not accept. */
  readonly refusals: number;
}

export const DELIVERY_COLUMNS = new ColumnMap<StoredDelivery>({
  deliveryId: 'text',
  eventId: 'text',
  connectionId: 'text',
  employeeId: 'text',
  episode: 'integer',
  subscriber: 'text',
  purpose: 'text',
  state: 'text',
  attempts: 'integer',
  refusals: 'integer',
  dueAt: 'timestamptz',
  late: 'boolean',
  firstAttemptAt: 'timestamptz',
  nextAttemptAt: 'timestamptz',
  sentAt: 'timestamptz',
  acknowledgedAt: 'timestamptz',
  deadlineAt: 'timestamptz',
  escalatedAt: 'timestamptz',
  note: 'text',
  lastError: 'text',
});

/** States in which something is still to be done or awaited, as SQL. */
export const OPEN_STATES = `('waiting', 'sent', 'failed', 'overdue')`;

/** States of people who are employed, as SQL. */
export const EMPLOYED_STATES = `('employed', 'on leave', 'leaving')`;

/**
 * Builds the condition, as SQL, that a person is back since the episode of `table`: the start of a later one has fallen
 * due. A return that is only announced ends no former episode. `employees` is the person's row.
 */
export function isFormerEpisode(table: 'deliveries' | 'events'): string {
  return `(
    employees.episode > ${table}.episode
    and (
      employees.lifecycle_state in ${EMPLOYED_STATES}
      or exists (
        select from personio.lifecycle_events as started
        where started.connection_id = ${table}.connection_id
          and started.employee_id = ${table}.employee_id
          and started.episode > ${table}.episode
          and started.kind = 'joiner.started'
          and started.state = 'due'
      )
    )
  )`;
}

const NEW_FIELDS = [
  'deliveryId',
  'eventId',
  'connectionId',
  'employeeId',
  'episode',
  'subscriber',
  'purpose',
  'state',
  'dueAt',
  'late',
] as const satisfies readonly (keyof StoredDelivery)[];

/** Columns of a delivery that is inserted. */
export const NEW_DELIVERY_COLUMNS = DELIVERY_COLUMNS.list(NEW_FIELDS);

/** Set of deliveries to insert, as SQL: `$1` is the JSON of what `toDeliveryRow` returns. */
export const NEW_DELIVERIES = `jsonb_to_recordset($1::jsonb) as planned (${DELIVERY_COLUMNS.define(NEW_FIELDS)})`;

/** Returns the row of a delivery that is planned for an event. */
export function toDeliveryRow(
  delivery: PlannedDelivery,
  { connectionId, employeeId, episode }: Pick<StoredEvent, 'connectionId' | 'employeeId' | 'episode'>,
): Readonly<Record<string, unknown>> {
  return DELIVERY_COLUMNS.toRow({ ...delivery, connectionId, employeeId, episode, state: 'waiting' }, NEW_FIELDS);
}
