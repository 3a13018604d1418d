import { readSettings } from '../../config/settings.js';
import { explain } from '../../store/events/explain.js';
import type { Explanation } from '../../store/events/explain.js';
import type { CommandDefinition } from '../command.js';
import { CommandError, EXIT } from '../exit.js';
import type { ExitCode } from '../exit.js';
import { formatMoment } from '../format-event.js';
import { createOutput, formatTable } from '../output.js';
import { withDatabase } from '../with-database.js';

interface Options {
  readonly names?: boolean;
  readonly json?: boolean;
}

/** `explain EVENT` */
export const explainCommand: CommandDefinition = (program, finish) => {
  program
    .command('explain')
    .description('explain why an event exists: its run, rule, values before and after, corrections and deliveries')
    .argument('<event>', 'ID of the event, as shown by `events` and `status`')
    .option('--names', 'show names and email addresses')
    .option('--json', 'print one JSON document')
    .action(async (eventId: string, options: Options) => finish(run(eventId, options)));
};

async function run(eventId: string, { names, json }: Options): Promise<ExitCode> {
  const output = createOutput(json === true, process.stdout, process.stderr);
  return withDatabase(readSettings(), 'explain', async (database) => {
    const explanation = await explain(database, eventId, names === true);
    if (explanation === null) {
      throw new CommandError(
        `There is no event ${eventId}. \`personio-sync events\`, \`status\` and \`preview employees\` show event IDs.`,
        EXIT.usage,
      );
    }
    output.printJson(explanation);
    for (const line of formatExplanation(explanation)) output.say(line);
    return EXIT.done;
  });
}

/** Returns the lines of an explanation; all moments are on the clocks of the employee's office. */
function formatExplanation(explanation: Explanation): readonly string[] {
  const { event, run: of, rule, supersedes, supersededBy, onHoldByRun, deliveries } = explanation;
  const effectiveAt = formatMoment(event.effectiveAt, event.timeZone);
  const detectedAt = formatMoment(event.detectedAt, event.timeZone);
  const source = of === null ? 'a run that is no longer stored' : `run ${of.runId} (${of.outcome ?? 'running'})`;
  const details = [
    ['event', event.eventId],
    ['what', `${event.kind} of employee ${event.employeeId}, episode ${event.episode}: ${event.state}`],
    ['effective', `${event.effectiveDate}, at ${effectiveAt}${event.late ? ', late' : ''}`],
    ['detected', `${detectedAt}, by ${source}`],
    ['rule', `${rule}, see docs/lifecycle.md`],
    ...(supersedes === null ? [] : [['corrects', supersedes]]),
    ...(supersededBy === null ? [] : [['superseded', `by ${supersededBy}`]]),
    ...(onHoldByRun === null ? [] : [['on hold', `until its withdrawal is approved or rejected: run ${onHoldByRun}`]]),
  ];
  return [
    ...formatTable(details),
    ...formatTable(toValueRows(explanation)),
    deliveries.length === 0 ? 'No deliveries.' : 'Deliveries:',
    ...formatTable(deliveries.map((delivery) => toDeliveryRow(delivery, event.timeZone))),
  ];
}

/** Returns the values that differ; where only one side is stored, all values of that side. */
function toValueRows({ event, before, after }: Explanation): readonly (readonly string[])[] {
  const names = [...new Set([...Object.keys(before?.values ?? {}), ...Object.keys(after?.values ?? {})])];
  const rows = names
    .map((name) => [name, formatValue(before?.values[name]), formatValue(after?.values[name])])
    .filter(([, from, to]) => from !== to);
  const headings = [
    before === null ? 'before (not stored)' : `before, from ${formatMoment(before.at, event.timeZone)}`,
    after === null ? 'after (not committed)' : `after, from ${formatMoment(after.at, event.timeZone)}`,
  ];
  return [['value', ...headings], ...rows];
}

function toDeliveryRow(delivery: Explanation['deliveries'][number], timeZone: string): readonly string[] {
  const { subscriber, purpose, state, dueAt, sentAt, acknowledgedAt, note } = delivery;
  const format = (label: string, moment: string | null): string =>
    moment === null ? '—' : `${label} ${formatMoment(moment, timeZone)}`;
  return [
    subscriber,
    purpose,
    state,
    format('due', dueAt),
    format('sent', sentAt),
    format('acknowledged', acknowledgedAt),
    note ?? '—',
  ];
}

function formatValue(value: unknown): string {
  if (value === null || value === undefined) return '—';
  return typeof value === 'string' ? value : JSON.stringify(value);
}
