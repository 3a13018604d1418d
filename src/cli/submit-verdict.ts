import { randomUUID } from 'node:crypto';
import { WorkflowNotFoundError, WorkflowUpdateFailedError } from '@temporalio/client';
import type { Verdict } from '../contracts/internal/activities.js';
import { UPDATE, workflowId } from '../contracts/internal/names.js';
import type { VerdictInput, VerdictResult } from '../contracts/internal/sync.js';
import { applyVerdict, findBrakedRun } from '../store/employees/verdicts.js';
import { CommandError, EXIT } from './exit.js';
import { requireWorker } from './runs/require-worker.js';
import type { Session } from './session.js';

const MAX_CHARACTERS = 500;

/** Approval or rejection that was accepted. */
export interface SubmittedVerdict {
  readonly connectionId: string;
  /** Number of people that the run held. */
  readonly people: number;
  /** Workflow id of the fresh read that the waiting run started; null where none waited, or after a rejection. */
  readonly freshReadId: string | null;
}

/**
 * Sends a verdict to the workflow that waits for it. Where none waits any more (a newer run replaced it, it was
 * rejected before, or Temporal lost it), stores the verdict directly: it applies to the event ids that the run listed.
 *
 * @throws CommandError where the run does not exist or holds nobody.
 */
export async function submitVerdict(
  session: Session,
  runId: string,
  verdict: Verdict,
  attribution: VerdictInput,
): Promise<SubmittedVerdict> {
  const run = await findBrakedRun(session.database, runId);
  if (run === null) {
    throw new CommandError(
      `There is no run ${runId}. \`personio-sync status\` shows the runs that wait for approval.`,
      EXIT.usage,
    );
  }
  const { connectionId, outcome } = run;
  if (outcome !== 'braked') {
    const state = outcome === null ? 'has not ended yet' : `ended as ${outcome}`;
    throw new CommandError(`The run ${runId} of ${run.endpoint} ${state}, so there is nothing to approve or reject.`);
  }
  await requireWorker(session.temporal);
  const result =
    (await sendToWaitingRun(session, workflowId.lifecycle(connectionId, runId), verdict, attribution)) ??
    (await applyVerdict(session.database, {
      connectionId,
      runId,
      verdict: verdict,
      by: attribution.by,
      reason: attribution.reason,
      requestId: randomUUID(),
    }));
  return { connectionId, freshReadId: null, ...result };
}

/** Returns null where no workflow waits for the verdict. */
async function sendToWaitingRun(
  { temporal }: Session,
  id: string,
  verdict: Verdict,
  attribution: VerdictInput,
): Promise<VerdictResult | null> {
  const update = verdict === 'approved' ? UPDATE.approve : UPDATE.reject;
  try {
    const handle = temporal.client.workflow.getHandle(id);
    return await handle.executeUpdate<VerdictResult, [VerdictInput]>(update, { args: [attribution] });
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return null;
    if (!(error instanceof WorkflowUpdateFailedError)) throw error;
    throw new CommandError(`The run refused the verdict: ${error.cause?.message ?? error.message}`);
  }
}

/** Returns the trimmed options. @throws CommandError (usage) that names every invalid one. */
export function parseVerdictOptions({ by, reason }: VerdictInput): VerdictInput {
  const faults = Object.entries({ by, reason })
    .filter(([, text]) => text.trim() === '' || text.length > MAX_CHARACTERS)
    .map(([name]) => `--${name} must not be empty or longer than ${MAX_CHARACTERS} characters.`);
  if (faults.length > 0) throw new CommandError(faults.join(' '), EXIT.usage);
  return { by: by.trim(), reason: reason.trim() };
}
