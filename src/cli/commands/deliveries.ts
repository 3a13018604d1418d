import { InvalidArgumentError, Option } from 'commander';
import { readSettings } from '../../config/settings.js';
import type { Delivery } from '../../domain/delivery.js';
import { listDeliveries } from '../../store/deliveries/queries.js';
import type { DeliveryRecord } from '../../store/deliveries/queries.js';
import type { CommandDefinition } from '../command.js';
import { EXIT } from '../exit.js';
import type { ExitCode } from '../exit.js';
import { createOutput, formatTable } from '../output.js';
import { withDatabase } from '../with-database.js';

interface Options {
  readonly dead?: boolean;
  readonly state?: string;
  readonly subscriber?: string;
  readonly limit: number;
  readonly json?: boolean;
}

const DEFAULT_LIMIT = 1_000;
const STATES = [
  'waiting',
  'sent',
  'acknowledged',
  'failed',
  'overdue',
  'dead',
  'superseded',
] as const satisfies readonly Delivery['state'][];

/** `deliveries [--dead] [--state STATE] [--subscriber NAME] [--limit N] [--json]` */
export const deliveriesCommand: CommandDefinition = (program, finish) => {
  program
    .command('deliveries')
    .description('list deliveries with state and acknowledgement, newest first')
    .option('--dead', 'only deliveries that were given up after 28 days')
    .addOption(new Option('--state <state>', 'only deliveries in this state').choices(STATES))
    .option('--subscriber <name>', 'only deliveries to this subscriber')
    .option('--limit <number>', 'maximum number of rows', parseLimit, DEFAULT_LIMIT)
    .option('--json', 'print one JSON document')
    .action(async (options: Options) => finish(run(options)));
};

function parseLimit(text: string): number {
  const limit = Number(text);
  if (!Number.isInteger(limit) || limit < 1) throw new InvalidArgumentError('must be a whole number from 1.');
  return limit;
}

async function run({ dead, state, subscriber, limit, json }: Options): Promise<ExitCode> {
  const output = createOutput(json === true, process.stdout, process.stderr);
  const filter = { state: dead === true ? 'dead' : (state ?? null), subscriber: subscriber ?? null };
  return withDatabase(readSettings(), 'deliveries', async (database) => {
    const found = await listDeliveries(database, { ...filter, limit: limit + 1 });
    const deliveries = found.slice(0, limit);
    output.printJson({ deliveries, more: found.length > limit });
    for (const line of formatTable(deliveries.map(toRow))) output.say(line);
    if (deliveries.length === 0) output.say('No deliveries match.');
    if (found.length > limit) output.say(`More than ${limit} deliveries match; raise --limit to see them.`);
    return EXIT.done;
  });
}

function toRow(delivery: DeliveryRecord): readonly string[] {
  const { deliveryId, subscriber, purpose, state, attempts, dueAt, acknowledgedAt, note, lastError } = delivery;
  const when = acknowledgedAt === null ? `due ${dueAt}` : `acknowledged ${acknowledgedAt}`;
  const remarks = [note, lastError].filter((text) => text !== null).join('; ');
  return [state, subscriber, purpose, when, `attempts ${attempts}`, deliveryId, remarks];
}
