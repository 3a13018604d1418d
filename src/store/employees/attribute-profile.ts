import { EMPLOYEE_ATTRIBUTES } from '../../domain/records.js';
import { findProfileAlarms } from '../../domain/attribute-profile.js';
import type { AttributeCoverage, ProfileAlarm } from '../../domain/attribute-profile.js';
import type { Queries, Transaction } from '../database.js';

/** What a complete read showed of the credential's permissions; goes into the run's `detail`. */
export interface AttributeProfile {
  readonly attributes: Readonly<Record<string, number>>;
  readonly inactive: number;
  readonly alarms: readonly ProfileAlarm[];
}

/**
 * Counts which attributes came with a complete read (the temporary table `seen`), and compares that with earlier reads. Has to run before
 * the merge, while the stored people are still those of the read before.
 *
 * @param attributesToStore the policy: what it no longer lets be stored was not withdrawn by anybody.
 */
export async function recordAttributes(
  transaction: Transaction,
  connectionId: string,
  attributesToStore: readonly string[],
): Promise<AttributeProfile> {
  const [count] = await transaction.query<{ records: number; inactive: number; had_inactive: boolean }>(
    `select count(*) as records, count(*) filter (where status = 'inactive') as inactive,
       exists (select from personio.employees where connection_id = $1 and status = 'inactive') as had_inactive
     from seen`,
    [connectionId],
  );
  const { records = 0, inactive = 0, had_inactive: hadInactive = false } = count ?? {};
  const came = await readSightings(transaction, connectionId, records);
  await storeSightings(transaction, connectionId, came, records);
  const isExpected = (attribute: string): boolean =>
    Object.hasOwn(EMPLOYEE_ATTRIBUTES, attribute) ||
    attributesToStore.includes(attribute) ||
    (attributesToStore.includes('standard') && !attribute.startsWith('dynamic_'));
  const expected = came.filter(({ attribute }) => isExpected(attribute));
  return {
    attributes: Object.fromEntries(came.map((sighting) => [sighting.attribute, sighting.records])),
    inactive,
    alarms: findProfileAlarms({ records, coverage: expected, inactive, hadInactive, isComplete: true }),
  };
}

/** The typed attributes, whatever else came, and whatever came before. */
async function readSightings(
  transaction: Transaction,
  connectionId: string,
  records: number,
): Promise<readonly AttributeCoverage[]> {
  return transaction.query<AttributeCoverage & Record<string, unknown>>(
    `with absent as (
       select attribute, count(*) as records from seen cross join unnest(absent_attributes) as attribute group by 1
     ), came as (
       select typed.attribute, $2::bigint - coalesce(absent.records, 0) as records
       from unnest($3::text[]) as typed (attribute) left join absent using (attribute)
       union all
       select attribute, count(*) from seen cross join jsonb_object_keys(attributes) as attribute group by 1
     )
     select attribute, coalesce(came.records, 0)::int as records, p.last_seen_at is not null as "cameBefore"
     from came full join (select * from personio.attribute_profile where connection_id = $1) p using (attribute)
     order by attribute`,
    [connectionId, records, Object.keys(EMPLOYEE_ATTRIBUTES)],
  );
}

async function storeSightings(
  transaction: Transaction,
  connectionId: string,
  came: readonly AttributeCoverage[],
  records: number,
): Promise<void> {
  // A company without anybody says nothing about permissions.
  if (records === 0) return;
  await transaction.run(
    `insert into personio.attribute_profile as p (connection_id, attribute, records, of_records, first_seen_at, last_seen_at)
     select $1, attribute, came, $4, case when came > 0 then clock_timestamp() end, case when came > 0 then clock_timestamp() end
     from unnest($2::text[], $3::bigint[]) as sighting (attribute, came)
     on conflict (connection_id, attribute) do update set records = excluded.records, of_records = excluded.of_records,
       first_seen_at = coalesce(p.first_seen_at, excluded.first_seen_at), last_seen_at = coalesce(excluded.last_seen_at, p.last_seen_at),
       withdrawn_since = case when excluded.records > 0 or p.last_seen_at is null then null else coalesce(p.withdrawn_since, clock_timestamp()) end`,
    [connectionId, came.map(({ attribute }) => attribute), came.map((sighting) => sighting.records), records],
  );
}

/** @returns what the newest complete read of the employees had to complain of. */
export async function listCurrentAlarms(queries: Queries, connectionId: string): Promise<readonly ProfileAlarm[]> {
  const [row] = await queries.query<{ alarms: readonly ProfileAlarm[] | null }>(
    `select detail -> 'profile' -> 'alarms' as alarms from personio.sync_runs
     where connection_id = $1 and endpoint = 'employees' and outcome in ('succeeded', 'braked') and detail ? 'profile'
     order by finished_at desc limit 1`,
    [connectionId],
  );
  return row?.alarms ?? [];
}
