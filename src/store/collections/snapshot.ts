import type { CommitRequest } from '../../contracts/internal/activities.js';
import type { Transaction } from '../database.js';
import { toStagingTable } from '../staging.js';
import { TABLES, buildAttemptCondition, buildNearCondition, buildUnreadableCondition } from './tables.js';
import type { Collection, CollectionTable } from './tables.js';

/**
 * Leaves the temporary tables `snapshot`, each id once, with the record that came last, and `known`, those of its ids
 * that are stored. Departments that are derived from employees come once per employee.
 *
 * @returns how many records are left out, because what matters of them cannot be read: new ones, and breaks of v2.
 */
export async function selectSnapshot(
  transaction: Transaction,
  endpoint: Collection,
  request: CommitRequest,
): Promise<{ readonly held: number }> {
  const { key } = TABLES[endpoint];
  const hasBreaks = endpoint === 'attendances' && request.source === 'v2';
  await transaction.run(buildSnapshotSql(endpoint, request, hasBreaks));
  if (endpoint === 'attendances') await removeErased(transaction, request.connectionId);
  // The stored table's statistics may be older than its first load: without this index the planner compares row by row.
  await transaction.run(`alter table snapshot add primary key (${key})`);
  await transaction.run('analyze snapshot');
  if (hasBreaks) await sumBreaks(transaction, request);
  await selectKnown(transaction, TABLES[endpoint], request);
  if (endpoint === 'attendances') await keepKeys(transaction, request);
  const { held } = await keepUnreadable(transaction, TABLES[endpoint], request);
  return { held: held + (hasBreaks ? await countUnreadableBreaks(transaction, request) : 0) };
}

function buildSnapshotSql(endpoint: Collection, request: CommitRequest, hasBreaks: boolean): string {
  const { key, columns } = TABLES[endpoint];
  const id = endpoint === 'departments' ? 'department_id' : 'record_id';
  const selected = columns.map((column) => (column === 'source' ? `'${request.source}'::text as source` : column));
  return `create temp table snapshot on commit drop as
    select distinct on (${id})
      ${id} as ${key},
      ${['unreadable', ...selected, ...(hasBreaks ? ['starts_at', 'ends_at'] : [])].join(',\n      ')}
    from ${toStagingTable(request)}
    where ${buildAttemptCondition(request)}
      and ${id} is not null
      ${hasBreaks ? `and kind = 'work'` : ''}
    order by ${id}, ${endpoint === 'departments' ? 'name' : 'seq desc'}`;
}

/**
 * Leaves the temporary table `known`. The rows of the chunk's days are found by their days; a row that is stored for
 * other days, which are ever more, is looked up by its key. An array hides from the planner how many keys there are:
 * for a week's new rows it would scan the table.
 */
async function selectKnown(
  transaction: Transaction,
  { table, key }: CollectionTable,
  request: CommitRequest,
): Promise<void> {
  await transaction.run('create temp table known (key text, is_elsewhere boolean) on commit drop');
  await transaction.run(
    `insert into known
     select snapshot.${key}, false
     from snapshot
     join ${table} as stored
       on stored.${key} = snapshot.${key}
     where stored.connection_id = $1
       and ${buildNearCondition('stored', request)}`,
    [request.connectionId],
  );
  await transaction.run('analyze known');
  await transaction.run(
    `insert into known
     select stored.${key}, true
     from ${table} as stored
     where stored.connection_id = $1
       and stored.${key} = any(array(
         select snapshot.${key}
         from snapshot
         where not exists (select from known where known.key = snapshot.${key})
       ))`,
    [request.connectionId],
  );
}

async function removeErased(transaction: Transaction, connectionId: string): Promise<void> {
  await transaction.run(
    `delete from snapshot
     using personio.erased_people as erased
     where erased.connection_id = $1
       and erased.employee_id = snapshot.employee_id`,
    [connectionId],
  );
}

/**
 * Fills in `break_minutes`, which v1 gives with a period of work. In v2 breaks are periods of their own: the part
 * that lies within a period of work is its break; the part between two of them counts in neither.
 */
async function sumBreaks(transaction: Transaction, request: CommitRequest): Promise<void> {
  await transaction.run(
    `with breaks as (
       select distinct on (record_id)
         employee_id,
         date,
         starts_at,
         ends_at
       from ${toStagingTable(request)}
       where ${buildAttemptCondition(request)}
         and kind = 'break'
         and starts_at < ends_at
       order by record_id, seq desc
     ),
     sums as (
       select
         snapshot.period_id,
         round(sum(extract(
           epoch from least(breaks.ends_at, snapshot.ends_at) - greatest(breaks.starts_at, snapshot.starts_at)
         )) / 60)::int as minutes
       from snapshot
       join breaks
         on breaks.employee_id = snapshot.employee_id
         and breaks.date = snapshot.date
         and breaks.starts_at < snapshot.ends_at
         and breaks.ends_at > snapshot.starts_at
       group by snapshot.period_id
     )
     update snapshot
     set break_minutes = coalesce((select minutes from sums where sums.period_id = snapshot.period_id), 0)
     where ends_at is not null`,
  );
}

/** Counts the breaks that cannot be added up, since their person, their day or a time cannot be read. */
async function countUnreadableBreaks(transaction: Transaction, request: CommitRequest): Promise<number> {
  const [row] = await transaction.query<{ breaks: number }>(
    `select count(distinct record_id) as breaks
     from ${toStagingTable(request)}
     where ${buildAttemptCondition(request)}
       and kind = 'break'
       and unreadable && array['person', 'attribution_date', 'start', 'end']`,
  );
  return row?.breaks ?? 0;
}

/**
 * Gives what cannot be read its stored value. Leaves out records that are not stored yet and lack something essential.
 */
async function keepUnreadable(
  transaction: Transaction,
  target: CollectionTable,
  { connectionId }: CommitRequest,
): Promise<{ readonly held: number }> {
  const { table, key, columns, essential = [] } = target;
  const [some] = await transaction.query<{ any: boolean }>(
    'select exists (select from snapshot where unreadable is not null) as any',
  );
  if (some?.any !== true) return { held: 0 };
  const assignments = columns
    .filter((column) => column !== 'source')
    .map((column) => {
      const isUnreadable = buildUnreadableCondition(target, column);
      return `${column} = case when ${isUnreadable} then stored.${column} else snapshot.${column} end`;
    });
  await transaction.run(
    `update snapshot
     set ${assignments.join(',\n       ')}
     from ${table} as stored
     where stored.connection_id = $1
       and stored.${key} = snapshot.${key}
       and stored.${key} = any(array(
         select ${key}
         from snapshot
         where unreadable is not null
       ))`,
    [connectionId],
  );
  if (essential.length === 0) return { held: 0 };
  const held = await transaction.run(
    `delete from snapshot
     where (${essential.map((column) => buildUnreadableCondition(target, column)).join(' or ')})
       and not exists (select from known where known.key = snapshot.${key})`,
  );
  return { held };
}

/**
 * Keeps the stored key of a period that is stored under its id of the other API: the row stays one when the source
 * changes. Only what is not stored under its own key is looked up, whatever its day: the two APIs may attribute a
 * period to different days.
 */
async function keepKeys(transaction: Transaction, { connectionId }: CommitRequest): Promise<void> {
  await transaction.run(
    `with kept as (
       update snapshot
       set period_id = stored.period_id
       from personio.attendance_periods as stored
       where stored.connection_id = $1
         and stored.period_id_v2 is not null
         and stored.period_id_v2 = snapshot.period_id_v2
         and stored.period_id_v2 = any(array(
           select period_id_v2
           from snapshot
           where not exists (select from known where known.key = snapshot.period_id)
         ))
         and not exists (select from snapshot as other where other.period_id = stored.period_id)
       returning snapshot.period_id
     )
     insert into known
     select period_id, true
     from kept`,
    [connectionId],
  );
}
