import { readSettings } from '../../../config/settings.js';
import { listConnections } from '../../../store/connections.js';
import type { CommandDefinition } from '../../command.js';
import { EXIT } from '../../exit.js';
import type { ExitCode } from '../../exit.js';
import { createOutput, formatTable } from '../../output.js';
import { withDatabase } from '../../with-database.js';

const DAY_MS = 86_400_000;

/** `connections list` */
export const listCommand: CommandDefinition = (connections, finish) => {
  connections
    .command('list')
    .description('list stored connections without their secrets')
    .option('--json', 'print one JSON document')
    .action(async (options: { json?: boolean }) => finish(run(options.json === true)));
};

async function run(json: boolean): Promise<ExitCode> {
  const output = createOutput(json, process.stdout, process.stderr);
  const settings = readSettings();
  const stored = await withDatabase(settings, 'connections list', listConnections);
  const connections = stored.map((connection) => ({
    ...connection,
    secretDueAt: addDays(connection.secretSetAt, settings.policy.secretRotationDays),
  }));
  const rows = connections.map(({ connectionId, baseUrl, secretDueAt, lastTestOutcome }) => [
    connectionId,
    baseUrl,
    `secret due ${secretDueAt.slice(0, 10)}`,
    `last test ${lastTestOutcome ?? 'never'}`,
  ]);
  for (const line of formatTable(rows)) output.say(line);
  if (rows.length === 0) output.say('No connections are stored. Add one with `personio-sync connections add`.');
  output.printJson({ ok: true, exitCode: EXIT.done, connections });
  return EXIT.done;
}

function addDays(moment: string, days: number): string {
  return new Date(Date.parse(moment) + days * DAY_MS).toISOString();
}
