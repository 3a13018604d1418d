import type { RunRef } from '../contracts/internal/activities.js';
import type { EmployeeRecord } from '../domain/records.js';
import type { Database, Queries } from './database.js';
import { recordGone, stageRecords, toStagingTable } from './staging.js';

/** Share of a read that may be missing from the list and served by id, and the number that is never too many. */
const MAX_SHARE = 0.01;
const MAX_PEOPLE = 3;

/**
 * Stages records that Personio served by id although its list left them out. They are part of the snapshot, and marked
 * as asked for; the record comes first, since somebody with a mark and no record counts as gone.
 */
export async function stageReadById(
  database: Database,
  run: RunRef,
  attempt: number,
  records: readonly EmployeeRecord[],
): Promise<void> {
  await stageRecords(database, run, { attempt, chunk: null }, { endpoint: 'employees', records });
  await recordGone(
    database,
    run,
    attempt,
    records.map(({ employeeId }) => employeeId),
  );
}

/** Lists the employees whose records were read by id in an attempt. */
export async function listReadById(queries: Queries, run: RunRef, attempt: number): Promise<readonly string[]> {
  const rows = await queries.query<{ record_id: string }>(
    `select record_id
     from ${toStagingTable(run)}
     where reading = -($1::integer)
     intersect
     select record_id
     from ${toStagingTable(run)}
     where reading = $1
     order by record_id`,
    [attempt],
  );
  return rows.map((row) => row.record_id);
}

/** Returns how many people a list may leave out: more than these make it one that is not complete. */
export async function countAllowedById(queries: Queries, run: RunRef, attempt: number): Promise<number> {
  const [row] = await queries.query<{ people: number }>(
    `select count(distinct record_id) as people
     from ${toStagingTable(run)}
     where reading = $1`,
    [attempt],
  );
  return Math.max(MAX_PEOPLE, Math.floor((row?.people ?? 0) * MAX_SHARE));
}
