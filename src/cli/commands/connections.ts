import { readSettings } from '../../config/settings.js';
import { testConnection } from '../../personio/check.js';
import type { ConnectionCheck } from '../../personio/check.js';
import { recordTest } from '../../store/connections.js';
import type { CommandDefinition } from '../command.js';
import { resolveConnection } from '../connection-credentials.js';
import { EXIT } from '../exit.js';
import type { ExitCode } from '../exit.js';
import { createOutput } from '../output.js';
import { withDatabase } from '../with-database.js';
import { defineStoredConnections } from './stored-connections.js';

/** `connections …`; what concerns stored ones is in `stored-connections.ts`. */
export const connectionsCommand: CommandDefinition = (program, finish) => {
  const connections = program.command('connections').description('the Personio accounts that are read');
  connections
    .command('test')
    .description('exchange a token and read once from each endpoint: green, or red with what to do in Personio')
    .argument('[id]', 'which connection')
    .option('--json', 'print one JSON document')
    .action(async (id: string | undefined, options: { json?: boolean }) => finish(run(id, options.json === true)));
  defineStoredConnections(connections, finish);
};

async function run(id: string | undefined, json: boolean): Promise<ExitCode> {
  const output = createOutput(json, process.stdout, process.stderr);
  const settings = readSettings();
  const { credentials, isStored } = await resolveConnection(settings, id);
  const checks = await testConnection(credentials, {
    ...settings.policy.reading,
    attributesToStore: settings.policy.attributesToStore,
  });
  for (const check of checks) output.say(formatCheck(check));
  const ok = checks.every((check) => check.ok);
  const exitCode = ok ? EXIT.done : EXIT.failed;
  const { connectionId } = credentials;
  if (isStored)
    await withDatabase(settings, 'connections', async (database) =>
      recordTest(database, connectionId, ok ? 'green' : 'red'),
    );
  output.printJson({ ok, exitCode, connectionId, checks });
  return exitCode;
}

function formatCheck({ check, ok, sentence, action }: ConnectionCheck): string {
  return `${ok ? 'green' : 'red  '}  ${check.padEnd(14)}  ${sentence}${action === null ? '' : ` ${action}`}`;
}
