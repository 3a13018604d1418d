import type { Transaction } from '../database.js';

/**
 * Condition, as SQL, that a planned leaving waits until its withdrawal is approved or rejected: an operator is asked
 * about it. `events` is the event's row.
 */
export const IS_ON_HOLD = `(
  events.kind = 'leaver.left'
  and events.state = 'planned'
  and exists (
    select from personio.held_people as held
    where held.connection_id = events.connection_id
      and held.employee_id = events.employee_id
      and held.brake_class = 'withdrawals'
      and held.decision = 'asked'
  )
)`;

/** Makes the planned leavings of these people undispatched, so that their workflows look at once. */
export async function redispatchLeavings(
  transaction: Transaction,
  connectionId: string,
  employeeIds: readonly string[],
): Promise<void> {
  if (employeeIds.length === 0) return;
  await transaction.run(
    `update personio.lifecycle_events
     set handed_over_to = null
     where connection_id = $1
       and employee_id = any($2)
       and state = 'planned'
       and kind = 'leaver.left'`,
    [connectionId, employeeIds],
  );
}
