import { randomUUID } from 'node:crypto';
import { WorkflowNotFoundError, WorkflowUpdateFailedError } from '@temporalio/client';
import type { Verdict } from '../contracts/internal/activities.js';
import { UPDATE, workflowId } from '../contracts/internal/names.js';
import type { VerdictInput, VerdictResult } from '../contracts/internal/sync.js';
import { requireSchema } from '../store/migrate.js';
import { findBrakedRun, applyVerdict } from '../store/employees/holds.js';
import { CommandError, EXIT } from './exit.js';
import { requireWorker } from './run-sync.js';
import type { Session } from './session.js';

/** What a person has decided on, and how many people it is about. */
export interface SubmittedVerdict {
  readonly connectionId: string;
  readonly people: number;
  /** The fresh read that the waiting workflow has started; null where none waited, or after a rejection. */
  readonly freshReadId: string | null;
}

/**
 * Gives a person's answer to the workflow that waits for it. Where none waits any more (a newer run asks, the run was rejected before, or
 * Temporal was lost), the answer is stored without it: it is about the ids that the run listed.
 *
 * @throws CommandError when there is no such run, or it held nobody.
 */
export async function submitVerdict(
  session: Session,
  runId: string,
  verdict: Verdict,
  attribution: VerdictInput,
): Promise<SubmittedVerdict> {
  await requireSchema(session.database);
  const run = await findBrakedRun(session.database, runId);
  if (run === null)
    throw new CommandError(
      `There is no run ${runId}. \`personio-sync status\` names the runs that wait for a decision.`,
      EXIT.usage,
    );
  const { connectionId, outcome } = run;
  if (outcome !== 'braked') {
    const ended = outcome === null ? 'has not ended yet' : `ended as ${outcome}`;
    throw new CommandError(
      `The run ${runId} of the ${run.endpoint} ${ended} and asks nobody: there is nothing to decide.`,
    );
  }
  await requireWorker(session.temporal);
  const result =
    (await sendToWaitingRun(session, workflowId.lifecycle(connectionId, runId), verdict, attribution)) ??
    (await applyVerdict(session.database, {
      connectionId,
      runId,
      decision: verdict,
      by: attribution.by,
      reason: attribution.reason,
      requestId: randomUUID(),
    }));
  return { connectionId, freshReadId: null, ...result };
}

/** @returns null where nobody waits for the answer. */
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
    throw new CommandError(`The run did not take the answer: ${error.cause?.message ?? error.message}`);
  }
}

/** @returns the answer, checked. @throws CommandError (usage) */
export function parseVerdictOptions({ by, reason }: VerdictInput): VerdictInput {
  const faults = Object.entries({ by, reason })
    .filter(([, text]) => text.trim() === '' || text.length > 500)
    .map(([name]) => `--${name} has to say something, in at most 500 characters.`);
  if (faults.length > 0) throw new CommandError(faults.join(' '), EXIT.usage);
  return { by: by.trim(), reason: reason.trim() };
}
