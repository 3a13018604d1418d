import { readSettings } from '../../config/settings.js';
import type { BrakeCheck } from '../../domain/brake.js';
import { findNames, readPreview } from '../../store/employees/preview.js';
import type { PreviewEvent, PreviewReport } from '../../store/employees/preview.js';
import type { CommandDefinition } from '../command.js';
import { CommandError, EXIT } from '../exit.js';
import type { ExitCode } from '../exit.js';
import { createOutput, formatTable } from '../output.js';
import type { Output } from '../output.js';
import { printProgress } from '../runs/progress.js';
import { formatRun, toExitCode } from '../runs/report-runs.js';
import { requireWorker } from '../runs/require-worker.js';
import { runPreview } from '../runs/start-run.js';
import type { RunReport } from '../runs/wait-for-run.js';
import { openSession, resolveKnownConnection } from '../session.js';

interface Options {
  readonly connection?: string;
  readonly names?: boolean;
  readonly json?: boolean;
}

/** `preview employees` */
export const previewCommand: CommandDefinition = (program, finish) => {
  program
    .command('preview')
    .description('read all employees and show the events that a sync would cause, without changing any data')
    .argument('<endpoint>', 'employees, the only endpoint with lifecycle events')
    .option('--connection <id>', 'connection to read (default: the only one, or that of PERSONIO_CLIENT_ID)')
    .option('--names', 'show the names of stored employees')
    .option('--json', 'print one JSON document')
    .action(async (endpoint: string, options: Options) => finish(run(endpoint, options)));
};

async function run(endpoint: string, options: Options): Promise<ExitCode> {
  const output = createOutput(options.json === true, process.stdout, process.stderr);
  if (endpoint !== 'employees') throw new CommandError(`Only employees can be previewed, not ${endpoint}.`, EXIT.usage);
  const settings = readSettings();
  const session = await openSession(settings, 'preview');
  try {
    const connectionId = await resolveKnownConnection(session, options.connection);
    await requireWorker(session.temporal);
    const ended = await runPreview(session.temporal.client, connectionId, printProgress(output.note));
    if (ended.outcome !== 'preview') {
      output.say(formatRun(ended));
      output.printJson({ ok: false, exitCode: toExitCode(ended), runId: ended.runId, message: ended.message });
      return toExitCode(ended);
    }
    const preview = await readPreview(session.database, ended.runId);
    const ids = options.names === true ? preview.events.map(({ employeeId }) => employeeId) : [];
    const names = await findNames(session.database, connectionId, ids);
    show(output, ended, preview, names);
    return EXIT.done;
  } finally {
    await session.close();
  }
}

function show(
  output: Output,
  ended: RunReport,
  { wouldBrake, limits, why, events }: PreviewReport,
  names: ReadonlyMap<string, string>,
): void {
  const named = events.map((event) => {
    const name = names.get(event.employeeId);
    return name === undefined ? event : { ...event, name };
  });
  output.printJson({ ok: true, exitCode: EXIT.done, runId: ended.runId, wouldBrake, limits, why, events: named });
  for (const line of formatTable(events.map((event) => toEventRow(event, names)))) output.say(line);
  if (events.length === 0) output.say('No employee would join, move or leave.');
  output.say('');
  for (const line of formatTable(limits.map(toLimitRow))) output.say(line);
  for (const sentence of why) output.say(`${sentence}.`);
  output.say(wouldBrake ? 'The run would be braked and wait for approval.' : 'The run would not be braked.');
  output.say(ended.message);
}

function toEventRow(event: PreviewEvent, names: ReadonlyMap<string, string>): readonly string[] {
  const { kind, employeeId, effectiveDate, state, late, changes, held } = event;
  const name = names.get(employeeId);
  return [
    kind,
    name === undefined ? employeeId : `${employeeId} ${name}`,
    effectiveDate,
    late ? 'late' : state,
    changes.map(formatChange).join('; '),
    held ? 'would be held' : '',
  ];
}

function formatChange({ attribute, from, to }: PreviewEvent['changes'][number]): string {
  const formatValue = (value: unknown): string => (typeof value === 'string' ? value : JSON.stringify(value ?? null));
  return from === undefined && to === undefined ? attribute : `${attribute}: ${formatValue(from)} → ${formatValue(to)}`;
}

function toLimitRow({ class: name, count, of, allowed, window, isOver }: BrakeCheck): readonly string[] {
  const within = window === 'day' ? 'within 24 hours' : 'in this run';
  return [name, `${count} of ${of} ${within}`, `limit ${allowed}`, isOver ? 'over the limit' : ''];
}
