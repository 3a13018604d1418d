import {
  getExternalWorkflowHandle,
  setCurrentDetails,
  upsertSearchAttributes,
  workflowInfo,
} from '@temporalio/workflow';
import { defineSearchAttributeKey } from '@temporalio/common';
import type { EmployeesCommitOutcome, EmployeesCommitRequest } from '../src/contracts/activities.js';
import { SEARCH_ATTRIBUTE, SIGNAL } from '../src/contracts/names.js';
import { store } from './proxies.js';

/** Child of `syncEmployees`: decides, brakes and commits in one step, then hands the new events over for delivery. */
export async function detectLifecycleTransitions(request: EmployeesCommitRequest): Promise<EmployeesCommitOutcome> {
  const keyOf = (name: string): ReturnType<typeof defineSearchAttributeKey<'KEYWORD'>> =>
    defineSearchAttributeKey(name, 'KEYWORD');
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
    return outcome;
  }
  upsertSearchAttributes([{ key: keyOf(SEARCH_ATTRIBUTE.outcome), value: outcome.result.outcome }]);
  setCurrentDetails(outcome.result.message);
  if (!request.preview) {
    await store.dispatchEvents.executeWithOptions({ summary: 'Hand open events to the persons’ workflows' }, [
      { connectionId: request.connectionId },
    ]);
  }
  return outcome;
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
