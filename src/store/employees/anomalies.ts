import type { EmployeesCommitRequest } from '../../contracts/internal/activities.js';
import type { OfficePolicy } from '../../domain/policy.js';
import { findSupervisorLoops } from '../../domain/supervisors.js';
import { findOfficeMismatch } from '../../domain/zones.js';
import type { Transaction } from '../database.js';
import { toStagingTable } from '../staging.js';
import { listOffices } from './offices.js';

/**
 * Anomalies of the HR data, for `sync_runs.detail`: counts, ids and names of offices, and no other data about
 * anybody.
 */
export interface AnomalySummary {
  /** Contradictions in the records that were decided on, counted by kind. */
  readonly records: Readonly<Record<string, number>>;
  /** Offices of current employees without a time zone in the policy. */
  readonly officesWithoutZone: readonly string[];
  /** Employee ids, one list per circle. */
  readonly supervisorLoops: readonly (readonly string[])[];
  /** Ids that came more than once with different contents. The last record counts. */
  readonly duplicateIds: readonly string[];
}

/** Number of loops and ids that are listed: more than an operator would look at. */
const MAX_LISTED = 20;

export async function summarizeAnomalies(
  transaction: Transaction,
  request: EmployeesCommitRequest,
  offices: OfficePolicy,
): Promise<AnomalySummary> {
  const records = await transaction.query<{ anomaly: string; people: number }>(
    `select anomaly, count(*) as people
     from decided
     cross join unnest(anomalies) as anomaly
     group by anomaly
     order by anomaly`,
  );
  return {
    records: Object.fromEntries(records.map(({ anomaly, people }) => [anomaly, people])),
    officesWithoutZone: findOfficeMismatch(await listOffices(transaction, request.connectionId), offices).withoutZone,
    supervisorLoops: await listSupervisorLoops(transaction, request.connectionId),
    duplicateIds: await listDuplicateIds(transaction, request),
  };
}

async function listSupervisorLoops(
  transaction: Transaction,
  connectionId: string,
): Promise<readonly (readonly string[])[]> {
  // Where nobody has changed, the loops are those of the last run.
  const rows = await transaction.query<{ employee_id: string; supervisor_id: string }>(
    `select employee_id, supervisor_id
     from personio.employees
     where connection_id = $1
       and supervisor_id is not null
       and deleted_at is null
       and exists (select from changed)`,
    [connectionId],
  );
  return findSupervisorLoops(new Map(rows.map((row) => [row.employee_id, row.supervisor_id]))).slice(0, MAX_LISTED);
}

async function listDuplicateIds(transaction: Transaction, request: EmployeesCommitRequest): Promise<readonly string[]> {
  // Only the few ids that came twice are compared as JSON.
  const rows = await transaction.query<{ record_id: string }>(
    `select staged.record_id
     from ${toStagingTable(request)} as staged
     where staged.reading = $1
       and staged.record_id in (
         select record_id
         from ${toStagingTable(request)}
         where reading = $1
         group by record_id
         having count(*) > 1
       )
     group by staged.record_id
     having count(distinct (to_jsonb(staged) - 'seq' - 'page')::text) > 1
     order by staged.record_id
     limit $2`,
    [request.attempt, MAX_LISTED],
  );
  return rows.map((row) => row.record_id);
}
