import type { EmployeesCommitRequest } from '../contracts/activities.js';
import { brakeSentence, groupSentence, judge, rejectedSentence, undecidedSentence } from '../domain/brake.js';
import type { BrakeGroup, BrakeVerdict } from '../domain/brake.js';
import { BRAKE_CLASSES } from '../domain/policy.js';
import type { BrakeClass, Policy } from '../domain/policy.js';
import type { Transaction } from './database.js';

/** What the brake did to the people of `decided`. */
export interface Braking {
  /** One a class, whether over its limit or not. */
  readonly limits: readonly BrakeVerdict[];
  /** Why people are held, a sentence each; empty where nobody is. */
  readonly why: readonly string[];
  /** People whom somebody has to decide on. */
  readonly asked: number;
  /** People who are held because somebody rejected them. */
  readonly rejected: number;
}

export const NO_BRAKING: Braking = { limits: [], why: [], asked: 0, rejected: 0 };

/**
 * Marks in `decided` who is held: the people of a class over its limit, those of a group that is missing whole, and those on whom nobody
 * has decided yet, or against whom somebody has. Who was approved passes and no longer counts.
 */
export async function brake(
  transaction: Transaction,
  request: EmployeesCommitRequest,
  policy: Policy,
): Promise<Braking> {
  await askWhatIsAsked(transaction);
  await recallDecisions(transaction, request.connectionId);
  const limits = await judgeClasses(transaction, request.connectionId, policy);
  const over = limits.filter((verdict) => verdict.isOver);
  await transaction.run(
    `update decided set is_held = true
     where brake_class is not null and (standing in ('asked', 'rejected') or (standing is null and brake_class = any($1)))`,
    [over.map((verdict) => verdict.class)],
  );
  const groups = await holdWholeGroups(transaction, request.connectionId);
  return { limits, ...(await reasons(transaction, over, groups)) };
}

/** The question about a person: the ids of the events that count in the gravest class. */
async function askWhatIsAsked(transaction: Transaction): Promise<void> {
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
async function recallDecisions(transaction: Transaction, connectionId: string): Promise<void> {
  await transaction.run(
    `with approved as (
       select distinct p.event_id from personio.lifecycle_proposals p join personio.connection_state s using (connection_id)
       where p.connection_id = $1 and p.decision = 'approved' and p.decided_at > coalesce(s.employees_committed_at, '-infinity')
     ), passed as (
       select d.employee_id from decided d cross join unnest(d.question) as asked (event_id) left join approved a using (event_id)
       group by 1 having count(*) = count(a.event_id)
     ) update decided d set standing = 'approved' from passed p where p.employee_id = d.employee_id`,
    [connectionId],
  );
  await transaction.run(
    `update decided d set standing = h.decision from personio.held_people h
     where h.connection_id = $1 and h.employee_id = d.employee_id and d.standing is null and d.question <@ h.event_ids`,
    [connectionId],
  );
}

async function judgeClasses(
  transaction: Transaction,
  connectionId: string,
  policy: Policy,
): Promise<readonly BrakeVerdict[]> {
  const [active] = await transaction.rows<{ active: number }>(
    `select count(*) as active from personio.employees
     where connection_id = $1 and lifecycle_state in ('employed', 'on leave', 'leaving') and deleted_at is null`,
    [connectionId],
  );
  const run = await countsOf(
    transaction,
    // Whoever passed as missing is not counted again as deleted.
    `select d.brake_class as class, count(*) as people from decided d
     left join personio.employees e on e.connection_id = $1 and e.employee_id = d.employee_id
     where d.brake_class is not null and (d.standing is null or d.standing = 'asked')
       and not (d.brake_class = 'missing' and e.missing_since is not null) group by 1`,
    [connectionId],
  );
  const lastDay = await countsOf(
    transaction,
    `select counted.key as class, sum(counted.value::int) as people
     from personio.sync_runs r cross join jsonb_each_text(r.detail -> 'changed') counted
     where r.connection_id = $1 and r.endpoint = 'employees' and r.finished_at > clock_timestamp() - interval '24 hours' group by 1`,
    [connectionId],
  );
  return judge({ run, lastDay, active: active?.active ?? 0 }, policy.lifecycle.brake);
}

/** @returns people a class who were committed by this run and count for the rolling day: nobody approved them one by one. */
export async function changedPeople(transaction: Transaction): Promise<Readonly<Record<BrakeClass, number>>> {
  return countsOf(
    transaction,
    `select d.brake_class as class, count(*) as people from decided d join changed using (employee_id)
     where d.brake_class is not null and d.standing is null and not d.is_held and not d.is_deleted group by 1`,
    [],
  );
}

async function countsOf(
  transaction: Transaction,
  sql: string,
  values: readonly unknown[],
): Promise<Readonly<Record<BrakeClass, number>>> {
  const rows = await transaction.rows<{ class: string; people: string | number }>(sql, values);
  const people = (name: BrakeClass): number => Number(rows.find((row) => row.class === name)?.people ?? 0);
  return {
    leavers: people('leavers'),
    missing: people('missing'),
    joiners: people('joiners'),
    movers: people('movers'),
  };
}

interface WholeGroup {
  readonly kind: BrakeGroup;
  readonly name: string;
  readonly people: number;
}

/** Everyone of an office, department or legal entity, or all the inactive, missing at once: two people are enough. */
async function holdWholeGroups(transaction: Transaction, connectionId: string): Promise<readonly WholeGroup[]> {
  const isAnybodyMissing = `exists (select from decided where brake_class = 'missing' and standing is distinct from 'approved')`;
  const [missing] = await transaction.rows<{ any: boolean }>(`select ${isAnybodyMissing} as any`);
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
     where d.employee_id = any(g.people) and d.brake_class = 'missing' and d.standing is distinct from 'approved'`,
  );
  return transaction.rows<WholeGroup>(
    `select g.kind, case g.kind when 'department' then (
         select coalesce(min(e.department), g.name) from personio.employees e where e.connection_id = $1 and e.employee_id = any(g.people))
       else g.name end as name, cardinality(g.people) as people
     from whole_groups g
     where exists (select from decided d where d.employee_id = any(g.people) and d.is_held and d.standing is distinct from 'rejected')
     order by 1, 2`,
    [connectionId],
  );
}

async function reasons(
  transaction: Transaction,
  over: readonly BrakeVerdict[],
  groups: readonly WholeGroup[],
): Promise<Omit<Braking, 'limits'>> {
  const rows = await transaction.rows<{ class: BrakeClass; asked: number; rejected: number }>(
    `select brake_class as class, count(*) filter (where standing is distinct from 'rejected') as asked,
       count(*) filter (where standing = 'rejected') as rejected
     from decided where is_held group by 1`,
  );
  const rejected = rows.reduce((sum, row) => sum + row.rejected, 0);
  const why = BRAKE_CLASSES.flatMap((name) => {
    const asked = rows.find((row) => row.class === name)?.asked ?? 0;
    const verdict = over.find((candidate) => candidate.class === name);
    if (asked === 0) return [];
    if (verdict !== undefined) return [brakeSentence(verdict)];
    return name === 'missing' && groups.length > 0 ? [] : [undecidedSentence(name, asked)];
  });
  return {
    ...{ asked: rows.reduce((sum, row) => sum + row.asked, 0), rejected },
    why: [
      ...why,
      ...groups.map(({ kind, name, people }) => groupSentence(kind, name, people)),
      ...(rejected === 0 ? [] : [rejectedSentence(rejected)]),
    ],
  };
}
