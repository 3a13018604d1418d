import { readSettings } from '../../config/settings.js';
import { openDatabase } from '../../store/database.js';
import { explain } from '../../store/events/explain.js';
import type { Explanation } from '../../store/events/explain.js';
import { requireSchema } from '../../store/migrate.js';
import type { CommandDefinition } from '../command.js';
import { CommandError, EXIT } from '../exit.js';
import type { ExitCode } from '../exit.js';
import { createOutput, formatTable } from '../output.js';
import type { Output } from '../output.js';
import { resolveServers } from '../servers.js';

interface Options {
  readonly names?: boolean;
  readonly json?: boolean;
}

/** `explain EVENT` */
export const explainCommand: CommandDefinition = (program, finish) => {
  program
    .command('explain')
    .description(
      'why an event exists: the run, the values before and after, the rule, what superseded it, who was told when',
    )
    .argument('<event>', 'the id of the event')
    .option('--names', 'show names and e-mail')
    .option('--json', 'print one JSON document')
    .action(async (eventId: string, options: Options) => finish(run(eventId, options)));
};

async function run(eventId: string, options: Options): Promise<ExitCode> {
  const output = createOutput(options.json === true, process.stdout, process.stderr);
  const { databaseUrl } = resolveServers(readSettings());
  const database = openDatabase({ url: databaseUrl, applicationName: 'personio-sync explain', poolSize: 1 });
  try {
    await requireSchema(database);
    const explanation = await explain(database, eventId, options.names === true);
    if (explanation === null)
      throw new CommandError(
        `No run has ever proposed an event ${eventId}. The feed, \`personio-sync status\` and \`preview employees\` show ids.`,
        EXIT.usage,
      );
    output.printJson(explanation);
    show(output, explanation);
    return EXIT.done;
  } finally {
    await database.close();
  }
}

function show(output: Output, explanation: Explanation): void {
  const { event, run: of, rule, supersedes, supersededBy, deliveries } = explanation;
  const when = `${event.effectiveDate}, at ${event.effectiveAt} (${event.timeZone})${event.late ? ', late' : ''}`;
  const details = [
    ['event', event.eventId],
    ['what', `${event.kind} of employee ${event.employeeId}, episode ${event.episode}: ${event.state}`],
    ['effective', when],
    [
      'detected',
      `${event.detectedAt}, by run ${of?.runId ?? 'that is no longer stored'}${of === null ? '' : ` (${of.outcome ?? 'running'})`}`,
    ],
    ['rule', `${rule}, see docs/lifecycle.md`],
    ...(supersedes === null ? [] : [['corrects', supersedes]]),
    ...(supersededBy === null ? [] : [['superseded', `by ${supersededBy}`]]),
  ];
  for (const line of formatTable(details)) output.say(line);
  for (const line of formatTable(toValueRows(explanation))) output.say(line);
  output.say(deliveries.length === 0 ? 'Nobody is told of it.' : 'Told:');
  for (const line of formatTable(deliveries.map(toDeliveryRow))) output.say(line);
}

function formatValue(value: unknown): string {
  if (value === null || value === undefined) return '—';
  return typeof value === 'string' ? value : JSON.stringify(value);
}

/** The values that differ; with only one side known, those that are there. */
function toValueRows({ before, after }: Explanation): readonly (readonly string[])[] {
  const names = [...new Set([...Object.keys(before?.values ?? {}), ...Object.keys(after?.values ?? {})])];
  const rows = names
    .map((name) => [name, formatValue(before?.values[name]), formatValue(after?.values[name])])
    .filter(([, from, to]) => from !== to);
  return [
    [
      'value',
      `before${before === null ? ' (not stored)' : `, from ${before.at}`}`,
      `after${after === null ? ' (not committed)' : `, from ${after.at}`}`,
    ],
    ...rows,
  ];
}

function toDeliveryRow(delivery: Explanation['deliveries'][number]): readonly string[] {
  return ['subscriber', 'purpose', 'state', 'dueAt', 'sentAt', 'acknowledgedAt', 'note'].map((name) =>
    formatValue(delivery[name]),
  );
}
