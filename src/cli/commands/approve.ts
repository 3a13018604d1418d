import { WorkflowIdConflictPolicy } from '@temporalio/client';
import type { WorkflowHandle } from '@temporalio/client';
import { readSettings } from '../../config/settings.js';
import { TASK_QUEUE, WORKFLOW_TYPE, workflowId } from '../../contracts/names.js';
import type { BrakeAnswer, SyncInput } from '../../contracts/sync.js';
import { eventsOfRuns } from '../../store/event-queries.js';
import type { CommandDefinition } from '../command.js';
import { answerOf, decideRun } from '../decide-run.js';
import type { Decided } from '../decide-run.js';
import type { ExitCode } from '../exit.js';
import { createOutput } from '../output.js';
import { lineOf, progressLine } from '../run-lines.js';
import { reportOf } from '../run-sync.js';
import { openSession } from '../session.js';
import type { Session } from '../session.js';
import { report } from './sync.js';

interface Options extends BrakeAnswer {
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
  const answer = answerOf(options);
  const session = await openSession(readSettings(), 'approve');
  try {
    const decided = await decideRun(session, runId, 'approved', answer);
    output.note(
      `Approved: the changes of ${decided.people} people. Personio is read anew, and what was approved is committed.`,
    );
    const { connectionId } = decided;
    const handle = await freshRead(session, runId, decided);
    const ended = await reportOf(handle, { connectionId, endpoint: 'employees', joined: false }, (of, progress) =>
      output.note(progressLine(of, progress)),
    );
    output.say(lineOf(ended));
    return report(output, [ended], await eventsOfRuns(session.database, [ended.runId]));
  } finally {
    await session.close();
  }
}

/** The one that the waiting workflow has started; where none waited, one of our own. */
async function freshRead(
  { temporal }: Session,
  runId: string,
  { connectionId, freshReadId }: Decided,
): Promise<WorkflowHandle> {
  if (freshReadId !== null) return temporal.client.workflow.getHandle(freshReadId);
  const input: SyncInput = { connection: connectionId };
  return temporal.client.workflow.start(WORKFLOW_TYPE.employees, {
    ...{ taskQueue: TASK_QUEUE.sync, args: [input], workflowId: workflowId.approved(connectionId, runId) },
    workflowIdConflictPolicy: WorkflowIdConflictPolicy.USE_EXISTING,
    staticSummary: `Reads ${connectionId} anew after the approval of run ${runId}`,
  });
}
