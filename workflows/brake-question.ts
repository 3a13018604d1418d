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

/** The question of a braked run: waits for a person's answer, or for a newer run that asks in its place. */
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

  /** @param question the sentences that the person decides on. */
  async waitForVerdict(question: string): Promise<Verdict | 'replaced'> {
    this.isOpen = true;
    const { runId } = this.request;
    const { workflowId: id } = workflowInfo();
    setCurrentDetails(
      `**Waiting for a person's decision.** ${question}\n\n` +
        `\`personio-sync approve ${runId} --by NAME --reason TEXT\`, or \`reject\`; or \`temporal workflow update execute --workflow-id ${id} ` +
        `--name approve --input '{"by": "NAME", "reason": "TEXT"}'\`. Until then these people keep their old state.`,
    );
    await condition(() => this.verdict !== null && allHandlersFinished());
    return this.verdict ?? 'replaced';
  }

  private validate(input: VerdictInput): void {
    // What another program sends has the shape that it has, whatever the type says.
    const fields: Partial<Record<string, unknown>> = { ...input };
    for (const name of ['by', 'reason'] as const) {
      const text = fields[name];
      if (typeof text !== 'string' || text.trim() === '' || text.length > MAX_TEXT_CHARACTERS)
        throw new TypeError(
          `Say who decides and why: { "by": "…", "reason": "…" }, each at most ${MAX_TEXT_CHARACTERS} characters.`,
        );
    }
    if (this.verdict !== null || this.isBusy)
      throw new Error(`The question is answered already: ${this.verdict ?? 'just now'}.`);
    if (!this.isOpen) throw new Error('Nobody is held here yet: the run is still deciding.');
  }

  private async recordVerdict(verdict: Verdict, { by, reason }: VerdictInput): Promise<VerdictResult> {
    this.isBusy = true;
    try {
      const { connectionId, runId } = this.request;
      const { people } = await store.decideHeld.executeWithOptions({ summary: `Note that this was ${verdict}` }, [
        {
          connectionId,
          runId,
          decision: verdict,
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

/** Outlives this workflow: it is a sync like any other. */
async function startFreshRead(connectionId: string, runId: string): Promise<string> {
  const id = workflowId.approved(connectionId, runId);
  const input: SyncInput = { connection: connectionId };
  try {
    await startChild(WORKFLOW_TYPE.employees, {
      workflowId: id,
      taskQueue: TASK_QUEUE.sync,
      args: [input],
      parentClosePolicy: 'ABANDON',
      staticSummary: `Reads ${connectionId} anew after the approval of run ${runId}`,
    });
  } catch (error) {
    // The one that runs already began after the approval as well.
    if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
  }
  return id;
}
