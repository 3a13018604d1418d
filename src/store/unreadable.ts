import type { RunRef } from '../contracts/internal/activities.js';
import type { Endpoint } from '../contracts/internal/names.js';
import type { UnreadableCount } from '../domain/unreadable.js';
import type { Queries } from './database.js';
import { isStaged, toStagingTable } from './staging.js';

/** Record with values that cannot be read: its id, its place, and Personio's keys. Never a value. */
export interface UnreadableRecord extends Record<string, unknown> {
  readonly id: string;
  readonly page: number | null;
  readonly attributes: readonly string[];
}

/** Unreadable values of a run, for `sync_runs.detail`. */
export interface UnreadableDetail {
  /** The first of them. */
  readonly unreadable: readonly UnreadableRecord[];
  readonly unreadableCount: number;
}

/** Number of records that are listed: more than an operator would correct at once. */
const MAX_LISTED = 100;

interface Attempt extends RunRef {
  readonly attempt: number;
  /** Left out for endpoints that are read in one. */
  readonly chunk?: { readonly from: string } | null;
}

/** Counts the unreadable values of an attempt by attribute, and its records. */
export async function countUnreadable(
  queries: Queries,
  request: Attempt,
): Promise<{ readonly counts: readonly UnreadableCount[]; readonly received: number }> {
  // After a crash of PostgreSQL the commit notices that the staged records are gone.
  if (!(await isStaged(queries, request))) return { counts: [], received: 0 };
  const scope = `from ${toStagingTable(request)} where reading = $1 and chunk is not distinct from $2`;
  const values = [request.attempt, request.chunk?.from ?? null];
  const [some] = await queries.query<{ any: boolean }>(
    `select exists (select ${scope} and unreadable is not null) as any`,
    values,
  );
  if (some?.any !== true) return { counts: [], received: 0 };
  const counts = await queries.query<UnreadableCount & Record<string, unknown>>(
    `select attribute, count(distinct record_id) as records
     from (select * ${scope}) as staged
     cross join unnest(unreadable) as attribute
     group by attribute
     order by attribute`,
    values,
  );
  const [all] = await queries.query<{ received: number }>(
    `select count(distinct record_id) as received ${scope}`,
    values,
  );
  return { counts, received: all?.received ?? 0 };
}

/** Lists the unreadable values of all chunks that a run has staged, of the last attempt at each. */
export async function summarizeUnreadable(queries: Queries, run: RunRef): Promise<UnreadableDetail> {
  const table = toStagingTable(run);
  const [some] = await queries.query<{ any: boolean }>(
    `select exists (select from ${table} where unreadable is not null) as any`,
  );
  if (some?.any !== true) return { unreadable: [], unreadableCount: 0 };
  const rows = await queries.query<UnreadableRecord & { total: number }>(
    `with last as (
       select chunk, max(reading) as reading
       from ${table}
       group by chunk
     ),
     flawed as (
       select
         staged.record_id as id,
         max(staged.page) as page,
         array_agg(distinct attribute order by attribute) as attributes
       from ${table} as staged
       join last
         on last.chunk is not distinct from staged.chunk
         and last.reading = staged.reading
       cross join unnest(staged.unreadable) as attribute
       where staged.unreadable is not null
       group by staged.record_id
     )
     select id, page, attributes, count(*) over () as total
     from flawed
     order by page, id
     limit $1`,
    [MAX_LISTED],
  );
  return {
    unreadable: rows.map(({ id, page, attributes }) => ({ id, page, attributes })),
    unreadableCount: rows[0]?.total ?? 0,
  };
}

/** Returns how many records of an endpoint the newest complete read could not read in full. */
export async function findCurrentUnreadable(
  queries: Queries,
  connectionId: string,
  endpoint: Endpoint,
): Promise<{ readonly records: number; readonly runId: string; readonly some: readonly UnreadableRecord[] } | null> {
  const [row] = await queries.query<{ run_id: string; records: number; some: readonly UnreadableRecord[] | null }>(
    `select run_id, coalesce((detail ->> 'unreadableCount')::int, 0) as records, detail -> 'unreadable' as some
     from personio.sync_runs
     where connection_id = $1
       and endpoint = $2
       and outcome in ('succeeded', 'braked')
       and (endpoint <> 'employees' or detail ? 'profile')
     order by finished_at desc
     limit 1`,
    [connectionId, endpoint],
  );
  if (row === undefined || row.records === 0) return null;
  return { records: row.records, runId: row.run_id, some: row.some ?? [] };
}
