import { parseBaseUrl } from '../../../config/base-url.js';
import { CONNECTION_ID, CONNECTION_ID_RULE, readSettings } from '../../../config/settings.js';
import { isMetadataHost } from '../../../network/ssrf-safe-lookup.js';
import type { ConnectionCheck } from '../../../personio/test-connection.js';
import { appendAuditEntry } from '../../../store/audit-log.js';
import { insertConnection, recordTest } from '../../../store/connections.js';
import type { StoredCredentials } from '../../../store/connections.js';
import { createSchedules, requireFreeConnection } from '../../../temporal/schedules.js';
import type { CommandDefinition } from '../../command.js';
import { CommandError, EXIT } from '../../exit.js';
import type { ExitCode } from '../../exit.js';
import { createOutput } from '../../output.js';
import type { Output } from '../../output.js';
import { readSecret, requireUsableText } from '../../secret-input.js';
import { openSession, readInstallation } from '../../session.js';
import type { Session } from '../../session.js';
import { getTokenCheck, runChecks, toTestOutcome, warnOfFailures } from './connection-checks.js';
import { SECRET_FILE_HELP, addAuditOptions, createAuditEntry, requireKeyRing } from './stored-connection.js';
import type { StoredConnectionOptions } from './stored-connection.js';

interface Options extends StoredConnectionOptions {
  readonly baseUrl: string;
  readonly clientId: string;
  readonly secretFile?: string;
}

const DEFAULT_BASE_URL = 'https://api.personio.de';

/** `connections add ID --base-url URL --client-id ID [--secret-file F]` */
export const addCommand: CommandDefinition = (connections, finish) => {
  addAuditOptions(
    connections
      .command('add')
      .description('store a connection with its secret sealed, and create its schedules')
      .argument('<id>', 'ID of the new connection: lowercase letters, digits and hyphens')
      .option('--base-url <url>', 'base URL of its Personio API', DEFAULT_BASE_URL)
      .requiredOption('--client-id <id>', 'client ID of the API credential')
      .option('--secret-file <file>', SECRET_FILE_HELP),
  ).action(async (id: string, options: Options) => finish(run(id, options)));
};

async function run(id: string, options: Options): Promise<ExitCode> {
  const output = createOutput(options.json === true, process.stdout, process.stderr);
  const settings = readSettings();
  const ring = requireKeyRing(settings);
  const address = { connectionId: requireId(id), baseUrl: await requireBaseUrl(options.baseUrl) };
  const clientId = requireUsableText('The client ID', options.clientId);
  const session = await openSession(settings, 'connections add');
  try {
    if ((await session.listKnownConnectionIds()).includes(id)) throw createDuplicateError(id);
    const installation = await readInstallation(session);
    const { schedule } = settings.policy;
    await requireFreeConnection(installation, id, schedule);
    const clientSecret = await readSecret(options.secretFile);
    const credentials = { ...address, clientId, clientSecret };
    const isNew = await session.database.transaction(async (transaction) => {
      if (!(await insertConnection(transaction, ring, credentials))) return false;
      await appendAuditEntry(transaction, createAuditEntry('add-connection', id, options, 'new Personio account'));
      return true;
    });
    if (!isNew) throw createDuplicateError(id);
    output.say(`Stored the connection ${id}. Workers with the same PERSONIO_SYNC_KEYS use it immediately.`);
    const schedules = await createSchedules(installation, id, schedule);
    for (const created of schedules) output.say(`created  ${created}`);
    const checks = await runFirstTest(session, credentials, output);
    output.printJson({ ok: true, exitCode: EXIT.done, connectionId: id, schedules, checks });
    return EXIT.done;
  } finally {
    await session.close();
  }
}

/** Tests the new connection, so that a mistyped secret shows now and not in tonight's run. It stays stored anyway. */
async function runFirstTest(
  session: Session,
  credentials: StoredCredentials,
  output: Output,
): Promise<readonly ConnectionCheck[]> {
  const checks = await runChecks(session.settings, credentials);
  await recordTest(session.database, credentials.connectionId, toTestOutcome(checks));
  warnOfFailures(output, checks);
  if (getTokenCheck(checks).ok) output.say('Personio accepts the client ID and secret.');
  return checks;
}

function requireId(id: string): string {
  if (CONNECTION_ID.test(id)) return id;
  throw new CommandError(`Invalid connection ID: ${CONNECTION_ID_RULE}.`, EXIT.usage);
}

async function requireBaseUrl(url: string): Promise<string> {
  const base = parseBaseUrl(url);
  if ('fault' in base) throw new CommandError(`--base-url ${base.fault}.`, EXIT.usage);
  if (await isMetadataHost(base.origin)) {
    throw new CommandError(
      '--base-url resolves to a link-local or metadata address, which cannot be a Personio server.',
      EXIT.usage,
    );
  }
  return base.origin;
}

function createDuplicateError(id: string): CommandError {
  return new CommandError(
    `The connection ${id} already exists. Use \`personio-sync connections rotate ${id}\` to set a new secret.`,
    EXIT.usage,
  );
}
