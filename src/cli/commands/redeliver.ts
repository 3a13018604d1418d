import { userInfo } from 'node:os';
import { wakePersons } from '../../../activities/index.js';
import { readSettings } from '../../config/settings.js';
import type { Policy, Subscriber } from '../../domain/policy.js';
import { requireSchema } from '../../store/migrate.js';
import { redeliver, redeliverSince } from '../../store/deliveries/redeliver.js';
import type { Redelivery } from '../../store/deliveries/redeliver.js';
import type { CommandDefinition } from '../command.js';
import { CommandError, EXIT } from '../exit.js';
import type { ExitCode } from '../exit.js';
import { createOutput } from '../output.js';
import { openSession } from '../session.js';
import type { Session } from '../session.js';

interface Options {
  readonly subscriber?: string;
  readonly since?: string;
  readonly by?: string;
  readonly reason?: string;
  readonly json?: boolean;
}

/** `redeliver DELIVERY…` / `redeliver --subscriber NAME --since D` */
export const redeliverCommand: CommandDefinition = (program, finish) => {
  program
    .command('redeliver')
    .description('send dead, failed or overdue deliveries again; or give a subscriber what it missed')
    .argument('[deliveries...]', 'delivery ids, as `deliveries` lists them')
    .option('--subscriber <name>', 'everything that this subscriber missed')
    .option('--since <date>', 'from this day (YYYY-MM-DD, UTC) or moment on')
    .option('--by <name>', 'who decides; default: the user of the operating system')
    .option('--reason <text>', 'why, for the record', 'sent again by hand')
    .option('--json', 'print one JSON document')
    .action(async (ids: readonly string[], options: Options) => finish(run(ids, options)));
};

async function run(ids: readonly string[], options: Options): Promise<ExitCode> {
  const output = createOutput(options.json === true, process.stdout, process.stderr);
  const settings = readSettings();
  const what = parseSelection(ids, options, settings.policy);
  const who = { actor: options.by ?? userInfo().username, reason: options.reason ?? '' };
  const session = await openSession(settings, 'redeliver');
  try {
    await requireSchema(session.database);
    const result =
      what.subscriber === null
        ? await redeliver(session.database, ids, who)
        : await redeliverSince(session.database, what.subscriber, what.since, who);
    await dispatchRedelivered(session, result);
    const exitCode = result.refused.length > 0 ? EXIT.failed : EXIT.done;
    const redelivered = result.redelivered.map(({ deliveryId }) => deliveryId);
    output.printJson({ ok: exitCode === EXIT.done, exitCode, redelivered, refused: result.refused });
    for (const { deliveryId, sentence } of result.refused) output.note(`${deliveryId}: ${sentence}`);
    output.say(
      `${redelivered.length} deliveries are sent again. \`personio-sync deliveries\` shows what becomes of them.`,
    );
    return exitCode;
  } finally {
    await session.close();
  }
}

type RedeliverySelection = { readonly subscriber: null } | { readonly subscriber: Subscriber; readonly since: string };

function parseSelection(
  ids: readonly string[],
  { subscriber: name, since }: Options,
  { subscribers }: Policy,
): RedeliverySelection {
  if (ids.length > 0 && name === undefined && since === undefined) return { subscriber: null };
  if (ids.length > 0 || name === undefined || since === undefined) {
    throw new CommandError(
      'Name either deliveries, or a subscriber with --subscriber and a day with --since.',
      EXIT.usage,
    );
  }
  const subscriber = subscribers.find((one) => one.name === name);
  if (subscriber === undefined) {
    const known = subscribers.map((one) => one.name).join(', ');
    throw new CommandError(
      `The policy names no subscriber ${name}; there are ${known === '' ? 'none' : known}.`,
      EXIT.usage,
    );
  }
  if (!/^\d{4}-\d{2}-\d{2}/.test(since) || Number.isNaN(Date.parse(since))) {
    throw new CommandError('--since takes a day such as 2026-11-01, or an ISO 8601 moment.', EXIT.usage);
  }
  return { subscriber, since: new Date(since).toISOString() };
}

/** A workflow that waits for a later moment would only look then. */
async function dispatchRedelivered({ temporal }: Session, { redelivered }: Redelivery): Promise<void> {
  const connections = new Set(redelivered.map(({ connectionId }) => connectionId));
  for (const connectionId of connections) {
    const mine = redelivered.filter((one) => one.connectionId === connectionId).map(({ employeeId }) => employeeId);
    const people = [...new Set(mine)].map((employeeId) => ({ employeeId }));
    await wakePersons(temporal.client, connectionId, people);
  }
}
