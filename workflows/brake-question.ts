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
import type { EmployeesCommitRequest, Verdict } from '../src/contracts/internal/activities.js';
import { SIGNAL, TASK_QUEUE, UPDATE, WORKFLOW_TYPE, workflowId } from '../src/contracts/internal/names.js';
import type { VerdictInput, VerdictResult, SyncInput } from '../src/contracts/internal/sync.js';
import { store } from './proxies.js';

const approveUpdate = defineUpdate<VerdictResult, [VerdictInput]>(UPDATE.approve);
const rejectUpdate = defineUpdate<VerdictResult, [VerdictInput]>(UPDATE.reject);
const replacedSignal = defineSignal(SIGNAL.replaced);

const MAX_TEXT_CHARACTERS = 500;

/** The question of a braked run: waits for an operator's verdict, or until the question of a newer run replaces it. */
export class BrakeQuestion {
  private readonly request: EmployeesCommitRequest;
  private isOpen = false;
  private verdict: Verdict | 'replaced' | null = null;
  private isBusy = false;

  constructor(request: EmployeesCommitRequest) {
    this.request = request;
    const validator = (input: VerdictInput): void => this.validate(input);
    setHandler(approveUpdate, async (input) => this.recordVerdict('approved', input), { validator });
    setHandler(rejectUpdate, async (input) => this.recordVerdict('rejected', input), { validator });
    setHandler(replacedSignal, () => {
      this.verdict ??= 'replaced';
    });
  }

  /** Waits for the verdict on a question, which is one or more sentences. */
  async waitForVerdict(question: string): Promise<Verdict | 'replaced'> {
    this.isOpen = true;
    const { runId } = this.request;
    const { workflowId: id } = workflowInfo();
    setCurrentDetails(
      `**Waiting for approval.** ${question}\n\n` +
        `Run \`personio-sync approve ${runId} --by NAME --reason TEXT\`, or \`reject\`; or ` +
        `\`temporal workflow update execute --workflow-id ${id} --name approve ` +
        `--input '{"by": "NAME", "reason": "TEXT"}'\`. Until then these people keep their old state.`,
    );
    await condition(() => this.verdict !== null && allHandlersFinished());
    return this.verdict ?? 'replaced';
  }

  private validate(input: VerdictInput): void {
    // Another program may send any shape, whatever the type says.
    const fields: Partial<Record<string, unknown>> = { ...input };
    for (const name of ['by', 'reason'] as const) {
      const text = fields[name];
      if (typeof text !== 'string' || text.trim() === '' || text.length > MAX_TEXT_CHARACTERS)
        throw new TypeError(
          `Pass who decides and why: { "by": "…", "reason": "…" }, each at most ${MAX_TEXT_CHARACTERS} characters.`,
        );
    }
    if (this.verdict !== null || this.isBusy)
      throw new Error(`The run is already decided: ${this.verdict ?? 'just now'}.`);
    if (!this.isOpen) throw new Error('Nobody is on hold yet: the run is still deciding. Try again shortly.');
  }

  private async recordVerdict(verdict: Verdict, { by, reason }: VerdictInput): Promise<VerdictResult> {
    this.isBusy = true;
    try {
      const { connectionId, runId } = this.request;
      const { people } = await store.decideHeld.executeWithOptions({ summary: `Record that this was ${verdict}` }, [
        {
          connectionId,
          runId,
          verdict,
          by: by.trim(),
          reason: reason.trim(),
          requestId: workflowInfo().runId,
        },
      ]);
      this.verdict = verdict;
      return { people, freshReadId: verdict === 'approved' ? await startFreshRead(connectionId, runId) : null };
    } finally {
      this.isBusy = false;
    }
  }
}

/** Starts a sync that outlives this workflow. */
async function startFreshRead(connectionId: string, runId: string): Promise<string> {
  const id = workflowId.approved(connectionId, runId);
  const input: SyncInput = { connection: connectionId };
  try {
    await startChild(WORKFLOW_TYPE.employees, {
      workflowId: id,
      taskQueue: TASK_QUEUE.sync,
      args: [input],
      parentClosePolicy: 'ABANDON',
      staticSummary: `Reads ${connectionId} again after the approval of run ${runId}`,
    });
  } catch (error) {
    // The one that is running began after the approval as well.
    if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
  }
  return id;
}
