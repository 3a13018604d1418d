import { WorkflowIdConflictPolicy } from '@temporalio/client';
import type { WorkflowHandle } from '@temporalio/client';
import { readSettings } from '../../config/settings.js';
import { TASK_QUEUE, WORKFLOW_TYPE, workflowId } from '../../contracts/internal/names.js';
import type { VerdictInput, SyncInput } from '../../contracts/internal/sync.js';
import { listRunEvents } from '../../store/events/queries.js';
import type { CommandDefinition } from '../command.js';
import { parseVerdictOptions, submitVerdict } from '../decide-run.js';
import type { SubmittedVerdict } from '../decide-run.js';
import type { ExitCode } from '../exit.js';
import { createOutput } from '../output.js';
import { formatRun, formatProgress } from '../run-lines.js';
import { waitForRun } from '../run-sync.js';
import { openSession } from '../session.js';
import type { Session } from '../session.js';
import { reportRuns } from './sync.js';

interface Options extends VerdictInput {
  readonly json?: boolean;
}

/** `approve RUN --by NAME --reason TEXT` */
export const approveCommand: CommandDefinition = (program, finish) => {
  program
    .command('approve')
    .description('let the people change whom a braked run holds: asks for a fresh read, and waits for it')
    .argument('<run>', 'the run that holds them, as `status` names it')
    .requiredOption('--by <name>', 'who answers for it')
    .requiredOption('--reason <text>', 'why')
    .option('--json', 'print one JSON document')
    .action(async (runId: string, options: Options) => finish(run(runId, options)));
};

async function run(runId: string, options: Options): Promise<ExitCode> {
  const output = createOutput(options.json === true, process.stdout, process.stderr);
  const attribution = parseVerdictOptions(options);
  const session = await openSession(readSettings(), 'approve');
  try {
    const decided = await submitVerdict(session, runId, 'approved', attribution);
    output.note(
      `Approved: the changes of ${decided.people} people. Personio is read anew, and what was approved is committed.`,
    );
    const { connectionId } = decided;
    const handle = await startFreshRead(session, runId, decided);
    const ended = await waitForRun(handle, { connectionId, endpoint: 'employees', joined: false }, (of, progress) =>
      output.note(formatProgress(of, progress)),
    );
    output.say(formatRun(ended));
    return reportRuns(output, [ended], await listRunEvents(session.database, [ended.runId]));
  } finally {
    await session.close();
  }
}

/** The one that the waiting workflow has started; where none waited, one of our own. */
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
    staticSummary: `Reads ${connectionId} anew after the approval of run ${runId}`,
  });
}
