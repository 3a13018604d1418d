import type { EmployeesCommitOutcome, EmployeesCommitRequest } from '../contracts/activities.js';
import type { SyncResult } from '../contracts/sync.js';
import type { Policy } from '../domain/policy.js';
import { noteAttributes } from './attribute-profile.js';
import type { NotedProfile } from './attribute-profile.js';
import type { Database, Transaction } from './database.js';
import { lockEndpoint, incompleteReason } from './collections.js';
import { NO_BRAKING, brake, changedPeople } from './employees-brake.js';
import type { Braking } from './employees-brake.js';
import { decideAll } from './employees-decide.js';
import { mergeEmployees } from './employees-merge.js';
import type { MergeCounts } from './employees-merge.js';
import { selectPairs } from './employees-pairs.js';
import { odditiesOf } from './employees-oddities.js';
import { storeEvents } from './events.js';
import { reasonsOfRun, replacedBy, storeHeld, storeProposals } from './proposals.js';
import { closeRun, closedRun } from './runs.js';
import { unaskedMissing } from './staging.js';

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
    if (ended !== null) return outcomeOf(transaction, ended);
    const state = await connectionState(transaction, request.connectionId);
    const incomplete =
      (await incompleteReason(transaction, request)) ??
      staleReason(request, state) ??
      (await unaskedReason(transaction, request));
    if (incomplete !== null) return { incomplete, result: null, question: null, replaced: [] };
    const isBaseline = state.baselineRunId === null;
    const { received } = await selectPairs(transaction, request);
    await decideAll(transaction, request, { ...context, isBaseline });
    const braking = isBaseline ? NO_BRAKING : await brake(transaction, request, context.policy);
    const result = request.preview
      ? await closePreview(transaction, request, received, braking)
      : await commit(transaction, request, { ...context, received, braking, isBaseline });
    return outcomeOf(transaction, result);
  });
}

/** From the rows, so that an attempt whose answer was lost says the same again. */
async function outcomeOf(transaction: Transaction, result: SyncResult): Promise<EmployeesCommitOutcome> {
  const asks = result.outcome === 'braked';
  return {
    ...{ incomplete: null, result },
    question: asks ? `${(await reasonsOfRun(transaction, result.runId)).join('. ')}.` : null,
    replaced: await replacedBy(transaction, result.runId),
  };
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

/** Missing is believed of those alone whom Personio answered with 404, in this run. */
async function unaskedReason(transaction: Transaction, request: EmployeesCommitRequest): Promise<string | null> {
  if (request.onlyEmployeeId !== null) return null;
  const unasked = await unaskedMissing(transaction, request, request.reading, 1);
  return unasked.length === 0 ? null : 'people are missing who were not asked for by id';
}

interface CommitContext extends EmployeesCommitContext {
  readonly received: number;
  readonly braking: Braking;
  readonly isBaseline: boolean;
}

async function commit(
  transaction: Transaction,
  request: EmployeesCommitRequest,
  context: CommitContext,
): Promise<SyncResult> {
  const { received, braking, isBaseline, policy } = context;
  // One person says nothing about what the credential may read.
  const profile =
    request.onlyEmployeeId === null
      ? await noteAttributes(transaction, request.connectionId, policy.attributesToStore)
      : null;
  const counts = await mergeEmployees(transaction, request);
  const events = await storeEvents(transaction, request, policy);
  await storeProposals(transaction, request, 'asked');
  const replaces = await storeHeld(transaction, request);
  await noteState(transaction, request, isBaseline);
  const changed = await changedPeople(transaction);
  const oddities = await odditiesOf(transaction, request, policy.offices);
  return closeRun(transaction, request, {
    ...{ outcome: braking.asked > 0 ? 'braked' : 'succeeded', failureType: null, source: request.source },
    ...{ requests: request.requests, received, ...counts },
    unchanged: received - counts.inserted - counts.updated - counts.held,
    message: messageOf({ received, counts, events, braking, isBaseline, profile }),
    detail: {
      ...{ changed, limits: braking.limits, why: braking.why, asked: braking.asked, rejected: braking.rejected },
      ...{ replaces, oddities, baseline: isBaseline, events },
      ...(profile === null ? {} : { profile }),
    },
  });
}

async function closePreview(
  transaction: Transaction,
  request: EmployeesCommitRequest,
  received: number,
  braking: Braking,
): Promise<SyncResult> {
  await storeProposals(transaction, request, null);
  const wouldHold = braking.why.length === 0 ? '' : ` ${braking.why.join('. ')}.`;
  return closeRun(transaction, request, {
    ...{ outcome: 'preview', failureType: null, source: request.source, requests: request.requests },
    ...{ received, inserted: 0, updated: 0, unchanged: received, missing: 0, held: 0 },
    message: `${received} employees received. Nothing was changed: this was a preview.${wouldHold}`,
    detail: { limits: braking.limits, why: braking.why, asked: braking.asked },
  });
}

async function noteState(
  transaction: Transaction,
  { connectionId, runId, collectedAt, onlyEmployeeId }: EmployeesCommitRequest,
  isBaseline: boolean,
): Promise<void> {
  await transaction.run(
    `insert into personio.connection_state as s (connection_id, employees_collected_at, employees_committed_at)
     values ($1, $2, case when $3 then clock_timestamp() end)
     on conflict (connection_id) do update set employees_collected_at = excluded.employees_collected_at,
       employees_committed_at = coalesce(excluded.employees_committed_at, s.employees_committed_at)`,
    [connectionId, collectedAt, onlyEmployeeId === null],
  );
  if (!isBaseline) return;
  await transaction.run(
    'update personio.connection_state set baseline_run_id = $2, baseline_at = clock_timestamp() where connection_id = $1',
    [connectionId, runId],
  );
}

interface Told {
  readonly received: number;
  readonly counts: MergeCounts;
  readonly events: number;
  readonly braking: Braking;
  readonly isBaseline: boolean;
  readonly profile: NotedProfile | null;
}

function messageOf({ received, counts, events, braking, isBaseline, profile }: Told): string {
  const { inserted, updated, missing, held } = counts;
  const unchanged = received - inserted - updated - held;
  const figures = `${received} employees received: ${inserted} new, ${updated} changed, ${unchanged} unchanged, ${missing} missing, ${held} held.`;
  const alarms = profile?.alarms.map(({ sentence }) => sentence) ?? [];
  if (isBaseline) {
    const baseline = `This first read is the baseline: ${events} coming starts and ends are planned, and nothing else is news.`;
    return [figures, baseline, ...alarms].join(' ');
  }
  const news = `${events} lifecycle ${events === 1 ? 'event' : 'events'}.`;
  return [figures, news, ...braking.why.map((sentence) => `${sentence}.`), ...alarms].join(' ');
}
