import { readSettings } from '../../config/settings.js';
import { listConnectionIds } from '../../store/connections.js';
import { readmitPerson } from '../../store/erasure.js';
import { said } from '../actor.js';
import type { CommandDefinition } from '../command.js';
import { CommandFailed, EXIT } from '../exit.js';
import type { ExitCode } from '../exit.js';
import { createOutput } from '../output.js';
import { defaultConnection } from '../session.js';
import { withDatabase } from '../with-database.js';
import { withPersonOptions } from './erase.js';
import type { PersonOptions } from './erase.js';

/** `readmit EMPLOYEE` */
export const readmitCommand: CommandDefinition = (program, finish) => {
  withPersonOptions(
    program
      .command('readmit')
      .description('let the next sync bring an erased person back, if Personio still sends them')
      .argument('<employee>', "Personio's id of the person"),
  ).action(async (employeeId: string, options: PersonOptions) => finish(run(employeeId, options)));
};

async function run(employeeId: string, options: PersonOptions): Promise<ExitCode> {
  const output = createOutput(options.json === true, process.stdout, process.stderr);
  const by = { actor: said('--by', options.by), reason: said('--reason', options.reason) };
  const settings = readSettings();
  const person = await withDatabase(settings, 'readmit', async (database) => {
    const connectionId = options.connection ?? defaultConnection(settings, await listConnectionIds(database));
    return { connectionId, employeeId, wasErased: await readmitPerson(database, { connectionId, employeeId }, by) };
  });
  const { connectionId, wasErased } = person;
  if (!wasErased)
    throw new CommandFailed(`No employee of this id was erased from ${connectionId}. Nothing was changed.`);
  output.say(`The next sync may bring employee ${employeeId} of ${connectionId} back, as somebody new.`);
  output.document({ ok: true, exitCode: EXIT.done, connectionId, employeeId });
  return EXIT.done;
}
