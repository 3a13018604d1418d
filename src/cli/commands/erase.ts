import type { Command } from 'commander';
import { readSettings } from '../../config/settings.js';
import { erasePerson, isKnownPerson } from '../../store/employees/erasure.js';
import { endLifecycle } from '../../temporal/open-workflows.js';
import { requireText } from '../actor.js';
import type { CommandDefinition } from '../command.js';
import { CommandError, EXIT } from '../exit.js';
import type { ExitCode } from '../exit.js';
import { resolveDefaultConnection } from '../known-connections.js';
import { createOutput } from '../output.js';
import { openSession } from '../session.js';

/** Options that `erase` and `readmit` share. */
export interface PersonOptions {
  readonly by: string;
  readonly reason: string;
  readonly connection?: string;
  readonly json?: boolean;
}

/** `erase EMPLOYEE --by NAME --reason TEXT` */
export const eraseCommand: CommandDefinition = (program, finish) => {
  addPersonOptions(
    program
      .command('erase')
      .description('delete what is stored about an employee; no sync brings them back until `readmit`')
      .argument('<employee>', "the employee's ID in Personio"),
  ).action(async (employeeId: string, options: PersonOptions) => finish(run(employeeId, options)));
};

/** Adds the options that `erase` and `readmit` share. */
export function addPersonOptions(command: Command): Command {
  return command
    .requiredOption('--by <name>', 'person responsible, recorded in the audit log')
    .requiredOption('--reason <text>', 'reason, recorded in the audit log; do not include names')
    .option('--connection <id>', 'connection of the employee (default: the only one, or that of PERSONIO_CLIENT_ID)')
    .option('--json', 'print one JSON document');
}

async function run(employeeId: string, options: PersonOptions): Promise<ExitCode> {
  const output = createOutput(options.json === true, process.stdout, process.stderr);
  const by = { actor: requireText('--by', options.by), reason: requireText('--reason', options.reason) };
  const settings = readSettings();
  const session = await openSession(settings, 'erase');
  try {
    const { database, temporal } = session;
    // A removed connection may have left its data, so --connection need not be a known one.
    const connectionId =
      options.connection ?? resolveDefaultConnection(settings, await session.listKnownConnectionIds());
    const person = { connectionId, employeeId };
    if (!(await isKnownPerson(database, person)))
      throw new CommandError(`No employee of ${connectionId} has this ID. Nothing was changed.`);
    const erasure = await erasePerson(database, person, by);
    const workflowEnded = await endLifecycle(temporal.client, person, 'The person was erased.');
    const { history, attendances, planned, events } = erasure;
    output.say(
      `Erased employee ${employeeId} of ${connectionId}: deleted ${history} history rows, ${attendances} attendances ` +
        `and ${planned} planned events; ${events} events stay without personal data. ` +
        `No sync brings the employee back until \`personio-sync readmit ${employeeId}\`.`,
    );
    output.printJson({ ok: true, exitCode: EXIT.done, ...person, ...erasure, workflowEnded });
    return EXIT.done;
  } finally {
    await session.close();
  }
}
