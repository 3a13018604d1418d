import { readSettings } from '../../../config/settings.js';
import type { ConnectionCheck } from '../../../personio/test-connection.js';
import { recordTest } from '../../../store/connections.js';
import type { CommandDefinition } from '../../command.js';
import { resolveConnection } from '../../connection-credentials.js';
import { EXIT } from '../../exit.js';
import type { ExitCode } from '../../exit.js';
import { createOutput } from '../../output.js';
import { withDatabase } from '../../with-database.js';
import { runChecks, toTestOutcome } from './connection-checks.js';

/** `connections test [ID]` */
export const testCommand: CommandDefinition = (connections, finish) => {
  connections
    .command('test')
    .description('exchange the credentials for a token and read each endpoint once; prints green, or red with the fix')
    .argument('[id]', "connection (default: the environment's, or the only stored one)")
    .option('--json', 'print one JSON document')
    .action(async (id: string | undefined, options: { json?: boolean }) => finish(run(id, options.json === true)));
};

async function run(id: string | undefined, json: boolean): Promise<ExitCode> {
  const output = createOutput(json, process.stdout, process.stderr);
  const settings = readSettings();
  const { credentials, isStored } = await resolveConnection(settings, id);
  const checks = await runChecks(settings, credentials);
  for (const check of checks) output.say(formatCheck(check));
  const outcome = toTestOutcome(checks);
  const exitCode = outcome === 'green' ? EXIT.done : EXIT.failed;
  const { connectionId } = credentials;
  if (isStored)
    await withDatabase(settings, 'connections test', async (database) => recordTest(database, connectionId, outcome));
  output.printJson({ ok: exitCode === EXIT.done, exitCode, connectionId, checks });
  return exitCode;
}

function formatCheck({ check, ok, sentence, action }: ConnectionCheck): string {
  return `${ok ? 'green' : 'red  '}  ${check.padEnd(14)}  ${sentence}${action === null ? '' : ` ${action}`}`;
}
