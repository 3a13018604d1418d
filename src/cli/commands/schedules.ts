import { readSettings } from '../../config/settings.js';
import type { TemporalClients } from '../../temporal/connection.js';
import { applySchedules, deleteSchedules, listSchedules } from '../../temporal/schedules.js';
import type { CommandDefinition } from '../command.js';
import { EXIT } from '../exit.js';
import type { ExitCode } from '../exit.js';
import { createOutput, formatTable } from '../output.js';
import type { Output } from '../output.js';
import { openSession, readInstallation } from '../session.js';
import type { Session } from '../session.js';
import { withTemporal } from '../with-temporal.js';

const ACTIONS = {
  apply: 'make the Temporal schedules match the settings',
  show: 'list the schedules with their next run and whether they are paused',
  delete: 'delete all schedules; syncs no longer start on their own',
} as const;

/** `schedules apply|show|delete` */
export const schedulesCommand: CommandDefinition = (program, finish) => {
  const schedules = program.command('schedules').description('manage the Temporal schedules that start syncs');
  for (const action of ['apply', 'show', 'delete'] as const) {
    schedules
      .command(action)
      .description(ACTIONS[action])
      .option('--json', 'print one JSON document')
      .action(async (options: { json?: boolean }) => finish(run(action, options.json === true)));
  }
};

async function run(action: keyof typeof ACTIONS, json: boolean): Promise<ExitCode> {
  const output = createOutput(json, process.stdout, process.stderr);
  const settings = readSettings();
  if (action === 'show') {
    await withTemporal(settings, 'schedules', async (temporal) => show(temporal, output));
    return EXIT.done;
  }
  const session = await openSession(settings, 'schedules');
  try {
    await (action === 'apply' ? apply : remove)(session, output);
    return EXIT.done;
  } finally {
    await session.close();
  }
}

async function apply(session: Session, output: Output): Promise<void> {
  const installation = await readInstallation(session);
  const { foreign, ...changes } = await applySchedules(installation, session.settings.policy.schedule);
  for (const id of changes.created) output.say(`created  ${id}`);
  for (const id of changes.updated) output.say(`updated  ${id}`);
  for (const id of changes.deleted) output.say(`deleted  ${id}`);
  if (foreign.length > 0) {
    output.note(
      `Left alone: ${foreign.join(', ')}, which another installation has in this namespace. ` +
        'The workers of both take from the same task queues: give each installation a namespace of its own.',
    );
  }
  output.printJson({ ok: true, ...changes });
}

async function show({ client }: TemporalClients, output: Output): Promise<void> {
  const schedules = [];
  for (const id of await listSchedules(client)) {
    const { spec, info, state } = await client.schedule.getHandle(id).describe();
    const nextRunAt = info.nextActionTimes[0]?.toISOString() ?? null;
    schedules.push({
      scheduleId: id,
      nextRunAt,
      timeZone: spec.timezone ?? 'UTC',
      paused: state.paused,
      note: state.note ?? null,
    });
  }
  const rows = schedules.map(({ scheduleId, nextRunAt, paused, note }) => [
    scheduleId,
    paused ? `paused${note === null ? '' : `: ${note}`}` : `next ${nextRunAt ?? 'never'}`,
  ]);
  for (const line of formatTable(rows)) output.say(line);
  if (rows.length === 0) output.say('There are no schedules. Create them with `personio-sync schedules apply`.');
  output.printJson({ ok: true, schedules });
}

async function remove(session: Session, output: Output): Promise<void> {
  const deleted = await deleteSchedules(await readInstallation(session));
  for (const id of deleted) output.say(`deleted  ${id}`);
  output.printJson({ ok: true, deleted });
}
