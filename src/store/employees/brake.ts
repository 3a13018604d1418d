import type { EmployeesCommitRequest } from '../../contracts/internal/activities.js';
import {
  checkBrake,
  describeBrake,
  describeMissingGroup,
  describeRejected,
  describeUndecided,
} from '../../domain/brake.js';
import type { BrakeCheck, BrakeGroup } from '../../domain/brake.js';
import { BRAKE_CLASSES } from '../../domain/policy.js';
import type { BrakeClass, Policy } from '../../domain/policy.js';
import type { Transaction } from '../database.js';

/** Result of the brake for the people in `decided`. */
export interface BrakeOutcome {
  /** One check per class, whether over its limit or not. */
  readonly limits: readonly BrakeCheck[];
  /** Reasons why people are held, one sentence each; empty where nobody is. */
  readonly why: readonly string[];
  /** Number of people who wait for an approval or rejection. */
  readonly asked: number;
  /** Number of people who are held because their change was rejected. */
  readonly rejected: number;
}

export const NOT_BRAKED: BrakeOutcome = { limits: [], why: [], asked: 0, rejected: 0 };

/**
 * Marks in `decided` who is held: people of a class that is over its limit, of a group that is missing completely, and
 * people whose question has no verdict yet or was rejected. People who were approved pass and no longer count.
 */
export async function brake(
  transaction: Transaction,
  request: EmployeesCommitRequest,
  policy: Policy,
): Promise<BrakeOutcome> {
  await setQuestions(transaction);
  await recallVerdicts(transaction, request.connectionId);
  const limits = await checkClasses(transaction, request.connectionId, policy);
  const over = limits.filter((check) => check.isOver);
  await transaction.run(
    `update decided
     set is_held = true
     where brake_class is not null
       and (
         verdict in ('asked', 'rejected')
         or (verdict is null and brake_class = any($1))
       )`,
    [over.map((check) => check.class)],
  );
  const groups = await holdWholeGroups(transaction, request.connectionId);
  return { limits, ...(await summarizeHeld(transaction, over, groups)) };
}

/** Sets each person's question: the ids of the events that count in the gravest class. */
async function setQuestions(transaction: Transaction): Promise<void> {
  await transaction.run(
    `update decided
     set question = questions.event_ids
     from (
       select
         decided_events.employee_id,
         array_agg(decided_events.event_id order by decided_events.ord) as event_ids
       from decided_events
       join decided using (employee_id)
       where case decided.brake_class
         when 'leavers' then decided_events.class = 'leaver'
         when 'missing' then decided_events.kind = 'leaver.deleted'
         when 'joiners' then decided_events.class = 'joiner'
         when 'withdrawals' then decided_events.kind = 'leaver.rescinded'
         when 'movers' then decided_events.class = 'mover'
       end
       group by decided_events.employee_id
     ) as questions
     where decided.employee_id = questions.employee_id`,
  );
}

/**
 * Recalls the verdict on the very same question. An approval holds for the first complete read that is committed
 * after it.
 */
async function recallVerdicts(transaction: Transaction, connectionId: string): Promise<void> {
  await transaction.run(
    `with approved as (
       select distinct holds.event_id
       from personio.lifecycle_proposals as holds
       join personio.connection_state as state using (connection_id)
       where holds.connection_id = $1
         and holds.decision = 'approved'
         and holds.decided_at > coalesce(state.employees_committed_at, '-infinity')
     ),
     passed as (
       select decided.employee_id
       from decided
       cross join unnest(decided.question) as asked (event_id)
       left join approved using (event_id)
       group by decided.employee_id
       having count(*) = count(approved.event_id)
     )
     update decided
     set verdict = 'approved'
     from passed
     where passed.employee_id = decided.employee_id`,
    [connectionId],
  );
  await transaction.run(
    `update decided
     set verdict = held_people.decision
     from personio.held_people as held_people
     where held_people.connection_id = $1
       and held_people.employee_id = decided.employee_id
       and decided.verdict is null
       and decided.question <@ held_people.event_ids`,
    [connectionId],
  );
}

async function checkClasses(
  transaction: Transaction,
  connectionId: string,
  policy: Policy,
): Promise<readonly BrakeCheck[]> {
  const [of] = await transaction.query<{ active: number; plannedLeavings: number }>(
    `select
       (
         select count(*)
         from personio.employees
         where connection_id = $1
           and lifecycle_state in ('employed', 'on leave', 'leaving')
           and deleted_at is null
       ) as active,
       (
         select count(distinct employee_id)
         from personio.lifecycle_events
         where connection_id = $1
           and state = 'planned'
           and kind = 'leaver.left'
       ) as "plannedLeavings"`,
    [connectionId],
  );
  // People who passed as missing do not count again as deleted.
  const run = await countByClass(
    transaction,
    `select decided.brake_class as class, count(*) as people
     from decided
     left join personio.employees as stored
       on stored.connection_id = $1
       and stored.employee_id = decided.employee_id
     where decided.brake_class is not null
       and (decided.verdict is null or decided.verdict = 'asked')
       and not (decided.brake_class = 'missing' and stored.missing_since is not null)
     group by decided.brake_class`,
    [connectionId],
  );
  const lastDay = await countByClass(
    transaction,
    `select changed.key as class, sum(changed.value::int) as people
     from personio.sync_runs as runs
     cross join jsonb_each_text(runs.detail -> 'changed') as changed
     where runs.connection_id = $1
       and runs.endpoint = 'employees'
       and runs.finished_at > statement_timestamp() - interval '24 hours'
     group by changed.key`,
    [connectionId],
  );
  return checkBrake({ run, lastDay, ...(of ?? { active: 0, plannedLeavings: 0 }) }, policy.lifecycle.brake);
}

/**
 * Counts, by class, the people that this run committed and that count for the rolling day: all but those who were
 * approved one by one.
 */
export async function countChangedPeople(transaction: Transaction): Promise<Readonly<Record<BrakeClass, number>>> {
  return countByClass(
    transaction,
    `select decided.brake_class as class, count(*) as people
     from decided
     join changed using (employee_id)
     where decided.brake_class is not null
       and decided.verdict is null
       and not decided.is_held
       and not decided.is_deleted
     group by decided.brake_class`,
    [],
  );
}

async function countByClass(
  transaction: Transaction,
  sql: string,
  values: readonly unknown[],
): Promise<Readonly<Record<BrakeClass, number>>> {
  const rows = await transaction.query<{ class: string; people: string | number }>(sql, values);
  const countPeople = (name: BrakeClass): number => Number(rows.find((row) => row.class === name)?.people ?? 0);
  return {
    leavers: countPeople('leavers'),
    missing: countPeople('missing'),
    joiners: countPeople('joiners'),
    withdrawals: countPeople('withdrawals'),
    movers: countPeople('movers'),
  };
}

interface WholeGroup {
  readonly kind: BrakeGroup;
  readonly name: string;
  readonly people: number;
}

/**
 * Holds groups that are missing completely: everyone of an office, department or legal entity, or all inactive
 * people.
 */
async function holdWholeGroups(transaction: Transaction, connectionId: string): Promise<readonly WholeGroup[]> {
  const [missing] = await transaction.query<{ any: boolean }>(
    `select exists (
       select from decided
       where brake_class = 'missing'
         and verdict is distinct from 'approved'
     ) as any`,
  );
  if (missing?.any !== true) return [];
  await selectWholeGroups(transaction, connectionId);
  await transaction.run(
    `update decided
     set is_held = true
     from whole_groups
     where decided.employee_id = any(whole_groups.people)
       and decided.brake_class = 'missing'
       and decided.verdict is distinct from 'approved'`,
  );
  // Departments are grouped by their id where there is one, and shown by their name.
  return transaction.query<WholeGroup>(
    `select
       whole_groups.kind,
       case whole_groups.kind
         when 'department' then (
           select coalesce(min(stored.department), whole_groups.name)
           from personio.employees as stored
           where stored.connection_id = $1
             and stored.employee_id = any(whole_groups.people)
         )
         else whole_groups.name
       end as name,
       cardinality(whole_groups.people) as people
     from whole_groups
     where exists (
       select from decided
       where decided.employee_id = any(whole_groups.people)
         and decided.is_held
         and decided.verdict is distinct from 'rejected'
     )
     order by 1, 2`,
    [connectionId],
  );
}

/** Leaves the temporary table `whole_groups`. Two people are enough for a group. */
async function selectWholeGroups(transaction: Transaction, connectionId: string): Promise<void> {
  await transaction.run(
    `create temp table whole_groups on commit drop as
     with members as (
       select groups.kind, groups.name, stored.employee_id
       from personio.employees as stored
       cross join lateral (
         values
           ('office', stored.office),
           ('department', coalesce(stored.department_id, stored.department)),
           ('legal entity', stored.subcompany),
           ('inactive', case when stored.status = 'inactive' then '' end)
       ) as groups (kind, name)
       where stored.connection_id = $1
         and stored.deleted_at is null
         and groups.name is not null
     )
     select members.kind, members.name, array_agg(members.employee_id) as people
     from members
     left join decided using (employee_id)
     group by members.kind, members.name
     having count(*) > 1
       and count(*) filter (where decided.brake_class = 'missing') = count(*)`,
    [connectionId],
  );
}

async function summarizeHeld(
  transaction: Transaction,
  over: readonly BrakeCheck[],
  groups: readonly WholeGroup[],
): Promise<Omit<BrakeOutcome, 'limits'>> {
  const rows = await transaction.query<{ class: BrakeClass; asked: number; rejected: number }>(
    `select
       brake_class as class,
       count(*) filter (where verdict is distinct from 'rejected') as asked,
       count(*) filter (where verdict = 'rejected') as rejected
     from decided
     where is_held
     group by brake_class`,
  );
  const rejected = rows.reduce((sum, row) => sum + row.rejected, 0);
  const why = BRAKE_CLASSES.flatMap((name) => {
    const asked = rows.find((row) => row.class === name)?.asked ?? 0;
    const check = over.find((candidate) => candidate.class === name);
    if (asked === 0) return [];
    if (check !== undefined) return [describeBrake(check)];
    return name === 'missing' && groups.length > 0 ? [] : [describeUndecided(name, asked)];
  });
  return {
    asked: rows.reduce((sum, row) => sum + row.asked, 0),
    rejected,
    why: [
      ...why,
      ...groups.map(({ kind, name, people }) => describeMissingGroup(kind, name, people)),
      ...(rejected === 0 ? [] : [describeRejected(rejected)]),
    ],
  };
}
