import type { EmployeesCommitRequest } from '../../contracts/internal/activities.js';
import type { Transaction } from '../database.js';

/** Days between the leaving under one id and the joining under another, either of which may come first. */
const RELATED_WITHIN_DAYS = 31;

const LEAVER_KINDS = `('leaver.announced', 'leaver.left', 'leaver.deleted')`;
const JOINER_KINDS = `('joiner.announced', 'joiner.rehired', 'joiner.started')`;

const RELATE_EVENTS = `
  with new_people as (
    select distinct employee_id
    from new_events
    where kind in ${LEAVER_KINDS}
      or kind in ${JOINER_KINDS}
  ),
  addresses as (
    select distinct new_people.employee_id, lower(history.email) as address
    from new_people
    join personio.employee_history as history
      on history.connection_id = $1
      and history.employee_id = new_people.employee_id
      and history.employee_id = any(array(select employee_id from new_people))
    where history.email is not null
  ),
  namesakes as (
    select distinct addresses.employee_id, history.employee_id as other_id
    from addresses
    join personio.employee_history as history
      on history.connection_id = $1
      and lower(history.email) = addresses.address
      and lower(history.email) = any(array(select address from addresses))
      and history.employee_id <> addresses.employee_id
  ),
  pairs_of_events as (
    select
      own.event_id,
      own.employee_id,
      other.event_id as other_event_id,
      other.employee_id as other_id,
      abs(own.effective_date - other.effective_date) as days
    from namesakes
    join personio.lifecycle_events as own
      on own.connection_id = $1
      and own.employee_id = namesakes.employee_id
      and own.employee_id = any(array(select employee_id from namesakes))
      and own.state <> 'superseded'
    join personio.lifecycle_events as other
      on other.connection_id = $1
      and other.employee_id = namesakes.other_id
      and other.employee_id = any(array(select other_id from namesakes))
      and other.state <> 'superseded'
    where (
        (own.kind in ${LEAVER_KINDS} and other.kind in ${JOINER_KINDS})
        or (own.kind in ${JOINER_KINDS} and other.kind in ${LEAVER_KINDS})
      )
      and abs(own.effective_date - other.effective_date) <= $2
  ),
  nearest as (
    select distinct on (event_id) event_id, related_id
    from (
      select event_id, other_id as related_id, days from pairs_of_events
      union all
      select other_event_id, employee_id, days from pairs_of_events
    ) as both_sides
    order by event_id, days, related_id
  )
  select personio.relate_events($1, array_agg(event_id), array_agg(related_id))
  from nearest
  having count(*) > 0`;

/**
 * Names the other id on the events of a person who leaves under one id and joins under another with the same e-mail
 * address, as a contractor who becomes an employee. A subscriber that goes by address would close a live account. The
 * address is looked up in the history too, since Personio lets only one employee have it.
 *
 * Reads the temporary table `new_events`. Of several, the one whose date is nearest is named.
 */
export async function relateEvents(transaction: Transaction, { connectionId }: EmployeesCommitRequest): Promise<void> {
  await transaction.run(RELATE_EVENTS, [connectionId, RELATED_WITHIN_DAYS]);
}
