import {
  CancellationScope,
  getExternalWorkflowHandle,
  setCurrentDetails,
  upsertSearchAttributes,
  workflowInfo,
} from '@temporalio/workflow';
import { defineSearchAttributeKey } from '@temporalio/common';
import type {
  DispatchRequest,
  EmployeesCommitOutcome,
  EmployeesCommitRequest,
  Verdict,
} from '../src/contracts/internal/activities.js';
import { SEARCH_ATTRIBUTE, SIGNAL, workflowId } from '../src/contracts/internal/names.js';
import { BrakeQuestion } from './brake-question.js';
import { store } from './proxies.js';

/** What became of a run's transitions; with a question, how it ended. */
export interface DetectOutcome extends EmployeesCommitOutcome {
  readonly answer: Verdict | 'replaced' | null;
}

const toSearchAttributeKey = (name: string): ReturnType<typeof defineSearchAttributeKey<'KEYWORD'>> =>
  defineSearchAttributeKey(name, 'KEYWORD');

/**
 * Child of `syncEmployees`: decides, brakes and commits in one step, then hands the new events over for delivery. Where people are held
 * it stays, visibly, until somebody has approved or rejected, or a newer run asks in its place.
 */
export async function detectLifecycleTransitions(request: EmployeesCommitRequest): Promise<DetectOutcome> {
  const question = new BrakeQuestion(request);
  upsertSearchAttributes([
    { key: toSearchAttributeKey(SEARCH_ATTRIBUTE.connection), value: request.connectionId },
    { key: toSearchAttributeKey(SEARCH_ATTRIBUTE.endpoint), value: request.endpoint },
  ]);
  setCurrentDetails('Comparing the snapshot with what is stored, and deciding who joins, moves and leaves.');
  const outcome = await store.commitEmployees.executeWithOptions(
    { summary: request.preview ? 'Decide what would happen' : 'Decide, brake and commit, all or nothing' },
    [request],
  );
  await signalParent(outcome);
  if (outcome.result === null) {
    setCurrentDetails(`Nothing was committed: ${outcome.incomplete ?? ''}`);
    return { ...outcome, answer: null };
  }
  showOutcome(outcome.result.outcome, outcome.result.message);
  if (request.preview) return { ...outcome, answer: null };
  await Promise.all(outcome.replaced.map(async (runId) => signalReplaced(request.connectionId, runId)));
  // Once the commit has answered, what was committed is told, also where somebody cancels this workflow. Where it fails, that is known at the end.
  const pendingDispatch = CancellationScope.nonCancellable(async () => dispatchAll(request));
  pendingDispatch.catch(() => undefined);
  try {
    if (outcome.question === null) return { ...outcome, answer: null };
    // A crowd takes minutes, and nobody has to wait for it with the answer.
    const verdict = await question.waitForVerdict(outcome.question);
    showOutcome(verdict, `${outcome.question} ${VERDICT_SENTENCES[verdict]}`);
    return { ...outcome, answer: verdict };
  } finally {
    await pendingDispatch;
  }
}

async function dispatchAll({ connectionId, onlyEmployeeId }: EmployeesCommitRequest): Promise<void> {
  for (let request: DispatchRequest = { connectionId, onlyEmployeeId }; ;) {
    const { left } = await store.dispatchEvents.executeWithOptions(
      { summary: 'Hand open events to the persons’ workflows' },
      [request],
    );
    // In histories of older workers there is no such number.
    if (!(left > 0)) return;
    request = { ...request, left };
  }
}

const VERDICT_SENTENCES = {
  approved: 'Approved: a fresh read commits what was approved, and holds what has come since.',
  rejected: 'Rejected: these people keep their old state as long as Personio says the same.',
  replaced: 'A newer read has taken this one’s place: what is still held is asked there.',
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
    // The parent was cancelled or terminated meanwhile. What was committed stands, and its row says so.
  }
}

async function signalReplaced(connectionId: string, runId: string): Promise<void> {
  try {
    await getExternalWorkflowHandle(workflowId.lifecycle(connectionId, runId)).signal(SIGNAL.replaced);
  } catch {
    // It was answered, terminated or lost meanwhile: nobody waits there.
  }
}
