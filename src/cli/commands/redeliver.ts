import { dispatchPersons } from '../../../activities/index.js';
import { readSettings } from '../../config/settings.js';
import type { Policy, Subscriber } from '../../domain/policy.js';
import { redeliver, redeliverSince } from '../../store/deliveries/redeliver.js';
import type { Redelivery } from '../../store/deliveries/redeliver.js';
import { resolveActor } from '../actor.js';
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
  readonly reason: string;
  readonly json?: boolean;
}

/** `redeliver DELIVERY…` / `redeliver --subscriber NAME --since D` */
export const redeliverCommand: CommandDefinition = (program, finish) => {
  program
    .command('redeliver')
    .description('send dead, failed or overdue deliveries again, or send a subscriber what it missed')
    .argument('[deliveries...]', 'IDs of deliveries, as shown by `deliveries`')
    .option('--subscriber <name>', 'send everything that this subscriber missed; needs --since')
    .option('--since <date>', 'first day (YYYY-MM-DD, UTC) or moment (ISO 8601)')
    .option('--by <name>', 'person responsible, recorded in the audit log (default: the user of the operating system)')
    .option('--reason <text>', 'reason, recorded in the audit log', 'manual redelivery')
    .option('--json', 'print one JSON document')
    .action(async (ids: readonly string[], options: Options) => finish(run(ids, options)));
};

async function run(ids: readonly string[], options: Options): Promise<ExitCode> {
  const output = createOutput(options.json === true, process.stdout, process.stderr);
  const settings = readSettings();
  const selection = parseSelection(ids, options, settings.policy);
  const attribution = { actor: resolveActor(options.by), reason: options.reason };
  const session = await openSession(settings, 'redeliver');
  try {
    const result =
      selection.subscriber === null
        ? await redeliver(session.database, ids, attribution)
        : await redeliverSince(session.database, selection.subscriber, selection.since, attribution);
    await dispatchRedelivered(session, result);
    const exitCode = result.refused.length > 0 ? EXIT.failed : EXIT.done;
    const redelivered = result.redelivered.map(({ deliveryId }) => deliveryId);
    output.printJson({ ok: exitCode === EXIT.done, exitCode, redelivered, refused: result.refused });
    for (const { deliveryId, sentence } of result.refused) output.note(`${deliveryId}: ${sentence}`);
    output.say(`Sending ${redelivered.length} deliveries again. Follow them with \`personio-sync deliveries\`.`);
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
      'Pass either the IDs of deliveries, or --subscriber and --since. See `personio-sync redeliver --help`.',
      EXIT.usage,
    );
  }
  const subscriber = subscribers.find((one) => one.name === name);
  if (subscriber === undefined) {
    const known = subscribers.length === 0 ? 'none' : subscribers.map((one) => one.name).join(', ');
    throw new CommandError(`Unknown subscriber ${name}. Subscribers of the policy: ${known}.`, EXIT.usage);
  }
  if (!/^\d{4}-\d{2}-\d{2}/.test(since) || Number.isNaN(Date.parse(since))) {
    throw new CommandError('--since must be a day such as 2026-11-01, or an ISO 8601 moment.', EXIT.usage);
  }
  return { subscriber, since: new Date(since).toISOString() };
}

/** Signals the employees' workflows, which otherwise look again only at the next due time. */
async function dispatchRedelivered({ temporal }: Session, { redelivered }: Redelivery): Promise<void> {
  const connections = new Set(redelivered.map(({ connectionId }) => connectionId));
  for (const connectionId of connections) {
    const own = redelivered.filter((one) => one.connectionId === connectionId);
    const people = [...new Set(own.map(({ employeeId }) => employeeId))].map((employeeId) => ({ employeeId }));
    await dispatchPersons(temporal.client, connectionId, people);
  }
}
