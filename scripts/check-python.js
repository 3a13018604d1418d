/** Tests the Python example against a real Temporal server; where Python or its package is missing, says so and is content. */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const folder = fileURLToPath(new URL('../examples/python', import.meta.url));
const python = process.env.PYTHON ?? 'python3';

const found = spawnSync(python, ['-c', 'import temporalio'], { stdio: 'ignore' });
if (found.status !== 0) {
  const what = found.error === undefined ? 'the package temporalio' : python;
  console.log(
    `NOT TESTED: the Python example, since ${what} is missing. Install it (pip install -r examples/python/requirements.txt), or name another Python in PYTHON.`,
  );
} else {
  const { findTemporalCli } = await import('../dist/src/embedded/temporal-cli.js');
  const cli = await findTemporalCli({
    explicitPath: process.env.TEMPORAL_CLI_PATH ?? null,
    environment: process.env,
    say: (sentence) => console.log(sentence),
  });
  const { status } = spawnSync(python, ['-m', 'unittest', 'test_subscriber'], {
    cwd: folder,
    stdio: 'inherit',
    env: { ...process.env, TEMPORAL_CLI_PATH: cli, PYTHONDONTWRITEBYTECODE: '1' },
  });
  process.exitCode = status ?? 1;
}
