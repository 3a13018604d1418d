import type { CommitRequest, RunRef } from '../../contracts/internal/activities.js';
import type { Queries, Transaction } from '../database.js';
import { isStaged, toStagingTable } from '../staging.js';
import { listColumns } from './tables.js';
import type { CollectionTable } from './tables.js';

/**
 * Rows that a chunk did not bring. One read is no proof that they are gone: a period may have moved to a day that had
 * been read already, and an offset behind a cursor of v2 skips a row for each one that is deleted. They wait in the
 * run's staging table, under this number instead of an attempt's, until a read of their people misses them too.
 */
const VANISHED = 0;

/** Number of the rows that an attempt has claimed. The attempt's negative number marks employees who are gone. */
const toClaim = (attempt: number): number => -1_000_000 - attempt;

/** People whose rows one confirming read asks for: as many as fit into the URL. */
const PEOPLE_PER_READ = 50;

/**
 * Assigns the next vanished rows to a confirming read: of some people, or all of a collection that is read as a whole.
 * They carry a number of the attempt's own from then on, so that its commit confirms what was asked for, even when it
 * is repeated. What an attempt without a commit had claimed waits again.
 */
export async function claimVanished(queries: Queries, run: RunRef & { readonly attempt: number }): Promise<void> {
  if (!(await isStaged(queries, run))) return;
  const staging = toStagingTable(run);
  await queries.run(`update ${staging} set reading = ${VANISHED} where reading < ${VANISHED}`);
  const isPortion =
    run.endpoint === 'attendances'
      ? `and (
           employee_id is null
           or employee_id in (
             select distinct employee_id
             from ${staging}
             where reading = ${VANISHED}
               and employee_id is not null
             order by employee_id
             limit ${PEOPLE_PER_READ}
           )
         )`
      : '';
  await queries.run(`update ${staging} set reading = $1 where reading = ${VANISHED} ${isPortion}`, [
    toClaim(run.attempt),
  ]);
}

/** Lists the people of a confirming read. Empty for collections that are read as a whole. */
export async function listVanishedPeople(
  queries: Queries,
  run: RunRef & { readonly attempt: number },
): Promise<readonly string[]> {
  if (run.endpoint !== 'attendances' || !(await isStaged(queries, run))) return [];
  const rows = await queries.query<{ employee_id: string }>(
    `select distinct employee_id
     from ${toStagingTable(run)}
     where reading = $1
       and employee_id is not null
     order by employee_id`,
    [toClaim(run.attempt)],
  );
  return rows.map((row) => row.employee_id);
}

/** Notes the rows of a scope as vanished. Repeated, it changes nothing. */
export async function noteVanished(
  transaction: Transaction,
  request: CommitRequest,
  { table, key, scope }: Pick<CollectionTable, 'table' | 'key'> & { readonly scope: string },
): Promise<void> {
  const staging = toStagingTable(request);
  const chunk = request.chunk?.from ?? null;
  const people = request.endpoint === 'attendances' ? ['employee_id'] : [];
  await transaction.run(
    `delete from ${staging}
     where reading = ${VANISHED}
       and chunk is not distinct from $1`,
    [chunk],
  );
  await transaction.run(
    `insert into ${staging} (reading, chunk, ${['record_id', ...people].join(', ')})
     select ${VANISHED}, $2::date, ${listColumns('stored', [key, ...people])}
     from ${table} as stored
     where ${scope}`,
    [request.connectionId, chunk],
  );
}

/** Forgets vanished rows that a later chunk brought. */
export async function forgetBrought(transaction: Transaction, request: CommitRequest, key: string): Promise<void> {
  await transaction.run(
    `delete from ${toStagingTable(request)} as vanished
     where reading <= ${VANISHED}
       and exists (select from snapshot where snapshot.${key} = vanished.record_id)`,
  );
}

/** Moves the rows that a confirming read is about from staging into the temporary table `vanished`. */
export async function takeVanished(transaction: Transaction, request: CommitRequest): Promise<void> {
  const staging = toStagingTable(request);
  await transaction.run(
    `create temp table vanished on commit drop as
     select distinct record_id
     from ${staging}
     where reading = $1`,
    [toClaim(request.attempt)],
  );
  await transaction.run(`delete from ${staging} where reading = $1`, [toClaim(request.attempt)]);
  await transaction.run('analyze vanished');
}

export async function countVanished(queries: Queries, run: RunRef): Promise<number> {
  const [row] = await queries.query<{ vanished: number }>(
    `select count(distinct record_id) as vanished
     from ${toStagingTable(run)}
     where reading <= ${VANISHED}`,
  );
  return row?.vanished ?? 0;
}
