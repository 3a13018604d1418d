import { readSettings } from '../../config/settings.js';
import { listConnectionIds } from '../../store/connections.js';
import { readmitPerson } from '../../store/employees/erasure.js';
import { requireText } from '../actor.js';
import type { CommandDefinition } from '../command.js';
import { CommandError, EXIT } from '../exit.js';
import type { ExitCode } from '../exit.js';
import { resolveDefaultConnection } from '../known-connections.js';
import { createOutput } from '../output.js';
import { withDatabase } from '../with-database.js';
import { addPersonOptions } from './erase.js';
import type { PersonOptions } from './erase.js';

/** `readmit EMPLOYEE --by NAME --reason TEXT` */
export const readmitCommand: CommandDefinition = (program, finish) => {
  addPersonOptions(
    program
      .command('readmit')
      .description('allow the next sync to bring an erased employee back, if Personio still returns them')
      .argument('<employee>', "the employee's ID in Personio"),
  ).action(async (employeeId: string, options: PersonOptions) => finish(run(employeeId, options)));
};

async function run(employeeId: string, options: PersonOptions): Promise<ExitCode> {
  const output = createOutput(options.json === true, process.stdout, process.stderr);
  const by = { actor: requireText('--by', options.by), reason: requireText('--reason', options.reason) };
  const settings = readSettings();
  const person = await withDatabase(settings, 'readmit', async (database) => {
    const connectionId = options.connection ?? resolveDefaultConnection(settings, await listConnectionIds(database));
    return { connectionId, employeeId, wasErased: await readmitPerson(database, { connectionId, employeeId }, by) };
  });
  const { connectionId, wasErased } = person;
  if (!wasErased) throw new CommandError(`No erased employee of ${connectionId} has this ID. Nothing was changed.`);
  output.say(`The next sync may bring employee ${employeeId} of ${connectionId} back as a new employee.`);
  output.printJson({ ok: true, exitCode: EXIT.done, connectionId, employeeId });
  return EXIT.done;
}
