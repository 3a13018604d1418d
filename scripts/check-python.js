/** Tests the Python example against a real Temporal server; where Python is missing, or its package cannot be had, says so and is content. */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const at = (path) => fileURLToPath(new URL(path, import.meta.url));
const folder = at('../examples/python');
const ownPlace = at('../node_modules/.cache/python-example');
const python = process.env.PYTHON ?? 'python3';

const run = (program, args, options = {}) => spawnSync(program, args, { encoding: 'utf8', ...options });
const hasPackage = (program) => run(program, ['-c', 'import temporalio']).status === 0;

/** @returns a Python that has the package: the one that is there, or a virtual environment into which it is installed; else why there is none. */
function pythonWithPackage() {
  if (run(python, ['--version']).status !== 0) return { missing: `${python} is missing` };
  if (hasPackage(python)) return { program: python };
  const program = `${ownPlace}/bin/python`;
  if (hasPackage(program)) return { program };
  const steps = [
    [python, '-m', 'venv', ownPlace],
    [program, '-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', '-r', `${folder}/requirements.txt`],
  ];
  for (const [command, ...args] of steps) {
    const { status, stderr } = run(command, args);
    if (status !== 0)
      return { missing: `the package temporalio could not be installed (${stderr.trim().split('\n').at(-1)})` };
  }
  return { program };
}

const { program, missing } = pythonWithPackage();
if (program === undefined) {
  console.log(`NOT TESTED: the Python example, since ${missing}. Another Python can be named in PYTHON.`);
} else {
  const { findTemporalCli } = await import('../dist/src/embedded/temporal-cli.js');
  const cli = await findTemporalCli({
    explicitPath: process.env.TEMPORAL_CLI_PATH ?? null,
    environment: process.env,
    say: (sentence) => console.log(sentence),
  });
  const { status } = spawnSync(program, ['test_subscriber.py'], {
    cwd: folder,
    stdio: 'inherit',
    env: { ...process.env, TEMPORAL_CLI_PATH: cli, PYTHONDONTWRITEBYTECODE: '1' },
  });
  process.exitCode = status ?? 1;
}
