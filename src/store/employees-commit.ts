import type { EmployeesCommitOutcome, EmployeesCommitRequest } from '../contracts/activities.js';
import type { SyncResult } from '../contracts/sync.js';
import { judge, brakeSentence } from '../domain/brake.js';
import type { BrakeVerdict } from '../domain/brake.js';
import { BRAKE_CLASSES } from '../domain/policy.js';
import type { BrakeClass, Policy } from '../domain/policy.js';
import { noteAttributes } from './attribute-profile.js';
import type { NotedProfile } from './attribute-profile.js';
import type { Database, Transaction } from './database.js';
import { lockEndpoint, incompleteReason } from './collections.js';
import { decideAll } from './employees-decide.js';
import { mergeEmployees } from './employees-merge.js';
import type { MergeCounts } from './employees-merge.js';
import { selectPairs } from './employees-pairs.js';
import { storeEvents, storeProposals } from './events.js';
import { closeRun, closedRun } from './runs.js';

/** The order of one commit: see docs/decisions/0007. */
export interface EmployeesCommitContext {
  readonly policy: Policy;
  /** The installation's keyed digest, for event ids. */
  readonly digest: (text: string) => string;
}

/**
 * Compares the snapshot with the stored state, decides, brakes, merges, writes history and events, and closes the run: one
 * transaction, so that a crash leaves the old state or the new one, and no third. Safe to repeat.
 */
export async function commitEmployees(
  database: Database,
  request: EmployeesCommitRequest,
  context: EmployeesCommitContext,
): Promise<EmployeesCommitOutcome> {
  return database.transaction(async (transaction) => {
    await lockEndpoint(transaction, request.connectionId, 'employees');
    const ended = await closedRun(transaction, request, true);
    if (ended !== null) return { incomplete: null, result: ended };
    const state = await connectionState(transaction, request.connectionId);
    const incomplete = (await incompleteReason(transaction, request)) ?? staleReason(request, state);
    if (incomplete !== null) return { incomplete, result: null };
    const isBaseline = state.baselineRunId === null;
    const { received } = await selectPairs(transaction, request);
    await decideAll(transaction, request, { ...context, isBaseline });
    const verdicts = isBaseline ? [] : await brake(transaction, request, context.policy);
    const result = request.preview
      ? await closePreview(transaction, request, received, verdicts)
      : await commit(transaction, request, { ...context, received, verdicts, isBaseline });
    return { incomplete: null, result };
  });
}

interface ConnectionState {
  readonly baselineRunId: string | null;
  readonly collectedAt: string | null;
}

async function connectionState(transaction: Transaction, connectionId: string): Promise<ConnectionState> {
  const [row] = await transaction.rows<{ baseline_run_id: string | null; employees_collected_at: string | null }>(
    'select baseline_run_id, employees_collected_at from personio.connection_state where connection_id = $1',
    [connectionId],
  );
  return { baselineRunId: row?.baseline_run_id ?? null, collectedAt: row?.employees_collected_at ?? null };
}

function staleReason({ collectedAt, onlyEmployeeId }: EmployeesCommitRequest, state: ConnectionState): string | null {
  if (onlyEmployeeId !== null && state.baselineRunId === null) {
    return 'no complete read of this connection has been committed yet, and one person is no company: run `personio-sync sync employees` first';
  }
  if (state.collectedAt !== null && Date.parse(collectedAt) < Date.parse(state.collectedAt))
    return 'a newer read was committed meanwhile';
  return null;
}

/** Marks whoever is in a class over its limit as held. */
async function brake(
  transaction: Transaction,
  request: EmployeesCommitRequest,
  policy: Policy,
): Promise<readonly BrakeVerdict[]> {
  const [active] = await transaction.rows<{ active: number }>(
    `select count(*) as active from personio.employees
     where connection_id = $1 and lifecycle_state in ('employed', 'on leave', 'leaving') and deleted_at is null`,
    [request.connectionId],
  );
  const run = await countsOf(
    transaction,
    'select brake_class as class, count(*) as people from decided where brake_class is not null group by 1',
    [],
  );
  const lastDay = await countsOf(
    transaction,
    `select counted.key as class, sum(counted.value::int) as people
     from personio.sync_runs r cross join jsonb_each_text(r.detail -> 'changed') counted
     where r.connection_id = $1 and r.endpoint = 'employees' and r.finished_at > clock_timestamp() - interval '24 hours' group by 1`,
    [request.connectionId],
  );
  const verdicts = judge({ run, lastDay, active: active?.active ?? 0 }, policy.lifecycle.brake);
  const over = verdicts.filter((verdict) => verdict.isOver);
  await transaction.run('update decided set is_held = true where brake_class = any($1)', [
    over.map((verdict) => verdict.class),
  ]);
  return over;
}

async function countsOf(
  transaction: Transaction,
  sql: string,
  values: readonly unknown[],
): Promise<Readonly<Record<BrakeClass, number>>> {
  const rows = await transaction.rows<{ class: string; people: string | number }>(sql, values);
  const people = (name: BrakeClass): number => Number(rows.find((row) => row.class === name)?.people ?? 0);
  return {
    leavers: people('leavers'),
    missing: people('missing'),
    joiners: people('joiners'),
    movers: people('movers'),
  };
}

interface CommitContext extends EmployeesCommitContext {
  readonly received: number;
  readonly verdicts: readonly BrakeVerdict[];
  readonly isBaseline: boolean;
}

async function commit(
  transaction: Transaction,
  request: EmployeesCommitRequest,
  context: CommitContext,
): Promise<SyncResult> {
  const { received, verdicts, isBaseline, policy } = context;
  // One person says nothing about what the credential may read.
  const profile =
    request.onlyEmployeeId === null
      ? await noteAttributes(transaction, request.connectionId, policy.attributesToStore)
      : null;
  const counts = await mergeEmployees(transaction, request);
  const events = await storeEvents(transaction, request, policy);
  if (verdicts.length > 0) await storeProposals(transaction, request, 'asked');
  await noteState(transaction, request, isBaseline);
  const changed = await countsOf(
    transaction,
    'select brake_class as class, count(*) as people from decided where brake_class is not null and not is_held group by 1',
    [],
  );
  const isBraked = verdicts.length > 0;
  return closeRun(transaction, request, {
    ...{
      outcome: isBraked ? 'braked' : 'succeeded',
      failureType: null,
      source: request.source,
      requests: request.requests,
    },
    ...{ received, ...counts, unchanged: received - counts.inserted - counts.updated - counts.held },
    message: messageOf({ received, counts, events, verdicts, isBaseline, profile }),
    detail: {
      ...{ changed, limits: verdicts, oddities: await odditiesIn(transaction), baseline: isBaseline, events },
      ...(profile === null ? {} : { profile }),
    },
  });
}

async function closePreview(
  transaction: Transaction,
  request: EmployeesCommitRequest,
  received: number,
  verdicts: readonly BrakeVerdict[],
): Promise<SyncResult> {
  await storeProposals(transaction, request, null);
  return closeRun(transaction, request, {
    ...{ outcome: 'preview', failureType: null, source: request.source, requests: request.requests },
    ...{ received, inserted: 0, updated: 0, unchanged: received, missing: 0, held: 0 },
    message: `${received} employees received. Nothing was changed: this was a preview.`,
    detail: { limits: verdicts },
  });
}

async function noteState(
  transaction: Transaction,
  { connectionId, runId, collectedAt }: EmployeesCommitRequest,
  isBaseline: boolean,
): Promise<void> {
  await transaction.run(
    `insert into personio.connection_state (connection_id, employees_collected_at) values ($1, $2)
     on conflict (connection_id) do update set employees_collected_at = excluded.employees_collected_at`,
    [connectionId, collectedAt],
  );
  if (!isBaseline) return;
  await transaction.run(
    'update personio.connection_state set baseline_run_id = $2, baseline_at = clock_timestamp() where connection_id = $1',
    [connectionId, runId],
  );
}

/** Contradictions in records, counted by kind. */
async function odditiesIn(transaction: Transaction): Promise<Readonly<Record<string, number>>> {
  const rows = await transaction.rows<{ oddity: string; people: number }>(
    'select oddity, count(*) as people from decided cross join unnest(oddities) as oddity group by 1 order by 1',
  );
  return Object.fromEntries(rows.map(({ oddity, people }) => [oddity, people]));
}

interface Told {
  readonly received: number;
  readonly counts: MergeCounts;
  readonly events: number;
  readonly verdicts: readonly BrakeVerdict[];
  readonly isBaseline: boolean;
  readonly profile: NotedProfile | null;
}

function messageOf({ received, counts, events, verdicts, isBaseline, profile }: Told): string {
  const { inserted, updated, missing, held } = counts;
  const unchanged = received - inserted - updated - held;
  const figures = `${received} employees received: ${inserted} new, ${updated} changed, ${unchanged} unchanged, ${missing} missing, ${held} held.`;
  const alarms = profile?.alarms.map(({ sentence }) => sentence) ?? [];
  if (isBaseline) {
    const baseline = `This first read is the baseline: ${events} coming starts and ends are planned, and nothing else is news.`;
    return [figures, baseline, ...alarms].join(' ');
  }
  const news = `${events} lifecycle ${events === 1 ? 'event' : 'events'}.`;
  return [
    figures,
    news,
    ...BRAKE_CLASSES.flatMap((name) => verdicts.filter((verdict) => verdict.class === name).map(brakeSentence)),
    ...alarms,
  ].join(' ');
}
