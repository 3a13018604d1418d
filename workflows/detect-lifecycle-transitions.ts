import {
  CancellationScope,
  getExternalWorkflowHandle,
  patched,
  setCurrentDetails,
  upsertSearchAttributes,
  workflowInfo,
} from '@temporalio/workflow';
import type {
  DispatchRequest,
  EmployeesCommitOutcome,
  EmployeesCommitRequest,
  Verdict,
} from '../src/contracts/internal/activities.js';
import { SEARCH_ATTRIBUTE, SIGNAL, toSearchAttributeKey, workflowId } from '../src/contracts/internal/names.js';
import { BrakeQuestion } from './brake-question.js';
import { store } from './proxies.js';

/** Outcome of the commit, with the verdict on its question; null where nothing was asked. */
export interface DetectOutcome extends EmployeesCommitOutcome {
  readonly verdict: Verdict | 'replaced' | null;
}

/**
 * Child of `syncEmployees`: decides, brakes and commits in one step, then dispatches the new events. While people are
 * on hold it keeps running, visibly, until an operator approves or rejects, or the question of a newer run replaces
 * its own.
 */
export async function detectLifecycleTransitions(request: EmployeesCommitRequest): Promise<DetectOutcome> {
  const question = new BrakeQuestion(request);
  upsertSearchAttributes([
    { key: toSearchAttributeKey(SEARCH_ATTRIBUTE.connection), value: request.connectionId },
    { key: toSearchAttributeKey(SEARCH_ATTRIBUTE.endpoint), value: request.endpoint },
  ]);
  setCurrentDetails('Comparing the snapshot with the stored employees and deciding who joins, moves and leaves.');
  const outcome = await store.commitEmployees.executeWithOptions(
    { summary: request.preview ? 'Decide without committing' : 'Decide, brake and commit in one transaction' },
    [request],
  );
  await signalParent(outcome);
  if (outcome.result === null) {
    setCurrentDetails(`Nothing was committed: ${outcome.incomplete ?? ''}`);
    return { ...outcome, verdict: null };
  }
  showOutcome(outcome.result.outcome, outcome.result.message);
  if (request.preview) return { ...outcome, verdict: null };
  await Promise.all(outcome.replaced.map(async (runId) => signalReplaced(request.connectionId, runId)));
  // Whatever was committed is dispatched, even if this workflow is cancelled. A failure surfaces at the end.
  const pendingDispatch = CancellationScope.nonCancellable(async () => dispatchAll(request));
  pendingDispatch.catch(() => undefined);
  try {
    if (outcome.question === null) return { ...outcome, verdict: null };
    // Dispatching thousands takes minutes, and the verdict does not wait for it.
    const verdict = await question.waitForVerdict(outcome.question);
    showOutcome(verdict, `${outcome.question} ${VERDICT_SENTENCES[verdict]}`);
    // A leaving whose withdrawal was rejected falls due, at once if its time has passed.
    if (verdict === 'rejected' && patched('dispatch-rejected')) {
      await pendingDispatch;
      await dispatchAll(request);
    }
    return { ...outcome, verdict };
  } finally {
    await pendingDispatch;
  }
}

async function dispatchAll({ connectionId, onlyEmployeeId }: EmployeesCommitRequest): Promise<void> {
  for (let request: DispatchRequest = { connectionId, onlyEmployeeId }; ;) {
    const { left } = await store.dispatchEvents.executeWithOptions({ summary: 'Dispatch open events' }, [request]);
    // Histories of older workers lack this number.
    if (!(left > 0)) return;
    request = { ...request, left };
  }
}

const VERDICT_SENTENCES = {
  approved: 'Approved: a fresh read commits what was approved, and holds newer changes.',
  rejected: 'Rejected: these people keep their old state until the data in Personio changes.',
  replaced: 'Replaced: a newer run asks about everybody who is still on hold.',
} as const;

function showOutcome(outcome: string, message: string): void {
  upsertSearchAttributes([{ key: toSearchAttributeKey(SEARCH_ATTRIBUTE.outcome), value: outcome }]);
  setCurrentDetails(`**${outcome}**\n\n${message}`);
}

async function signalParent(outcome: EmployeesCommitOutcome): Promise<void> {
  const parent = workflowInfo().parent;
  if (parent === undefined) return;
  try {
    await getExternalWorkflowHandle(parent.workflowId, parent.runId).signal(SIGNAL.transitionsDecided, outcome);
  } catch {
    // The parent was cancelled or terminated meanwhile. The commit remains, and the run's row says so.
  }
}

async function signalReplaced(connectionId: string, runId: string): Promise<void> {
  try {
    await getExternalWorkflowHandle(workflowId.lifecycle(connectionId, runId)).signal(SIGNAL.replaced);
  } catch {
    // It was decided, terminated or lost meanwhile: nobody waits there.
  }
}
