import type { EmployeesCommitRequest } from '../../contracts/internal/activities.js';
import {
  describeBrake,
  describeMissingGroup,
  checkBrake,
  describeRejected,
  describeUndecided,
} from '../../domain/brake.js';
import type { BrakeGroup, BrakeCheck } from '../../domain/brake.js';
import { BRAKE_CLASSES } from '../../domain/policy.js';
import type { BrakeClass, Policy } from '../../domain/policy.js';
import type { Transaction } from '../database.js';

/** What the brake did to the people of `decided`. */
export interface BrakeOutcome {
  /** One a class, whether over its limit or not. */
  readonly limits: readonly BrakeCheck[];
  /** Why people are held, a sentence each; empty where nobody is. */
  readonly why: readonly string[];
  /** People whom somebody has to decide on. */
  readonly asked: number;
  /** People who are held because somebody rejected them. */
  readonly rejected: number;
}

export const NOT_BRAKED: BrakeOutcome = { limits: [], why: [], asked: 0, rejected: 0 };

/**
 * Marks in `decided` who is held: the people of a class over its limit, those of a group that is missing whole, and those on whom nobody
 * has decided yet, or against whom somebody has. Who was approved passes and no longer counts.
 */
export async function brake(
  transaction: Transaction,
  request: EmployeesCommitRequest,
  policy: Policy,
): Promise<BrakeOutcome> {
  await setQuestions(transaction);
  await recallVerdicts(transaction, request.connectionId);
  const limits = await judgeClasses(transaction, request.connectionId, policy);
  const over = limits.filter((verdict) => verdict.isOver);
  await transaction.run(
    `update decided set is_held = true
     where brake_class is not null and (verdict in ('asked', 'rejected') or (verdict is null and brake_class = any($1)))`,
    [over.map((verdict) => verdict.class)],
  );
  const groups = await holdWholeGroups(transaction, request.connectionId);
  return { limits, ...(await summarizeHeld(transaction, over, groups)) };
}

/** The question about a person: the ids of the events that count in the gravest class. */
async function setQuestions(transaction: Transaction): Promise<void> {
  await transaction.run(
    `update decided d set question = q.ids from (
       select v.employee_id, array_agg(v.event_id order by v.ord) as ids
       from decided_events v join decided c using (employee_id)
       where case c.brake_class when 'leavers' then v.class = 'leaver' when 'missing' then v.kind = 'leaver.deleted'
         when 'joiners' then v.class = 'joiner' when 'movers' then v.class = 'mover' end
       group by 1) q
     where d.employee_id = q.employee_id`,
  );
}

/** What somebody has said to the very same question. An approval holds for the first complete read that is committed after it. */
async function recallVerdicts(transaction: Transaction, connectionId: string): Promise<void> {
  await transaction.run(
    `with approved as (
       select distinct p.event_id from personio.lifecycle_proposals p join personio.connection_state s using (connection_id)
       where p.connection_id = $1 and p.decision = 'approved' and p.decided_at > coalesce(s.employees_committed_at, '-infinity')
     ), passed as (
       select d.employee_id from decided d cross join unnest(d.question) as asked (event_id) left join approved a using (event_id)
       group by 1 having count(*) = count(a.event_id)
     ) update decided d set verdict = 'approved' from passed p where p.employee_id = d.employee_id`,
    [connectionId],
  );
  await transaction.run(
    `update decided d set verdict = h.decision from personio.held_people h
     where h.connection_id = $1 and h.employee_id = d.employee_id and d.verdict is null and d.question <@ h.event_ids`,
    [connectionId],
  );
}

async function judgeClasses(
  transaction: Transaction,
  connectionId: string,
  policy: Policy,
): Promise<readonly BrakeCheck[]> {
  const [active] = await transaction.query<{ active: number }>(
    `select count(*) as active from personio.employees
     where connection_id = $1 and lifecycle_state in ('employed', 'on leave', 'leaving') and deleted_at is null`,
    [connectionId],
  );
  const run = await countByClass(
    transaction,
    // Whoever passed as missing is not counted again as deleted.
    `select d.brake_class as class, count(*) as people from decided d
     left join personio.employees e on e.connection_id = $1 and e.employee_id = d.employee_id
     where d.brake_class is not null and (d.verdict is null or d.verdict = 'asked')
       and not (d.brake_class = 'missing' and e.missing_since is not null) group by 1`,
    [connectionId],
  );
  const lastDay = await countByClass(
    transaction,
    `select counted.key as class, sum(counted.value::int) as people
     from personio.sync_runs r cross join jsonb_each_text(r.detail -> 'changed') counted
     where r.connection_id = $1 and r.endpoint = 'employees' and r.finished_at > clock_timestamp() - interval '24 hours' group by 1`,
    [connectionId],
  );
  return checkBrake({ run, lastDay, active: active?.active ?? 0 }, policy.lifecycle.brake);
}

/** @returns people a class who were committed by this run and count for the rolling day: nobody approved them one by one. */
export async function countChangedPeople(transaction: Transaction): Promise<Readonly<Record<BrakeClass, number>>> {
  return countByClass(
    transaction,
    `select d.brake_class as class, count(*) as people from decided d join changed using (employee_id)
     where d.brake_class is not null and d.verdict is null and not d.is_held and not d.is_deleted group by 1`,
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
    movers: countPeople('movers'),
  };
}

interface WholeGroup {
  readonly kind: BrakeGroup;
  readonly name: string;
  readonly people: number;
}

/** Everyone of an office, department or legal entity, or all the inactive, missing at once: two people are enough. */
async function holdWholeGroups(transaction: Transaction, connectionId: string): Promise<readonly WholeGroup[]> {
  const missingCondition = `exists (select from decided where brake_class = 'missing' and verdict is distinct from 'approved')`;
  const [missing] = await transaction.query<{ any: boolean }>(`select ${missingCondition} as any`);
  if (missing?.any !== true) return [];
  await transaction.run(
    `create temp table whole_groups on commit drop as
     with members as (
       select g.kind, g.name, e.employee_id from personio.employees e
       cross join lateral (values ('office', e.office), ('department', coalesce(e.department_id, e.department)), ('legal entity', e.subcompany),
         ('inactive', case when e.status = 'inactive' then '' end)) as g (kind, name)
       where e.connection_id = $1 and e.deleted_at is null and g.name is not null)
     select kind, name, array_agg(employee_id) as people from members left join decided d using (employee_id)
     group by 1, 2 having count(*) > 1 and count(*) filter (where d.brake_class = 'missing') = count(*)`,
    [connectionId],
  );
  await transaction.run(
    `update decided d set is_held = true from whole_groups g
     where d.employee_id = any(g.people) and d.brake_class = 'missing' and d.verdict is distinct from 'approved'`,
  );
  return transaction.query<WholeGroup>(
    `select g.kind, case g.kind when 'department' then (
         select coalesce(min(e.department), g.name) from personio.employees e where e.connection_id = $1 and e.employee_id = any(g.people))
       else g.name end as name, cardinality(g.people) as people
     from whole_groups g
     where exists (select from decided d where d.employee_id = any(g.people) and d.is_held and d.verdict is distinct from 'rejected')
     order by 1, 2`,
    [connectionId],
  );
}

async function summarizeHeld(
  transaction: Transaction,
  over: readonly BrakeCheck[],
  groups: readonly WholeGroup[],
): Promise<Omit<BrakeOutcome, 'limits'>> {
  const rows = await transaction.query<{ class: BrakeClass; asked: number; rejected: number }>(
    `select brake_class as class, count(*) filter (where verdict is distinct from 'rejected') as asked,
       count(*) filter (where verdict = 'rejected') as rejected
     from decided where is_held group by 1`,
  );
  const rejected = rows.reduce((sum, row) => sum + row.rejected, 0);
  const why = BRAKE_CLASSES.flatMap((name) => {
    const asked = rows.find((row) => row.class === name)?.asked ?? 0;
    const verdict = over.find((candidate) => candidate.class === name);
    if (asked === 0) return [];
    if (verdict !== undefined) return [describeBrake(verdict)];
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
