import { WorkflowIdConflictPolicy } from '@temporalio/client';
import type { WorkflowHandle } from '@temporalio/client';
import { readSettings } from '../../config/settings.js';
import { TASK_QUEUE, WORKFLOW_TYPE, workflowId } from '../../contracts/internal/names.js';
import type { SyncInput, VerdictInput } from '../../contracts/internal/sync.js';
import { listRunEvents } from '../../store/events/queries.js';
import type { CommandDefinition } from '../command.js';
import { parseVerdictOptions, submitVerdict } from '../submit-verdict.js';
import type { SubmittedVerdict } from '../submit-verdict.js';
import type { ExitCode } from '../exit.js';
import { createOutput } from '../output.js';
import { printProgress } from '../runs/progress.js';
import { formatRun, reportRuns } from '../runs/report-runs.js';
import { waitForRun } from '../runs/wait-for-run.js';
import { openSession } from '../session.js';
import type { Session } from '../session.js';

interface Options extends VerdictInput {
  readonly json?: boolean;
}

/** `approve RUN --by NAME --reason TEXT` */
export const approveCommand: CommandDefinition = (program, finish) => {
  program
    .command('approve')
    .description('approve the changes a run is holding: re-read Personio and commit them')
    .argument('<run>', 'ID of the run, as shown by `status`')
    .requiredOption('--by <name>', 'person responsible, recorded in the audit log')
    .requiredOption('--reason <text>', 'reason, recorded in the audit log')
    .option('--json', 'print one JSON document')
    .action(async (runId: string, options: Options) => finish(run(runId, options)));
};

async function run(runId: string, options: Options): Promise<ExitCode> {
  const output = createOutput(options.json === true, process.stdout, process.stderr);
  const attribution = parseVerdictOptions(options);
  const session = await openSession(readSettings(), 'approve');
  try {
    const verdict = await submitVerdict(session, runId, 'approved', attribution);
    const { connectionId, people } = verdict;
    output.note(`Approved the changes of ${people} employees. Re-reading Personio to commit them.`);
    const handle = await startFreshRead(session, runId, verdict);
    const run = { connectionId, endpoint: 'employees', joined: false } as const;
    const ended = await waitForRun(handle, run, printProgress(output.note));
    output.say(formatRun(ended));
    return reportRuns(output, [ended], await listRunEvents(session.database, [ended.runId]));
  } finally {
    await session.close();
  }
}

/** Returns the fresh read that the waiting workflow started; where none waited, starts one. */
async function startFreshRead(
  { temporal }: Session,
  runId: string,
  { connectionId, freshReadId }: SubmittedVerdict,
): Promise<WorkflowHandle> {
  if (freshReadId !== null) return temporal.client.workflow.getHandle(freshReadId);
  const input: SyncInput = { connection: connectionId };
  return temporal.client.workflow.start(WORKFLOW_TYPE.employees, {
    taskQueue: TASK_QUEUE.sync,
    args: [input],
    workflowId: workflowId.approved(connectionId, runId),
    workflowIdConflictPolicy: WorkflowIdConflictPolicy.USE_EXISTING,
    staticSummary: `Re-reads ${connectionId} after the approval of run ${runId}`,
  });
}
