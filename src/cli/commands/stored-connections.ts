import type { Command } from 'commander';
import { CONNECTION_ID, CONNECTION_ID_RULE, readSettings } from '../../config/settings.js';
import type { Settings } from '../../config/settings.js';
import { parseBaseUrl } from '../../config/base-url.js';
import { parseKeyRing } from '../../crypto/sealing.js';
import type { KeyRing } from '../../crypto/sealing.js';
import { testConnection } from '../../personio/check.js';
import type { ConnectionCheck } from '../../personio/check.js';
import { isMetadataHost } from '../../network/ssrf-safe-lookup.js';
import {
  deleteConnection,
  findConnection,
  insertConnection,
  listConnectionIds,
  listConnections,
  recordTest,
  replaceSecret,
} from '../../store/connections.js';
import type { StoredCredentials } from '../../store/connections.js';
import { appendAuditEntry } from '../../store/audit-log.js';
import { eraseConnection } from '../../store/employees/erasure.js';
import { createSchedules, deleteConnectionSchedules } from '../../temporal/schedules.js';
import { cancelSyncs, endLifecycles } from '../../temporal/open-workflows.js';
import { resolveActor } from '../actor.js';
import { CommandError, EXIT } from '../exit.js';
import type { ExitCode } from '../exit.js';
import { createOutput, formatTable } from '../output.js';
import type { Output } from '../output.js';
import { readSecret, requireUsableText } from '../secret-input.js';
import { resolvePersonio } from '../servers.js';
import { openSession } from '../session.js';
import type { Session } from '../session.js';
import { withDatabase } from '../with-database.js';

interface Options {
  readonly baseUrl?: string;
  readonly clientId?: string;
  readonly secretFile?: string;
  readonly by?: string;
  readonly reason?: string;
  readonly eraseData?: boolean;
  readonly json?: boolean;
}

type Finish = (run: Promise<ExitCode>) => Promise<void>;

const DEFAULT_BASE_URL = 'https://api.personio.de';
const DAY_MS = 86_400_000;

/** `connections add|list|rotate|remove`: the connections whose secrets are stored, sealed under PERSONIO_SYNC_KEYS. */
export function defineStoredConnections(connections: Command, finish: Finish): void {
  const addCommand = (name: string, description: string): Command =>
    connections.command(name).description(description).option('--json', 'print one JSON document');
  const addActorOptions = (defined: Command): Command =>
    defined
      .option('--by <name>', "who answers for it; default: the operating system's user")
      .option('--reason <text>', 'why');
  const secretFile = 'file with the secret; else it is one line of standard input, else it is asked for';

  addActorOptions(addCommand('add', 'store a connection, its secret sealed, and create its schedules'))
    .argument('<id>', 'its name in ids and tables: small letters, digits and hyphens')
    .option('--base-url <url>', 'where its Personio is', DEFAULT_BASE_URL)
    .requiredOption('--client-id <id>', "the API credential's client id")
    .option('--secret-file <file>', secretFile)
    .action(async (id: string, options: Options) => finish(add(id, options)));
  addCommand('list', 'the stored connections, without their secrets').action(async (options: Options) =>
    finish(list(options)),
  );
  addActorOptions(addCommand('rotate', 'test a new secret, and put it in place of the old one if Personio accepts it'))
    .argument('<id>', 'which connection')
    .option('--client-id <id>', 'where the client id is a new one too')
    .option('--secret-file <file>', secretFile)
    .action(async (id: string, options: Options) => finish(rotate(id, options)));
  addActorOptions(addCommand('remove', 'forget a connection and its secret, and delete its schedules; its data stays'))
    .argument('<id>', 'which connection')
    .option('--erase-data', 'delete all that was read from it, too')
    .action(async (id: string, options: Options) => finish(remove(id, options)));
}

async function add(id: string, options: Options): Promise<ExitCode> {
  const output = createOutput(options.json === true, process.stdout, process.stderr);
  const settings = readSettings();
  const ring = requireRing(settings);
  const address = { connectionId: requireId(id), baseUrl: await requireBaseUrl(options.baseUrl ?? DEFAULT_BASE_URL) };
  const clientId = requireUsableText('The client id', options.clientId ?? '');
  const session = await openSession(settings, 'connections add');
  try {
    if ((await session.listKnownConnectionIds()).includes(id)) throw toDuplicateError(id);
    const clientSecret = await readSecret(options.secretFile);
    const credentials = { ...address, clientId, clientSecret };
    const isNew = await session.database.transaction(async (transaction) => {
      if (!(await insertConnection(transaction, ring, credentials))) return false;
      await appendAuditEntry(transaction, toAuditEntry('add-connection', id, options, 'a company account to be read'));
      return true;
    });
    if (!isNew) throw toDuplicateError(id);
    output.say(`The connection ${id} is stored. Workers that have the same PERSONIO_SYNC_KEYS know it at once.`);
    const schedules = await createSchedules(session.temporal.client, id, settings.policy.schedule);
    for (const schedule of schedules) output.say(`created  ${schedule}`);
    const checks = await runFirstTest(session, credentials, output);
    output.printJson({ ok: true, exitCode: EXIT.done, connectionId: id, schedules, checks });
    return EXIT.done;
  } finally {
    await session.close();
  }
}

/** A typing error in a new secret shows at once, and not in tonight's run. The connection is stored all the same. */
async function runFirstTest(
  session: Session,
  credentials: StoredCredentials,
  output: Output,
): Promise<readonly ConnectionCheck[]> {
  const checks = await runChecks(session.settings, credentials);
  await recordTest(session.database, credentials.connectionId, toOutcome(checks));
  warn(output, checks);
  if (getTokenCheck(checks).ok) output.say('Personio accepts the client id and secret.');
  return checks;
}

function warn(output: Output, checks: readonly ConnectionCheck[]): void {
  for (const { check, ok, sentence, action } of checks)
    if (!ok) output.note(`Beware, ${check}: ${sentence} ${action ?? ''}`.trim());
}

function toOutcome(checks: readonly ConnectionCheck[]): 'green' | 'red' {
  return checks.every(({ ok }) => ok) ? 'green' : 'red';
}

async function list(options: Options): Promise<ExitCode> {
  const output = createOutput(options.json === true, process.stdout, process.stderr);
  const settings = readSettings();
  const stored = await withDatabase(settings, 'connections list', listConnections);
  const connections = stored.map((connection) => ({
    ...connection,
    secretDueAt: new Date(
      Date.parse(connection.secretSetAt) + settings.policy.secretRotationDays * DAY_MS,
    ).toISOString(),
  }));
  const rows = connections.map(({ connectionId, baseUrl, secretDueAt, lastTestOutcome }) => [
    connectionId,
    baseUrl,
    `secret due ${secretDueAt.slice(0, 10)}`,
    `last test ${lastTestOutcome ?? 'never'}`,
  ]);
  for (const line of formatTable(rows)) output.say(line);
  if (rows.length === 0) output.say('No connection is stored. `personio-sync connections add` stores one.');
  output.printJson({ ok: true, exitCode: EXIT.done, connections });
  return EXIT.done;
}

async function rotate(id: string, options: Options): Promise<ExitCode> {
  const output = createOutput(options.json === true, process.stdout, process.stderr);
  const settings = readSettings();
  const ring = requireRing(settings);
  return withDatabase(settings, 'connections rotate', async (database) => {
    const current = await findConnection(database, ring, id);
    if (current === null) throw toNotStoredError(settings, id, await listConnectionIds(database));
    const clientId = requireUsableText('The client id', options.clientId ?? current.clientId);
    const fresh = { ...current, clientId, clientSecret: await readSecret(options.secretFile) };
    const checks = await runChecks(settings, fresh);
    const token = getTokenCheck(checks);
    if (!token.ok)
      throw new CommandError(`The old secret stays in place: ${token.sentence} ${token.action ?? ''}`.trim());
    await database.transaction(async (transaction) => {
      if (!(await replaceSecret(transaction, ring, fresh))) throw toNotStoredError(settings, id, []);
      await appendAuditEntry(
        transaction,
        toAuditEntry('rotate-secret', id, options, 'a new secret, which Personio accepts'),
      );
      await recordTest(transaction, id, toOutcome(checks));
    });
    warn(output, checks);
    output.say(
      `Personio accepts the new secret of ${id}, and it has taken the place of the old one. Delete the old one in Personio.`,
    );
    output.printJson({ ok: true, exitCode: EXIT.done, connectionId: id, checks });
    return EXIT.done;
  });
}

async function remove(id: string, options: Options): Promise<ExitCode> {
  const output = createOutput(options.json === true, process.stdout, process.stderr);
  const settings = readSettings();
  const session = await openSession(settings, 'connections remove');
  try {
    const { database, temporal } = session;
    const stored = await listConnectionIds(database);
    if (!stored.includes(id)) throw toNotStoredError(settings, id, stored);
    const schedules = await deleteConnectionSchedules(temporal.client, id);
    const cancelled = await cancelSyncs(temporal.client, id);
    const erase = options.eraseData === true;
    const rows = await database.transaction(async (transaction) => {
      await deleteConnection(transaction, id);
      await appendAuditEntry(
        transaction,
        toAuditEntry(
          'remove-connection',
          id,
          options,
          erase ? 'no longer read; its data was erased' : 'no longer read',
        ),
      );
      return erase ? eraseConnection(transaction, id) : 0;
    });
    if (erase) await endLifecycles(temporal.client, id, 'The data of this connection was erased.');
    for (const schedule of schedules) output.say(`deleted  ${schedule}`);
    output.say(
      `The connection ${id} and its secret are gone. ${erase ? `${rows} rows were deleted.` : 'Its data stays.'}`,
    );
    output.printJson({ ok: true, exitCode: EXIT.done, connectionId: id, schedules, cancelled, deletedRows: rows });
    return EXIT.done;
  } finally {
    await session.close();
  }
}

function requireRing({ keys }: Settings): KeyRing {
  if (keys.length > 0) return parseKeyRing(keys);
  throw new CommandError(
    'Without PERSONIO_SYNC_KEYS no secret can be stored. Make a key with `echo "key1:$(openssl rand -base64 32)"`, set it here and where the workers run, and try again.',
    EXIT.usage,
  );
}

function requireId(id: string): string {
  if (CONNECTION_ID.test(id)) return id;
  throw new CommandError(`The id of the connection is malformed: ${CONNECTION_ID_RULE}.`, EXIT.usage);
}

async function requireBaseUrl(url: string): Promise<string> {
  const base = parseBaseUrl(url);
  if ('fault' in base) throw new CommandError(`--base-url ${base.fault}.`, EXIT.usage);
  if (await isMetadataHost(base.origin))
    throw new CommandError(
      '--base-url leads to a link-local or metadata address, where no Personio server is.',
      EXIT.usage,
    );
  return base.origin;
}

function toDuplicateError(id: string): CommandError {
  return new CommandError(
    `There is a connection ${id} already. \`personio-sync connections rotate ${id}\` sets a new secret.`,
    EXIT.usage,
  );
}

function toNotStoredError(settings: Settings, id: string, stored: readonly string[]): CommandError {
  if (resolvePersonio(settings)?.connectionId === id) {
    return new CommandError(
      `The connection ${id} is not stored: it comes from PERSONIO_CLIENT_ID and PERSONIO_CLIENT_SECRET. Change it there.`,
      EXIT.usage,
    );
  }
  const names = stored.length === 0 ? 'none is' : `stored are ${stored.join(', ')}`;
  // An id that was never one of ours is not repeated: it may be anything.
  const name = CONNECTION_ID.test(id) ? `${id} ` : '';
  return new CommandError(`No connection ${name}is stored; ${names}.`, EXIT.usage);
}

function toAuditEntry(
  what: string,
  id: string,
  { by, reason }: Options,
  otherwise: string,
): { readonly actor: string; readonly what: string; readonly subject: string; readonly reason: string } {
  return { actor: resolveActor(by), what, subject: `connection ${id}`, reason: reason ?? otherwise };
}

async function runChecks({ policy }: Settings, credentials: StoredCredentials): Promise<readonly ConnectionCheck[]> {
  return testConnection(credentials, { ...policy.reading, attributesToStore: policy.attributesToStore });
}

function getTokenCheck(checks: readonly ConnectionCheck[]): ConnectionCheck {
  const [token] = checks;
  if (token === undefined) throw new CommandError('The test of the connection said nothing.');
  return token;
}
