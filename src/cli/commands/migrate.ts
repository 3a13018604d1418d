import { readSettings } from '../../config/settings.js';
import type { Database } from '../../store/database.js';
import { grantRoles, migrate } from '../../store/migrate.js';
import { connectTemporal } from '../../temporal/connection.js';
import { registerSearchAttributes } from '../../temporal/search-attributes.js';
import type { CommandDefinition } from '../command.js';
import { CommandError, EXIT } from '../exit.js';
import type { ExitCode } from '../exit.js';
import { createOutput } from '../output.js';
import type { Output } from '../output.js';
import { resolveServers } from '../servers.js';
import type { Servers } from '../servers.js';
import { withDatabase } from '../with-database.js';

const CONNECT_TIMEOUT_MS = 10_000;

/** `migrate` */
export const migrateCommand: CommandDefinition = (program, finish) => {
  program
    .command('migrate')
    .description('bring the schema up to date and register the search attributes in Temporal')
    .option('--json', 'print one JSON document')
    .action(async (options: { json?: boolean }) => finish(run(options.json === true)));
};

async function run(json: boolean): Promise<ExitCode> {
  const output = createOutput(json, process.stdout, process.stderr);
  const settings = readSettings();
  const servers = resolveServers(settings);
  const requirements = { requiresSchema: false, connectTimeoutMs: CONNECT_TIMEOUT_MS };
  return withDatabase(settings, 'migrate', async (database) => prepare(database, servers, output), requirements);
}

/** Temporal comes first: where it is not as we need it, nothing is half done. */
async function prepare(database: Database, servers: Servers, output: Output): Promise<ExitCode> {
  const registered = await register(servers, output);
  const applied = await migrateDatabase(database, output);
  output.printJson({ ok: true, exitCode: EXIT.done, migrations: applied, searchAttributes: registered });
  return EXIT.done;
}

async function migrateDatabase(database: Database, output: Output): Promise<readonly string[]> {
  const applied = await migrate(database);
  for (const name of applied) output.say(`applied     ${name}`);
  if (applied.length === 0) output.say('The schema is already up to date.');
  const roles = await grantRoles(database);
  output.say(roles ?? 'Granted the rights of the database roles.');
  return applied;
}

async function register({ temporal }: Servers, output: Output): Promise<readonly string[]> {
  const clients = await connectTemporal(temporal, CONNECT_TIMEOUT_MS);
  try {
    const { registered, remedy } = await registerSearchAttributes(clients.connection, temporal.namespace);
    for (const name of registered) output.say(`registered  ${name}`);
    if (remedy !== null) {
      throw new CommandError(
        'This connection may not register search attributes on the Temporal server, so nothing was changed. ' +
          `Ask an administrator to run ${remedy} Then run \`personio-sync migrate\` again.`,
      );
    }
    if (registered.length === 0) output.say('The search attributes are already registered.');
    return registered;
  } finally {
    await clients.close();
  }
}
