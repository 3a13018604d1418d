import { CommanderError } from 'commander';
import { CommandError, EXIT } from './exit.js';
import type { ExitCode } from './exit.js';
import { createOutput } from './output.js';
import { createProgram } from './program.js';

/** Runs one command line and ends the process with its exit code. Contains the only `process.exit`. */
export async function main(argv: readonly string[]): Promise<never> {
  const output = createOutput(argv.includes('--json'), process.stdout, process.stderr);
  let exitCode: ExitCode = EXIT.done;
  try {
    const program = await createProgram(argv, async (run) => {
      exitCode = await run;
    });
    await program.parseAsync([...argv], { from: 'user' });
  } catch (error) {
    const { sentence, code } = await describeError(error);
    if (sentence !== '') output.note(sentence);
    exitCode = code;
    if (code !== EXIT.done) output.printJson({ ok: false, exitCode: code, message: sentence });
  }
  await flush(process.stdout);
  await flush(process.stderr);
  process.exit(exitCode);
}

async function describeError(error: unknown): Promise<{ readonly sentence: string; readonly code: ExitCode }> {
  if (error instanceof CommandError) return { sentence: error.message, code: error.exitCode };
  if (error instanceof CommanderError) return { sentence: '', code: error.exitCode === 0 ? EXIT.done : EXIT.usage };
  // Loaded on failure only, for the same reason as the commands.
  const [{ SettingsError }, { ServerUnavailableError }, { TemporalUnreachableError }, temporal, { WorkerStartError }] =
    await Promise.all([
      import('../config/settings.js'),
      import('../embedded/processes.js'),
      import('../temporal/connection.js'),
      import('../temporal/errors.js'),
      import('../worker/errors.js'),
    ]);
  if (error instanceof SettingsError) return { sentence: error.message, code: EXIT.usage };
  if (
    error instanceof TemporalUnreachableError ||
    error instanceof temporal.TemporalSetupError ||
    error instanceof ServerUnavailableError ||
    error instanceof WorkerStartError
  )
    return { sentence: error.message, code: EXIT.failed };
  if (error instanceof Error && 'type' in error) return { sentence: error.message, code: EXIT.failed };
  const sentence = temporal.describeServiceError(error) ?? describeUnexpectedError(error);
  return { sentence, code: EXIT.failed };
}

/** Shows one line of an unexpected error; the rest of its message may carry personal data. */
function describeUnexpectedError(error: unknown): string {
  if (!(error instanceof Error)) return 'The command failed with a value that is not an error.';
  const [line = ''] = error.message.split('\n');
  return (
    `The command failed with an unexpected ${error.name}: ${line}. ` +
    'Run it again with LOG_LEVEL=debug, and report it if it persists.'
  );
}

async function flush(stream: NodeJS.WriteStream): Promise<void> {
  await new Promise<void>((resolve) => stream.write('', () => resolve()));
}
