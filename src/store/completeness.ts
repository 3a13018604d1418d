import type { CommitRequest } from '../contracts/internal/activities.js';
import type { Queries } from './database.js';
import { isStaged, toStagingTable } from './staging.js';

type GateRequest = Pick<CommitRequest, 'connectionId' | 'endpoint' | 'runId' | 'attempt' | 'total'> & {
  /** Left out for endpoints that are read in one. */
  readonly chunk?: CommitRequest['chunk'];
};

/** A credential without permissions can get an empty list and a total of 0, which would be a fatal baseline. */
const NOBODY = 'Personio sent no employees at all, and a company of nobody is not believed';

/**
 * Checks that an attempt staged all records of the list, without those that were read by id.
 *
 * @returns why it did not; null when it did.
 */
export async function findIncompleteReason(queries: Queries, request: GateRequest): Promise<string | null> {
  if (!(await isStaged(queries, request))) return 'the staged records are gone';
  const [row] = await queries.query<{ ids: number }>(
    `select count(distinct record_id collate "C") as ids
     from ${toStagingTable(request)}
     where reading = $1
       and chunk is not distinct from $2
       and record_id not in (select record_id from ${toStagingTable(request)} where reading = -($1::integer))`,
    [request.attempt, request.chunk?.from ?? null],
  );
  const ids = row?.ids ?? 0;
  if (request.total !== null && ids !== request.total)
    return `received ${ids} distinct ${ids === 1 ? 'record' : 'records'}, but Personio reported ${request.total}`;
  return ids === 0 && request.endpoint === 'employees' ? NOBODY : null;
}
