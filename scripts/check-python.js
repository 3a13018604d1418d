/**
 * Tests the Python example against a real Temporal server. If Python or its package is missing and cannot be
 * installed, it says so and does not fail.
 */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const at = (path) => fileURLToPath(new URL(path, import.meta.url));
const folder = at('../examples/python');
const virtualEnvironment = at('../node_modules/.cache/python-example');
const python = process.env.PYTHON ?? 'python3';

const run = (program, args, options = {}) => spawnSync(program, args, { encoding: 'utf8', ...options });
const hasPackage = (program) => run(program, ['-c', 'import temporalio']).status === 0;

/** Returns a Python that has the package, installed into a virtual environment if needed; or why there is none. */
function findPython() {
  if (run(python, ['--version']).status !== 0) return { missing: `${python} is missing` };
  if (hasPackage(python)) return { program: python };
  const program = `${virtualEnvironment}/bin/python`;
  if (hasPackage(program)) return { program };
  const steps = [
    [python, '-m', 'venv', virtualEnvironment],
    [program, '-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', '-r', `${folder}/requirements.txt`],
  ];
  for (const [command, ...args] of steps) {
    const { status, stderr } = run(command, args);
    if (status !== 0)
      return { missing: `the package temporalio could not be installed (${stderr.trim().split('\n').at(-1)})` };
  }
  return { program };
}

const { program, missing } = findPython();
if (program === undefined) {
  console.log(`The Python example was NOT tested: ${missing}. Set PYTHON to use another interpreter.`);
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
