import { execFile, spawn } from 'node:child_process';
import { accessSync, constants, existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { homedir } from 'node:os';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';
import { TestWorkflowEnvironment } from '@temporalio/testing';
import { ServerUnavailableError } from './processes.js';

/** Last release of the official CLI that `go install` can build: later ones need a module that the Go proxy lacks. */
const CLI_VERSION = '1.5.1';
const CLI_MODULE = `github.com/temporalio/cli/cmd/temporal@v${CLI_VERSION}`;
const EXECUTABLE = process.platform === 'win32' ? 'temporal.exe' : 'temporal';
const PROGRESS_EVERY_MS = 10_000;
const run = promisify(execFile);

export interface CliSearch {
  /** `TEMPORAL_CLI_PATH`, which rules out all other places; null if unset. */
  readonly explicitPath: string | null;
  readonly environment: Readonly<NodeJS.ProcessEnv>;
  /** Receives a sentence when something takes long. */
  readonly say: (sentence: string) => void;
}

/**
 * Finds the `temporal` program, or fetches it. Tries the path in the settings, PATH, the user's cache, the SDK's
 * download, and a build with Go.
 *
 * @throws ServerUnavailableError that names everything that was tried.
 */
export async function findTemporalCli({ explicitPath, environment, say }: CliSearch): Promise<string> {
  if (explicitPath !== null) {
    if (await isUsable(explicitPath)) return explicitPath;
    throw new ServerUnavailableError(
      'TEMPORAL_CLI_PATH names no program that runs `temporal --version`. Correct or unset it.',
    );
  }
  const cache = getCacheFolder(environment);
  const cached = join(cache, EXECUTABLE);
  for (const candidate of [...findOnPath(environment, EXECUTABLE), cached, ...listDownloads(cache)]) {
    if (isExecutable(candidate) && (await isUsable(candidate))) return candidate;
  }
  mkdirSync(cache, { recursive: true });
  const tried = ['the PATH', `the cache ${cache}`];
  for (const fetch of [download, build]) {
    const outcome = await fetch(cache, environment, say);
    if (outcome.path !== null) return outcome.path;
    tried.push(outcome.tried);
  }
  throw new ServerUnavailableError(
    `Cannot find or fetch a Temporal server. Tried: ${tried.join('; ')}. ` +
      'Install the Temporal CLI (https://docs.temporal.io/cli#install) and set TEMPORAL_CLI_PATH to it, ' +
      'or set TEMPORAL_ADDRESS to a running server.',
  );
}

interface FetchResult {
  readonly path: string | null;
  readonly tried: string;
}

type CliFetcher = (
  cache: string,
  environment: Readonly<NodeJS.ProcessEnv>,
  say: CliSearch['say'],
) => Promise<FetchResult>;

/** Lets the SDK download the CLI for its test server, which is started once. The download is kept. */
const download: CliFetcher = async (cache, _environment, say) => {
  say('Downloading the Temporal server (once; kept for later starts) …');
  try {
    const server = { executable: { type: 'cached-download' as const, downloadDir: cache } };
    const started = await TestWorkflowEnvironment.createLocal({ server });
    await started.teardown();
    const [path] = listDownloads(cache);
    return path === undefined
      ? { path: null, tried: "the SDK's download, which left no program" }
      : { path, tried: '' };
  } catch {
    // The error names an address that could not be reached, which helps nobody.
    return { path: null, tried: "the SDK's download from temporal.download, which could not be reached" };
  }
};

/** Builds the CLI with Go, which takes minutes, once per user. */
const build: CliFetcher = async (cache, environment, say) => {
  const [go] = findOnPath(environment, process.platform === 'win32' ? 'go.exe' : 'go');
  if (go === undefined) return { path: null, tried: 'a build with Go, which is not installed' };
  say(`Building the Temporal server with Go (about three minutes, once per user, kept in ${cache}) …`);
  const folder = mkdtempSync(join(cache, 'build-'));
  const startedAt = Date.now();
  const sign = setInterval(
    () => say(`… still building after ${Math.round((Date.now() - startedAt) / 1_000)} s`),
    PROGRESS_EVERY_MS,
  );
  try {
    const code = await runGoInstall(go, folder, environment);
    const built = join(folder, EXECUTABLE);
    if (code !== 0 || !existsSync(built))
      return { path: null, tried: `\`go install ${CLI_MODULE}\`, which ended with code ${code}` };
    // Renamed once complete, so that parallel or killed starts never leave half a program.
    renameSync(built, join(cache, EXECUTABLE));
    return { path: join(cache, EXECUTABLE), tried: '' };
  } finally {
    clearInterval(sign);
    rmSync(folder, { recursive: true, force: true });
  }
};

async function runGoInstall(go: string, folder: string, environment: Readonly<NodeJS.ProcessEnv>): Promise<number> {
  return new Promise((resolve) => {
    const child = spawn(go, ['install', '-ldflags', '-s -w', CLI_MODULE], {
      env: { ...environment, GOBIN: folder, GOFLAGS: '' },
      stdio: 'ignore',
    });
    child.on('error', () => resolve(-1));
    child.on('close', (code) => resolve(code ?? -1));
  });
}

function getCacheFolder(environment: Readonly<NodeJS.ProcessEnv>): string {
  const base = environment['XDG_CACHE_HOME'] ?? join(homedir(), '.cache');
  return join(base, 'personio-sync', 'temporal-cli', CLI_VERSION);
}

/** Lists the SDK's downloads, whose names contain its version. */
function listDownloads(cache: string): readonly string[] {
  if (!existsSync(cache)) return [];
  const names = readdirSync(cache).filter((name) => name.startsWith('temporal-'));
  return names.map((name) => join(cache, name));
}

function findOnPath(environment: Readonly<NodeJS.ProcessEnv>, name: string): readonly string[] {
  const folders = (environment['PATH'] ?? '').split(delimiter).filter((folder) => folder !== '');
  return folders.map((folder) => join(folder, name)).filter(isExecutable);
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

async function isUsable(path: string): Promise<boolean> {
  try {
    await run(path, ['--version'], { timeout: 20_000 });
    return true;
  } catch {
    return false;
  }
}
