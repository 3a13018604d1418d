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
  HeldDecision,
} from '../src/contracts/activities.js';
import { SEARCH_ATTRIBUTE, SIGNAL, workflowId } from '../src/contracts/names.js';
import { BrakeQuestion } from './brake-question.js';
import { store } from './proxies.js';

/** What became of a run's transitions; with a question, how it ended. */
export interface DetectOutcome extends EmployeesCommitOutcome {
  readonly answer: HeldDecision | 'replaced' | null;
}

const keyOf = (name: string): ReturnType<typeof defineSearchAttributeKey<'KEYWORD'>> =>
  defineSearchAttributeKey(name, 'KEYWORD');

/**
 * Child of `syncEmployees`: decides, brakes and commits in one step, then hands the new events over for delivery. Where people are held
 * it stays, visibly, until somebody has approved or rejected, or a newer run asks in its place.
 */
export async function detectLifecycleTransitions(request: EmployeesCommitRequest): Promise<DetectOutcome> {
  const question = new BrakeQuestion(request);
  upsertSearchAttributes([
    { key: keyOf(SEARCH_ATTRIBUTE.connection), value: request.connectionId },
    { key: keyOf(SEARCH_ATTRIBUTE.endpoint), value: request.endpoint },
  ]);
  setCurrentDetails('Comparing the snapshot with what is stored, and deciding who joins, moves and leaves.');
  const outcome = await store.commitEmployees.executeWithOptions(
    { summary: request.preview ? 'Decide what would happen' : 'Decide, brake and commit, all or nothing' },
    [request],
  );
  await tellParent(outcome);
  if (outcome.result === null) {
    setCurrentDetails(`Nothing was committed: ${outcome.incomplete ?? ''}`);
    return { ...outcome, answer: null };
  }
  show(outcome.result.outcome, outcome.result.message);
  if (request.preview) return { ...outcome, answer: null };
  await Promise.all(outcome.replaced.map(async (runId) => tellReplaced(request.connectionId, runId)));
  // Once the commit has answered, what was committed is told, also where somebody cancels this workflow. Where it fails, that is known at the end.
  const handingOver = CancellationScope.nonCancellable(async () => handOver(request));
  handingOver.catch(() => undefined);
  try {
    if (outcome.question === null) return { ...outcome, answer: null };
    // A crowd takes minutes, and nobody has to wait for it with the answer.
    const answer = await question.answered(outcome.question);
    show(answer, `${outcome.question} ${ANSWERED[answer]}`);
    return { ...outcome, answer };
  } finally {
    await handingOver;
  }
}

async function handOver({ connectionId, onlyEmployeeId }: EmployeesCommitRequest): Promise<void> {
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

const ANSWERED = {
  approved: 'Approved: a fresh read commits what was approved, and holds what has come since.',
  rejected: 'Rejected: these people keep their old state as long as Personio says the same.',
  replaced: 'A newer read has taken this one’s place: what is still held is asked there.',
} as const;

function show(outcome: string, message: string): void {
  upsertSearchAttributes([{ key: keyOf(SEARCH_ATTRIBUTE.outcome), value: outcome }]);
  setCurrentDetails(`**${outcome}**\n\n${message}`);
}

async function tellParent(outcome: EmployeesCommitOutcome): Promise<void> {
  const parent = workflowInfo().parent;
  if (parent === undefined) return;
  try {
    await getExternalWorkflowHandle(parent.workflowId, parent.runId).signal(SIGNAL.transitionsDecided, outcome);
  } catch {
    // The parent was cancelled or terminated meanwhile. What was committed stands, and its row says so.
  }
}

async function tellReplaced(connectionId: string, runId: string): Promise<void> {
  try {
    await getExternalWorkflowHandle(workflowId.lifecycle(connectionId, runId)).signal(SIGNAL.replaced);
  } catch {
    // It was answered, terminated or lost meanwhile: nobody waits there.
  }
}
