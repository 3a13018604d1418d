import { listDeliveries } from '../../store/deliveries/queries.js';
import type { DeliveryRecord } from '../../store/deliveries/queries.js';
import type { CommandDefinition } from '../command.js';
import { withDatabase } from '../database-only.js';
import { CommandError, EXIT } from '../exit.js';
import type { ExitCode } from '../exit.js';
import { createOutput, formatTable } from '../output.js';

interface Options {
  readonly dead?: boolean;
  readonly state?: string;
  readonly subscriber?: string;
  readonly limit?: string;
  readonly json?: boolean;
}

const DEFAULT_LIMIT = '1000';

/** `deliveries [--dead] [--state STATE] [--subscriber NAME] [--limit N] [--json]` */
export const deliveriesCommand: CommandDefinition = (program, finish) => {
  program
    .command('deliveries')
    .description('what was, or is to be, sent to whom, and who acknowledged it when; the latest first')
    .option('--dead', 'only what was given up after 28 days')
    .option('--state <state>', 'only those in this state, such as overdue')
    .option('--subscriber <name>', 'only those to this subscriber')
    .option('--limit <number>', 'at most so many', DEFAULT_LIMIT)
    .option('--json', 'print one JSON document')
    .action(async (options: Options) => finish(run(options)));
};

async function run(options: Options): Promise<ExitCode> {
  const output = createOutput(options.json === true, process.stdout, process.stderr);
  const limit = Number(options.limit ?? DEFAULT_LIMIT);
  if (!Number.isInteger(limit) || limit < 1) throw new CommandError('--limit takes a whole number from 1.', EXIT.usage);
  const filter = {
    state: options.dead === true ? 'dead' : (options.state ?? null),
    subscriber: options.subscriber ?? null,
  };
  return withDatabase('deliveries', async (database) => {
    const found = await listDeliveries(database, { ...filter, limit: limit + 1 });
    const deliveries = found.slice(0, limit);
    output.printJson({ deliveries, more: found.length > limit });
    for (const line of formatTable(deliveries.map(toRow))) output.say(line);
    if (deliveries.length === 0) output.say('There are no such deliveries.');
    if (found.length > limit) output.say(`There are more than ${limit}; ask for more with --limit.`);
    return EXIT.done;
  });
}

function toRow(delivery: DeliveryRecord): readonly string[] {
  const { deliveryId, subscriber, purpose, state, attempts, dueAt, acknowledgedAt, note, lastError } = delivery;
  const when = acknowledgedAt === null ? `due ${dueAt}` : `acknowledged ${acknowledgedAt}`;
  const remarks = [note, lastError].filter((text) => text !== null).join('; ');
  return [state, subscriber, purpose, when, `${attempts} tries`, deliveryId, remarks];
}
