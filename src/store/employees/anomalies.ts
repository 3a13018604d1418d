import type { EmployeesCommitRequest } from '../../contracts/internal/activities.js';
import type { OfficePolicy } from '../../domain/policy.js';
import { findSupervisorLoops } from '../../domain/supervisors.js';
import type { Transaction } from '../database.js';
import { toStagingTable } from '../staging.js';

/** What is odd in the HR data, for `sync_runs.detail`: counts, ids and names of offices; nothing else about anybody. */
export interface AnomalySummary {
  /** Contradictions in the records that were looked at, counted by kind. */
  readonly records: Readonly<Record<string, number>>;
  /** Offices that the settings give no zone; named in the run in which they first appear. */
  readonly officesWithoutZone: readonly string[];
  /** Employee ids, a list for each circle. */
  readonly supervisorLoops: readonly (readonly string[])[];
  /** Ids that came more than once with different contents; the last one counts. */
  readonly duplicateIds: readonly string[];
}

/** More than a person would look at. */
const SHOWN = 20;

export async function summarizeAnomalies(
  transaction: Transaction,
  request: EmployeesCommitRequest,
  offices: OfficePolicy,
): Promise<AnomalySummary> {
  const records = await transaction.query<{ anomaly: string; people: number }>(
    'select anomaly, count(*) as people from decided cross join unnest(anomalies) as anomaly group by 1 order by 1',
  );
  return {
    records: Object.fromEntries(records.map(({ anomaly, people }) => [anomaly, people])),
    officesWithoutZone: await listOfficesWithoutZone(transaction, request.connectionId, offices),
    supervisorLoops: await listSupervisorLoops(transaction, request.connectionId),
    duplicateIds: await listDuplicateIds(transaction, request),
  };
}

/** Said once: a run that named an office before has said it. */
async function listOfficesWithoutZone(
  transaction: Transaction,
  connectionId: string,
  { zones }: OfficePolicy,
): Promise<readonly string[]> {
  const rows = await transaction.query<{ office: string }>(
    `select e.office from (select distinct office from personio.employees where connection_id = $1 and deleted_at is null) e
     where e.office <> all($2)
       and not exists (
         select from personio.sync_runs r
         where r.connection_id = $1 and r.endpoint = 'employees' and r.detail -> 'oddities' -> 'officesWithoutZone' ? e.office)
     order by 1`,
    [connectionId, Object.keys(zones)],
  );
  return rows.map((row) => row.office);
}

async function listSupervisorLoops(
  transaction: Transaction,
  connectionId: string,
): Promise<readonly (readonly string[])[]> {
  const rows = await transaction.query<{ employee_id: string; supervisor_id: string }>(
    `select employee_id, supervisor_id from personio.employees
     where connection_id = $1 and supervisor_id is not null and deleted_at is null and exists (select from changed)`,
    [connectionId],
  );
  return findSupervisorLoops(new Map(rows.map((row) => [row.employee_id, row.supervisor_id]))).slice(0, SHOWN);
}

async function listDuplicateIds(transaction: Transaction, request: EmployeesCommitRequest): Promise<readonly string[]> {
  const rows = await transaction.query<{ record_id: string }>(
    `select s.record_id from ${toStagingTable(request)} s
     where s.reading = $1 and s.record_id in (select record_id from ${toStagingTable(request)} where reading = $1 group by 1 having count(*) > 1)
     group by 1 having count(distinct (to_jsonb(s) - 'seq')::text) > 1 order by 1 limit $2`,
    [request.reading, SHOWN],
  );
  return rows.map((row) => row.record_id);
}
