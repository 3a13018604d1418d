/** Checks `.github/workflows` with actionlint; where it is missing and cannot be built, says so and does not fail. */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const VERSION = '1.7.12';
const MODULE = `github.com/rhysd/actionlint/cmd/actionlint@v${VERSION}`;
const EXECUTABLE = process.platform === 'win32' ? 'actionlint.exe' : 'actionlint';
const root = fileURLToPath(new URL('..', import.meta.url));
const cache = join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'personio-sync', 'actionlint', VERSION);

const run = (program, args, env = {}) =>
  spawnSync(program, args, { cwd: root, encoding: 'utf8', env: { ...process.env, ...env } });

/** Returns the program that is on PATH or in the user's cache, or builds it there; otherwise why there is none. */
function findActionlint() {
  const cached = join(cache, EXECUTABLE);
  for (const program of ['actionlint', cached]) {
    if (run(program, ['--version']).status === 0) return { program };
  }
  if (run('go', ['version']).status !== 0)
    return { missing: 'it is neither on PATH nor cached, and Go is not installed' };
  console.log(`Building actionlint ${VERSION} with Go (once per user, kept in ${cache}) …`);
  mkdirSync(cache, { recursive: true });
  const folder = mkdtempSync(join(cache, 'build-'));
  try {
    const { status, stderr } = run('go', ['install', '-ldflags', '-s -w', MODULE], { GOBIN: folder, GOFLAGS: '' });
    const built = join(folder, EXECUTABLE);
    if (status !== 0 || !existsSync(built)) {
      return { missing: `\`go install ${MODULE}\` failed (${stderr.trim().split('\n').at(-1)})` };
    }
    // Renamed when complete, so that a build that is killed leaves no half program.
    renameSync(built, cached);
    return { program: cached };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

const { program, missing } = findActionlint();
if (program === undefined) {
  console.log(`NOT CHECKED: .github/workflows, because actionlint is missing: ${missing}.`);
  console.log('Install it (https://github.com/rhysd/actionlint/blob/main/docs/install.md), then try again.');
} else {
  const workflows = readdirSync(join(root, '.github/workflows')).map((name) => `.github/workflows/${name}`);
  const { status, stdout, stderr } = run(program, workflows);
  process.stdout.write(stdout);
  process.stderr.write(stderr);
  process.exitCode = status ?? 1;
  if (status === 0) console.log(`Checked ${workflows.join(', ')} with actionlint.`);
}
