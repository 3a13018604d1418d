import type { EmployeesCommitRequest } from '../contracts/activities.js';
import type { OfficePolicy } from '../domain/policy.js';
import { supervisorLoops } from '../domain/supervisors.js';
import type { Transaction } from './database.js';
import { stagingTable } from './staging.js';

/** What is odd in the HR data, for `sync_runs.detail`: counts, ids and names of offices; nothing else about anybody. */
export interface Oddities {
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

export async function odditiesOf(
  transaction: Transaction,
  request: EmployeesCommitRequest,
  offices: OfficePolicy,
): Promise<Oddities> {
  const records = await transaction.rows<{ oddity: string; people: number }>(
    'select oddity, count(*) as people from decided cross join unnest(oddities) as oddity group by 1 order by 1',
  );
  return {
    records: Object.fromEntries(records.map(({ oddity, people }) => [oddity, people])),
    officesWithoutZone: await officesWithoutZone(transaction, request.connectionId, offices),
    supervisorLoops: await loopsOf(transaction, request.connectionId),
    duplicateIds: await duplicateIds(transaction, request),
  };
}

/** Said once: a run that named an office before has said it. */
async function officesWithoutZone(
  transaction: Transaction,
  connectionId: string,
  { zones }: OfficePolicy,
): Promise<readonly string[]> {
  const rows = await transaction.rows<{ office: string }>(
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

async function loopsOf(transaction: Transaction, connectionId: string): Promise<readonly (readonly string[])[]> {
  const rows = await transaction.rows<{ employee_id: string; supervisor_id: string }>(
    `select employee_id, supervisor_id from personio.employees
     where connection_id = $1 and supervisor_id is not null and deleted_at is null and exists (select from changed)`,
    [connectionId],
  );
  return supervisorLoops(new Map(rows.map((row) => [row.employee_id, row.supervisor_id]))).slice(0, SHOWN);
}

async function duplicateIds(transaction: Transaction, request: EmployeesCommitRequest): Promise<readonly string[]> {
  const rows = await transaction.rows<{ record_id: string }>(
    `select s.record_id from ${stagingTable(request)} s
     where s.reading = $1 and s.record_id in (select record_id from ${stagingTable(request)} where reading = $1 group by 1 having count(*) > 1)
     group by 1 having count(distinct (to_jsonb(s) - 'seq')::text) > 1 order by 1 limit $2`,
    [request.reading, SHOWN],
  );
  return rows.map((row) => row.record_id);
}
