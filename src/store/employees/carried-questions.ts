import type { EmployeesCommitRequest } from '../../contracts/internal/activities.js';
import type { Transaction } from '../database.js';
import { EVENT_COLUMNS } from '../events/columns.js';
import { HOLD_FIELDS } from './holds.js';

/** Numbers of people whose open questions a read neither answers nor withdraws, since they are left out of it. */
export interface CarriedQuestions {
  /** People who still wait for an approval or rejection. */
  readonly asked: number;
  /** People who were approved. The next complete read commits their changes. */
  readonly approved: number;
}

/**
 * Selects the open questions about the people in `left_out`. Call it before the mark of this read ends the approvals.
 *
 * Leaves the temporary table `carried`.
 */
export async function selectCarried(transaction: Transaction, connectionId: string): Promise<CarriedQuestions> {
  await transaction.run(
    `create temp table carried (
       employee_id text primary key,
       run_id text,
       event_ids text[],
       is_approved boolean
     ) on commit drop`,
  );
  await transaction.run(
    `insert into carried
     select
       held_people.employee_id,
       held_people.run_id,
       held_people.event_ids,
       not exists (
         select from unnest(held_people.event_ids) as asked (event_id)
         where not exists (
           select from personio.lifecycle_proposals as holds
           where holds.event_id = asked.event_id
             and holds.connection_id = $1
             and holds.decision = 'approved'
             and holds.decided_at > coalesce(state.employees_committed_at, '-infinity')
         )
       )
     from left_out
     join personio.held_people as held_people
       on held_people.connection_id = $1
       and held_people.employee_id = left_out.employee_id
     left join personio.connection_state as state using (connection_id)
     where held_people.decision = 'asked'`,
    [connectionId],
  );
  const [row] = await transaction.query<CarriedQuestions>(
    `select
       count(*) filter (where not is_approved) as asked,
       count(*) filter (where is_approved) as approved
     from carried`,
  );
  return row ?? { asked: 0, approved: 0 };
}

/**
 * Keeps the questions in `carried` open: this run asks them from now on, since it replaces the run that asked, and
 * approvals hold for one more complete read. Call it after the mark of this read, and before its questions replace
 * those of older runs.
 */
export async function carryQuestions(
  transaction: Transaction,
  { connectionId, runId }: EmployeesCommitRequest,
): Promise<void> {
  const columns = ['connection_id', 'detected_at', 'is_held', EVENT_COLUMNS.list(HOLD_FIELDS)].join(', ');
  await transaction.run(
    `insert into personio.lifecycle_proposals (run_id, decision, ${columns})
     select $2, 'asked', ${columns}
     from personio.lifecycle_proposals as holds
     where holds.connection_id = $1
       and holds.decision in ('asked', 'approved')
       and (holds.run_id, holds.employee_id) in (
         select run_id, employee_id
         from carried
         where not is_approved
       )
     on conflict do nothing`,
    [connectionId, runId],
  );
  await transaction.run(
    `update personio.held_people as held_people
     set run_id = $2
     from carried
     where held_people.connection_id = $1
       and held_people.employee_id = carried.employee_id
       and not carried.is_approved`,
    [connectionId, runId],
  );
  await transaction.run(
    `update personio.lifecycle_proposals as holds
     set decided_at = clock_timestamp()
     where holds.connection_id = $1
       and holds.decision = 'approved'
       and holds.event_id in (
         select unnest(event_ids)
         from carried
         where is_approved
       )`,
    [connectionId],
  );
}
