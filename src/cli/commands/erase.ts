import type { Command } from 'commander';
import { readSettings } from '../../config/settings.js';
import { erasePerson, isKnownPerson } from '../../store/employees/erasure.js';
import { requireSchema } from '../../store/migrate.js';
import { endLifecycle } from '../../temporal/open-workflows.js';
import { requireText } from '../actor.js';
import type { CommandDefinition } from '../command.js';
import { CommandError, EXIT } from '../exit.js';
import type { ExitCode } from '../exit.js';
import { createOutput } from '../output.js';
import { resolveDefaultConnection, openSession } from '../session.js';

/** What `erase` and `readmit` are given. */
export interface PersonOptions {
  readonly by: string;
  readonly reason: string;
  readonly connection?: string;
  readonly json?: boolean;
}

/** `erase EMPLOYEE` */
export const eraseCommand: CommandDefinition = (program, finish) => {
  addPersonOptions(
    program
      .command('erase')
      .description('forget a person; no sync brings them back until `readmit`')
      .argument('<employee>', "Personio's id of the person"),
  ).action(async (employeeId: string, options: PersonOptions) => finish(run(employeeId, options)));
};

/** The options that `erase` and `readmit` share. */
export function addPersonOptions(command: Command): Command {
  return command
    .requiredOption('--by <name>', 'who answers for it')
    .requiredOption('--reason <text>', 'why; without names, since it is kept')
    .option('--connection <id>', 'which connection')
    .option('--json', 'print one JSON document');
}

async function run(employeeId: string, options: PersonOptions): Promise<ExitCode> {
  const output = createOutput(options.json === true, process.stdout, process.stderr);
  const by = { actor: requireText('--by', options.by), reason: requireText('--reason', options.reason) };
  const settings = readSettings();
  const session = await openSession(settings, 'erase');
  try {
    const { database, temporal } = session;
    await requireSchema(database);
    // A connection that was removed may have left its data: whose person it was is what counts.
    const connectionId =
      options.connection ?? resolveDefaultConnection(settings, await session.listKnownConnectionIds());
    const person = { connectionId, employeeId };
    if (!(await isKnownPerson(database, person)))
      throw new CommandError(`No table of ${connectionId} knows an employee of this id. Nothing was changed.`);
    const erasure = await erasePerson(database, person, by);
    const workflowEnded = await endLifecycle(temporal.client, person, 'The person was erased.');
    const { history, attendances, planned, events } = erasure;
    output.say(
      `Employee ${employeeId} of ${connectionId} is erased: ${history} rows of history, ${attendances} attendances and ${planned} planned events are gone, ` +
        `${events} events stay as bare facts. No sync brings the person back until \`personio-sync readmit ${employeeId}\`.`,
    );
    output.printJson({ ok: true, exitCode: EXIT.done, ...person, ...erasure, workflowEnded });
    return EXIT.done;
  } finally {
    await session.close();
  }
}
