import { readSettings } from '../../config/settings.js';
import type { PersonioSettings, Settings } from '../../config/settings.js';
import { testConnection } from '../../personio/check.js';
import type { ConnectionCheck } from '../../personio/check.js';
import type { CommandDefinition } from '../command.js';
import { CommandFailed, EXIT } from '../exit.js';
import type { ExitCode } from '../exit.js';
import { createOutput } from '../output.js';
import { personioOf } from '../servers.js';

/** `connections test [ID]` */
export const connectionsCommand: CommandDefinition = (program, finish) => {
  const connections = program.command('connections').description('the Personio accounts that are read');
  connections
    .command('test')
    .description('exchange a token and read once from each endpoint: green, or red with what to do in Personio')
    .argument('[id]', 'which connection')
    .option('--json', 'print one JSON document')
    .action(async (id: string | undefined, options: { json?: boolean }) => finish(run(id, options.json === true)));
};

async function run(id: string | undefined, json: boolean): Promise<ExitCode> {
  const output = createOutput(json, process.stdout, process.stderr);
  const settings = readSettings();
  const connection = connectionOf(settings, id);
  const checks = await testConnection(connection, {
    ...settings.policy.reading,
    attributesToStore: settings.policy.attributesToStore,
  });
  for (const check of checks) output.say(lineOf(check));
  const ok = checks.every((check) => check.ok);
  const exitCode = ok ? EXIT.done : EXIT.failed;
  output.document({ ok, exitCode, connectionId: connection.connectionId, checks });
  return exitCode;
}

function connectionOf(settings: Settings, id: string | undefined): PersonioSettings {
  const personio = personioOf(settings);
  if (personio !== null && (id === undefined || id === personio.connectionId)) return personio;
  const known =
    personio === null
      ? 'there is none: set PERSONIO_CLIENT_ID and PERSONIO_CLIENT_SECRET'
      : `known is ${personio.connectionId}`;
  throw new CommandFailed(`There is no connection${id === undefined ? '' : ` ${id}`}; ${known}.`, EXIT.usage);
}

function lineOf({ check, ok, sentence, action }: ConnectionCheck): string {
  return `${ok ? 'green' : 'red  '}  ${check.padEnd(14)}  ${sentence}${action === null ? '' : ` ${action}`}`;
}
