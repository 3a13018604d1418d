import { defineSearchAttributeKey } from '@temporalio/common';
import { readSettings } from '../../config/settings.js';
import { SEARCH_ATTRIBUTE, TASK_QUEUE, WORKFLOW_TYPE, workflowId } from '../../contracts/internal/names.js';
import type { DayWindow, SyncInput } from '../../contracts/internal/sync.js';
import { findWindowFault } from '../../domain/attendance-window.js';
import { isCalendarDay } from '../../domain/zones.js';
import type { CommandDefinition } from '../command.js';
import { CommandError, EXIT } from '../exit.js';
import type { ExitCode } from '../exit.js';
import { createOutput } from '../output.js';
import { printProgress } from '../runs/progress.js';
import { formatRun, reportRuns } from '../runs/report-runs.js';
import { requireWorker } from '../runs/require-worker.js';
import { startOrJoin } from '../runs/start-run.js';
import { waitForRun } from '../runs/wait-for-run.js';
import { openSession, resolveKnownConnection } from '../session.js';

interface Options {
  readonly from: string;
  readonly to: string;
  readonly connection?: string;
  readonly json?: boolean;
}

/** `backfill attendances --from D --to D` */
export const backfillCommand: CommandDefinition = (program, finish) => {
  program
    .command('backfill')
    .description('re-read attendances of a range of days, both included')
    .argument('<endpoint>', 'attendances, the only endpoint that is read by day')
    .requiredOption('--from <date>', 'first day, YYYY-MM-DD')
    .requiredOption('--to <date>', 'last day, YYYY-MM-DD')
    .option('--connection <id>', 'connection to read (default: the only one, or that of PERSONIO_CLIENT_ID)')
    .option('--json', 'print one JSON document')
    .action(async (endpoint: string, options: Options) => finish(run(endpoint, options)));
};

async function run(endpoint: string, options: Options): Promise<ExitCode> {
  const output = createOutput(options.json === true, process.stdout, process.stderr);
  const window = parseWindow(endpoint, options);
  const settings = readSettings();
  const session = await openSession(settings, 'backfill');
  try {
    const connectionId = await resolveKnownConnection(session, options.connection);
    await requireWorker(session.temporal);
    const input: SyncInput = { connection: connectionId, window };
    const { handle, joined } = await startOrJoin(session.temporal.client, WORKFLOW_TYPE.attendances, {
      taskQueue: TASK_QUEUE.sync,
      args: [input],
      workflowId: `${workflowId.sync(connectionId, 'attendances')}:backfill:${window.from}:${window.to}`,
      staticSummary: `Reads the attendances of ${connectionId} from ${window.from} to ${window.to}`,
      typedSearchAttributes: [
        { key: defineSearchAttributeKey(SEARCH_ATTRIBUTE.connection, 'KEYWORD'), value: connectionId },
        { key: defineSearchAttributeKey(SEARCH_ATTRIBUTE.endpoint, 'KEYWORD'), value: 'attendances' },
      ],
    });
    const run = { connectionId, endpoint: 'attendances', joined } as const;
    const ended = await waitForRun(handle, run, printProgress(output.note));
    output.say(formatRun(ended));
    return reportRuns(output, [ended], []);
  } finally {
    await session.close();
  }
}

function parseWindow(endpoint: string, { from, to }: Options): DayWindow {
  const faults = [
    ...(endpoint === 'attendances' ? [] : [`Only attendances can be read by day, not ${endpoint}.`]),
    ...(isCalendarDay(from) ? [] : ['--from must be a calendar day (YYYY-MM-DD).']),
    ...(isCalendarDay(to) ? [] : ['--to must be a calendar day (YYYY-MM-DD).']),
    ...(isCalendarDay(from) && isCalendarDay(to) && from > to ? ['--from must not be after --to.'] : []),
  ];
  const fault = findWindowFault({ from, to });
  if (faults.length === 0 && fault !== null) faults.push(fault);
  if (faults.length > 0) throw new CommandError(faults.join(' '), EXIT.usage);
  return { from, to };
}
