import { findProfileAlarms } from '../../domain/attribute-profile.js';
import type { AttributeCoverage, ProfileAlarm } from '../../domain/attribute-profile.js';
import { EMPLOYEE_ATTRIBUTES, EMPLOYEE_STATUSES } from '../../domain/records.js';
import type { Queries, Transaction } from '../database.js';

/** Result of a complete read for the credential's permissions; stored in the run's `detail`. */
export interface ProfileSummary {
  /** Number of records that had each attribute. */
  readonly attributes: Readonly<Record<string, number>>;
  /** Number of inactive employees. */
  readonly inactive: number;
  readonly alarms: readonly ProfileAlarm[];
}

/**
 * Records which attributes a complete read returned (the temporary table `seen`), and compares them with earlier reads.
 * Call it before the merge, while the stored people are still those of the read before.
 *
 * @param attributesToStore the policy's setting. An attribute that it no longer lets be stored was not withdrawn.
 */
export async function recordAttributes(
  transaction: Transaction,
  connectionId: string,
  attributesToStore: readonly string[],
): Promise<ProfileSummary> {
  const [count] = await transaction.query<{
    records: number;
    inactive: number;
    unknown_status: number;
    had_inactive: boolean;
  }>(
    `select
       count(*) as records,
       count(*) filter (where status = 'inactive') as inactive,
       count(*) filter (
         where (status is null or status <> all($2))
           and not absent_attributes @> array['status']
       ) as unknown_status,
       exists (
         select from personio.employees
         where connection_id = $1
           and status = 'inactive'
       ) as had_inactive
     from seen`,
    [connectionId, EMPLOYEE_STATUSES],
  );
  const {
    records = 0,
    inactive = 0,
    unknown_status: unknownStatus = 0,
    had_inactive: hadInactive = false,
  } = count ?? {};
  const coverage = await readCoverage(transaction, connectionId, records);
  await storeCoverage(transaction, connectionId, coverage, records);
  const isExpected = (attribute: string): boolean =>
    Object.hasOwn(EMPLOYEE_ATTRIBUTES, attribute) ||
    attributesToStore.includes(attribute) ||
    (attributesToStore.includes('standard') && !attribute.startsWith('dynamic_'));
  const expected = coverage.filter(({ attribute }) => isExpected(attribute));
  return {
    attributes: Object.fromEntries(coverage.map((row) => [row.attribute, row.records])),
    inactive,
    alarms: findProfileAlarms({
      records,
      coverage: expected,
      inactive,
      unknownStatus,
      hadInactive,
      isComplete: true,
    }),
  };
}

/** Counts the typed attributes, everything else that was read, and everything that earlier reads returned. */
async function readCoverage(
  transaction: Transaction,
  connectionId: string,
  records: number,
): Promise<readonly AttributeCoverage[]> {
  return transaction.query<AttributeCoverage & Record<string, unknown>>(
    `with absent as (
       select attribute, count(*) as records
       from seen
       cross join unnest(absent_attributes) as attribute
       group by attribute
     ),
     received as (
       select typed.attribute, $2::bigint - coalesce(absent.records, 0) as records
       from unnest($3::text[]) as typed (attribute)
       left join absent using (attribute)
       union all
       select attribute, count(*)
       from seen
       cross join jsonb_object_keys(attributes) as attribute
       group by attribute
     )
     select
       attribute,
       coalesce(received.records, 0)::int as records,
       earlier.last_seen_at is not null as "wasReadBefore"
     from received
     full join (
       select *
       from personio.attribute_profile
       where connection_id = $1
     ) as earlier
       using (attribute)
     order by attribute`,
    [connectionId, records, Object.keys(EMPLOYEE_ATTRIBUTES)],
  );
}

async function storeCoverage(
  transaction: Transaction,
  connectionId: string,
  coverage: readonly AttributeCoverage[],
  records: number,
): Promise<void> {
  // A company without anybody says nothing about permissions.
  if (records === 0) return;
  await transaction.run(
    `insert into personio.attribute_profile as stored (
       connection_id, attribute, records, of_records, first_seen_at, last_seen_at
     )
     select
       $1,
       coverage.attribute,
       coverage.records,
       $4,
       case when coverage.records > 0 then clock_timestamp() end,
       case when coverage.records > 0 then clock_timestamp() end
     from unnest($2::text[], $3::bigint[]) as coverage (attribute, records)
     on conflict (connection_id, attribute) do update
     set records = excluded.records,
       of_records = excluded.of_records,
       first_seen_at = coalesce(stored.first_seen_at, excluded.first_seen_at),
       last_seen_at = coalesce(excluded.last_seen_at, stored.last_seen_at),
       withdrawn_since = case
         when excluded.records > 0 or stored.last_seen_at is null then null
         else coalesce(stored.withdrawn_since, clock_timestamp())
       end`,
    [connectionId, coverage.map(({ attribute }) => attribute), coverage.map((row) => row.records), records],
  );
}

/** Returns the alarms of the newest complete read of the employees. */
export async function listCurrentAlarms(queries: Queries, connectionId: string): Promise<readonly ProfileAlarm[]> {
  const [row] = await queries.query<{ alarms: readonly ProfileAlarm[] | null }>(
    `select detail -> 'profile' -> 'alarms' as alarms
     from personio.sync_runs
     where connection_id = $1
       and endpoint = 'employees'
       and outcome in ('succeeded', 'braked')
       and detail ? 'profile'
     order by finished_at desc
     limit 1`,
    [connectionId],
  );
  return row?.alarms ?? [];
}
