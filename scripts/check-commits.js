/**
 * Checks the subjects of commits with commitlint: in a pull request those since its base, elsewhere those since the
 * commit that added the rules (older subjects are longer). Says what it cannot check, and fails only for a subject that
 * breaks a rule.
 */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const RULES = 'commitlint.config.js';
const cwd = fileURLToPath(new URL('..', import.meta.url));
const commitlint = fileURLToPath(new URL('../node_modules/@commitlint/cli/cli.js', import.meta.url));

/** Returns the trimmed output of a git command, or an empty string when it fails. */
function git(...args) {
  const { status, stdout } = spawnSync('git', args, { cwd, encoding: 'utf8' });
  return status === 0 ? stdout.trim() : '';
}

/** Returns the newest commit that is not checked, or an empty string. */
function findBase() {
  const target = process.env.GITHUB_BASE_REF ?? '';
  const mergeBase = target === '' ? '' : git('merge-base', `origin/${target}`, 'HEAD');
  // In a shallow clone the oldest commit present counts as the one that added every file.
  return mergeBase || (git('log', '--diff-filter=A', '--format=%H', '--', RULES).split('\n').at(-1) ?? '');
}

if (git('rev-parse', '--is-shallow-repository') === 'true') {
  console.log('NOT CHECKED: commits that this shallow clone lacks. Run `git fetch --unshallow`, then try again.');
}
const base = findBase();
if (base === '') {
  console.log(`NOT CHECKED: the subjects of commits, because no commit here has added ${RULES}.`);
} else {
  const range = `${base}..HEAD`;
  const count = Number(git('rev-list', '--count', '--no-merges', range));
  if (count > 0) {
    const { status } = spawnSync(process.execPath, [commitlint, '--from', base, '--to', 'HEAD'], {
      cwd,
      stdio: 'inherit',
    });
    process.exitCode = status ?? 1;
  }
  console.log(`Checked the subjects of ${count} commits (${base.slice(0, 10)}..HEAD).`);
}
