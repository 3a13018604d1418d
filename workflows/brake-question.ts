import {
  allHandlersFinished,
  condition,
  defineSignal,
  defineUpdate,
  setCurrentDetails,
  setHandler,
  startChild,
  workflowInfo,
} from '@temporalio/workflow';
import { WorkflowExecutionAlreadyStartedError } from '@temporalio/common';
import type { EmployeesCommitRequest, HeldDecision } from '../src/contracts/activities.js';
import { SIGNAL, TASK_QUEUE, UPDATE, WORKFLOW_TYPE, workflowId } from '../src/contracts/names.js';
import type { BrakeAnswer, BrakeAnswered, SyncInput } from '../src/contracts/sync.js';
import { store } from './proxies.js';

const approveUpdate = defineUpdate<BrakeAnswered, [BrakeAnswer]>(UPDATE.approve);
const rejectUpdate = defineUpdate<BrakeAnswered, [BrakeAnswer]>(UPDATE.reject);
const replacedSignal = defineSignal(SIGNAL.replaced);

const LONGEST_TEXT = 500;

/** The question of a braked run: waits for a person's answer, or for a newer run that asks in its place. */
export class BrakeQuestion {
  private readonly request: EmployeesCommitRequest;
  private isOpen = false;
  private answer: HeldDecision | 'replaced' | null = null;
  private isBusy = false;

  constructor(request: EmployeesCommitRequest) {
    this.request = request;
    const validator = (answer: BrakeAnswer): void => this.validate(answer);
    setHandler(approveUpdate, async (answer) => this.decide('approved', answer), { validator });
    setHandler(rejectUpdate, async (answer) => this.decide('rejected', answer), { validator });
    setHandler(replacedSignal, () => {
      this.answer ??= 'replaced';
    });
  }

  /** @param why the sentences that the person decides on. */
  async answered(why: string): Promise<HeldDecision | 'replaced'> {
    this.isOpen = true;
    const { runId } = this.request;
    const { workflowId: id } = workflowInfo();
    setCurrentDetails(
      `**Waiting for a person's decision.** ${why}\n\n` +
        `\`personio-sync approve ${runId} --by NAME --reason TEXT\`, or \`reject\`; or \`temporal workflow update execute --workflow-id ${id} ` +
        `--name approve --input '{"by": "NAME", "reason": "TEXT"}'\`. Until then these people keep their old state.`,
    );
    await condition(() => this.answer !== null && allHandlersFinished());
    return this.answer ?? 'replaced';
  }

  private validate(answer: BrakeAnswer): void {
    // What another program sends has the shape that it has, whatever the type says.
    const fields: Partial<Record<string, unknown>> = { ...answer };
    for (const name of ['by', 'reason'] as const) {
      const text = fields[name];
      if (typeof text !== 'string' || text.trim() === '' || text.length > LONGEST_TEXT)
        throw new TypeError(
          `Say who decides and why: { "by": "…", "reason": "…" }, each at most ${LONGEST_TEXT} characters.`,
        );
    }
    if (this.answer !== null || this.isBusy)
      throw new Error(`The question is answered already: ${this.answer ?? 'just now'}.`);
    if (!this.isOpen) throw new Error('Nobody is held here yet: the run is still deciding.');
  }

  private async decide(decision: HeldDecision, { by, reason }: BrakeAnswer): Promise<BrakeAnswered> {
    this.isBusy = true;
    try {
      const { connectionId, runId } = this.request;
      const { people } = await store.decideHeld.executeWithOptions({ summary: `Note that this was ${decision}` }, [
        { connectionId, runId, decision, by: by.trim(), reason: reason.trim(), requestId: workflowInfo().runId },
      ]);
      this.answer = decision;
      return { people, freshReadId: decision === 'approved' ? await startFreshRead(connectionId, runId) : null };
    } finally {
      this.isBusy = false;
    }
  }
}

/** Outlives this workflow: it is a sync like any other. */
async function startFreshRead(connectionId: string, runId: string): Promise<string> {
  const id = workflowId.approved(connectionId, runId);
  const input: SyncInput = { connection: connectionId };
  try {
    await startChild(WORKFLOW_TYPE.employees, {
      ...{ workflowId: id, taskQueue: TASK_QUEUE.sync, args: [input], parentClosePolicy: 'ABANDON' },
      staticSummary: `Reads ${connectionId} anew after the approval of run ${runId}`,
    });
  } catch (error) {
    // The one that runs already began after the approval as well.
    if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
  }
  return id;
}
