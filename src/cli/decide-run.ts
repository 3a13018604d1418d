import { randomUUID } from 'node:crypto';
import { WorkflowNotFoundError, WorkflowUpdateFailedError } from '@temporalio/client';
import type { HeldDecision } from '../contracts/activities.js';
import { UPDATE, workflowId } from '../contracts/names.js';
import type { BrakeAnswer, BrakeAnswered } from '../contracts/sync.js';
import { requireSchema } from '../store/migrate.js';
import { brakedRun, decideHeld } from '../store/proposals.js';
import { CommandFailed, EXIT } from './exit.js';
import { requireWorker } from './run-sync.js';
import type { Session } from './session.js';

/** What a person has decided on, and how many people it is about. */
export interface Decided {
  readonly connectionId: string;
  readonly people: number;
  /** The fresh read that the waiting workflow has started; null where none waited, or after a rejection. */
  readonly freshReadId: string | null;
}

/**
 * Gives a person's answer to the workflow that waits for it. Where none waits any more (a newer run asks, the run was rejected before, or
 * Temporal was lost), the answer is stored without it: it is about the ids that the run listed.
 *
 * @throws CommandFailed when there is no such run, or it held nobody.
 */
export async function decideRun(
  session: Session,
  runId: string,
  decision: HeldDecision,
  answer: BrakeAnswer,
): Promise<Decided> {
  await requireSchema(session.database);
  const run = await brakedRun(session.database, runId);
  if (run === null)
    throw new CommandFailed(
      `There is no run ${runId}. \`personio-sync status\` names the runs that wait for a decision.`,
      EXIT.usage,
    );
  const { connectionId, outcome } = run;
  if (outcome !== 'braked') {
    const ended = outcome === null ? 'has not ended yet' : `ended as ${outcome}`;
    throw new CommandFailed(
      `The run ${runId} of the ${run.endpoint} ${ended} and asks nobody: there is nothing to decide.`,
    );
  }
  await requireWorker(session.temporal);
  const answered =
    (await askWaiting(session, workflowId.lifecycle(connectionId, runId), decision, answer)) ??
    (await decideHeld(session.database, {
      ...{ connectionId, runId, decision, by: answer.by, reason: answer.reason, requestId: randomUUID() },
    }));
  return { connectionId, freshReadId: null, ...answered };
}

/** @returns null where nobody waits for the answer. */
async function askWaiting(
  { temporal }: Session,
  id: string,
  decision: HeldDecision,
  answer: BrakeAnswer,
): Promise<BrakeAnswered | null> {
  const update = decision === 'approved' ? UPDATE.approve : UPDATE.reject;
  try {
    const handle = temporal.client.workflow.getHandle(id);
    return await handle.executeUpdate<BrakeAnswered, [BrakeAnswer]>(update, { args: [answer] });
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return null;
    if (!(error instanceof WorkflowUpdateFailedError)) throw error;
    throw new CommandFailed(`The run did not take the answer: ${error.cause?.message ?? error.message}`);
  }
}

/** @returns the answer, checked. @throws CommandFailed (usage) */
export function answerOf({ by, reason }: BrakeAnswer): BrakeAnswer {
  const faults = Object.entries({ by, reason })
    .filter(([, text]) => text.trim() === '' || text.length > 500)
    .map(([name]) => `--${name} has to say something, in at most 500 characters.`);
  if (faults.length > 0) throw new CommandFailed(faults.join(' '), EXIT.usage);
  return { by: by.trim(), reason: reason.trim() };
}
