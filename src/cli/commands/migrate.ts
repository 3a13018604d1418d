import { readSettings } from '../../config/settings.js';
import { openDatabase, requireDatabase } from '../../store/database.js';
import type { Database } from '../../store/database.js';
import { migrate } from '../../store/migrate.js';
import { grantRoles } from '../../store/roles.js';
import { connectTemporal } from '../../temporal/connection.js';
import { registerSearchAttributes } from '../../temporal/search-attributes.js';
import type { CommandDefinition } from '../command.js';
import { CommandError, EXIT } from '../exit.js';
import type { ExitCode } from '../exit.js';
import { createOutput } from '../output.js';
import type { Output } from '../output.js';
import { resolveServers } from '../servers.js';
import type { Servers } from '../servers.js';

const CONNECT_TIMEOUT_MS = 10_000;

/** `migrate` */
export const migrateCommand: CommandDefinition = (program, finish) => {
  program
    .command('migrate')
    .description('bring the schema up to date, and register the search attributes in Temporal')
    .option('--json', 'print one JSON document')
    .action(async (options: { json?: boolean }) => finish(run(options.json === true)));
};

async function run(json: boolean): Promise<ExitCode> {
  const output = createOutput(json, process.stdout, process.stderr);
  const servers = resolveServers(readSettings());
  const database = openDatabase({ url: servers.databaseUrl, applicationName: 'personio-sync migrate', poolSize: 1 });
  try {
    const applied = await migrateDatabase(database, output);
    const registered = await register(servers, output);
    output.printJson({ ok: true, exitCode: EXIT.done, migrations: applied, searchAttributes: registered });
    return EXIT.done;
  } finally {
    await database.close();
  }
}

async function migrateDatabase(database: Database, output: Output): Promise<readonly string[]> {
  await requireDatabase(database, CONNECT_TIMEOUT_MS);
  const applied = await migrate(database);
  for (const name of applied) output.say(`applied     ${name}`);
  if (applied.length === 0) output.say('The schema was up to date.');
  const roles = await grantRoles(database);
  output.say(roles ?? 'The database roles have their rights.');
  return applied;
}

async function register({ temporal }: Servers, output: Output): Promise<readonly string[]> {
  const clients = await connectTemporal(temporal, CONNECT_TIMEOUT_MS);
  try {
    const { registered, remedy } = await registerSearchAttributes(clients.connection, temporal.namespace);
    for (const name of registered) output.say(`registered  ${name}`);
    if (remedy !== null) {
      throw new CommandError(
        `The schema is up to date, but the Temporal server does not let this connection register search attributes. Have somebody who may run: ${remedy}`,
      );
    }
    if (registered.length === 0) output.say('The search attributes were registered.');
    return registered;
  } finally {
    await clients.close();
  }
}
