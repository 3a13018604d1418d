import type { FailureType } from '../contracts/internal/errors.js';
import type { Endpoint } from '../contracts/internal/names.js';
import type { RunOutcome } from '../contracts/internal/sync.js';
import type { Queries } from './database.js';

/** Newest run of an endpoint, and its last success. */
export interface EndpointStatus {
  readonly runId: string | null;
  /** Null where no run has finished yet. */
  readonly outcome: RunOutcome | null;
  readonly failureType: FailureType | null;
  readonly message: string | null;
  readonly lastSuccessAt: string | null;
  readonly rows: number;
  readonly held: number;
}

const ROWS: Readonly<Record<Endpoint, string>> = {
  employees: 'personio.employees where connection_id = $1 and deleted_at is null',
  departments: 'personio.departments where connection_id = $1 and missing_since is null',
  attendances: 'personio.attendance_periods where connection_id = $1',
  'time-off-types': 'personio.time_off_types where connection_id = $1 and missing_since is null',
};

/**
 * Reads the state of an endpoint. A braked run counts as a success: the read was complete, and all but held changes
 * were committed.
 */
export async function readEndpointStatus(
  queries: Queries,
  connectionId: string,
  endpoint: Endpoint,
): Promise<EndpointStatus> {
  const [last] = await queries.query<Omit<EndpointStatus, 'lastSuccessAt' | 'rows'>>(
    `select run_id as "runId", outcome, failure_type as "failureType", message, held
     from personio.sync_runs
     where connection_id = $1
       and endpoint = $2
       and outcome is not null
       and outcome <> 'preview'
     order by finished_at desc
     limit 1`,
    [connectionId, endpoint],
  );
  const [success] = await queries.query<{ at: string | null }>(
    `select max(finished_at) as at
     from personio.sync_runs
     where connection_id = $1
       and endpoint = $2
       and outcome in ('succeeded', 'braked')`,
    [connectionId, endpoint],
  );
  const [count] = await queries.query<{ rows: number }>(`select count(*) as rows from ${ROWS[endpoint]}`, [
    connectionId,
  ]);
  return {
    ...(last ?? { runId: null, outcome: null, failureType: null, message: null, held: 0 }),
    lastSuccessAt: success?.at ?? null,
    rows: count?.rows ?? 0,
  };
}

export interface DeliveryCounts {
  readonly waiting: number;
  readonly sent: number;
  readonly overdue: number;
  readonly failed: number;
  readonly dead: number;
  readonly oldestUnacknowledgedSeconds: number | null;
}

export async function countDeliveries(queries: Queries): Promise<DeliveryCounts> {
  const [row] = await queries.query<DeliveryCounts>(
    `select
       count(*) filter (where state = 'waiting') as waiting,
       count(*) filter (where state = 'sent') as sent,
       count(*) filter (where state = 'overdue') as overdue,
       count(*) filter (where state = 'failed') as failed,
       count(*) filter (where state = 'dead') as dead,
       extract(
         epoch from clock_timestamp() - min(sent_at) filter (where state in ('sent', 'overdue', 'failed'))
       )::int as "oldestUnacknowledgedSeconds"
     from personio.deliveries`,
  );
  return row ?? { waiting: 0, sent: 0, overdue: 0, failed: 0, dead: 0, oldestUnacknowledgedSeconds: null };
}

/** Returns when a stored connection's secret was set; null for the connection of the environment. */
export async function findSecretSetAt(queries: Queries, connectionId: string): Promise<string | null> {
  const [row] = await queries.query<{ secret_set_at: string }>(
    'select secret_set_at from personio.connections where connection_id = $1',
    [connectionId],
  );
  return row?.secret_set_at ?? null;
}
