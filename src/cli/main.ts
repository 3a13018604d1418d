import { CommanderError } from 'commander';
import { CommandError, EXIT } from './exit.js';
import type { ExitCode } from './exit.js';
import { describeFailure } from '../observability/failure.js';
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
  const [settings, { ServerUnavailableError }, { TemporalUnreachableError }, temporal, { WorkerStartError }] =
    await Promise.all([
      import('../config/settings.js'),
      import('../embedded/processes.js'),
      import('../temporal/connection.js'),
      import('../temporal/errors.js'),
      import('../worker/errors.js'),
    ]);
  if (error instanceof settings.SettingsError) return { sentence: error.message, code: EXIT.usage };
  const sentences = [TemporalUnreachableError, temporal.TemporalSetupError, ServerUnavailableError, WorkerStartError];
  for (const known of sentences) if (error instanceof known) return { sentence: error.message, code: EXIT.failed };
  if (error instanceof Error && 'type' in error) return { sentence: error.message, code: EXIT.failed };
  const sentence = temporal.describeServiceError(error) ?? describeUnexpectedError(error);
  return { sentence: settings.isDebugging() ? addDetails(sentence, error) : sentence, code: EXIT.failed };
}

function addDetails(sentence: string, error: unknown): string {
  return `${sentence}\n${JSON.stringify(describeFailure(error), null, 2)}`;
}

/** Shows one line of an unexpected error; the rest of its message may carry personal data. */
function describeUnexpectedError(error: unknown): string {
  if (!(error instanceof Error)) return 'The command failed with a value that is not an error.';
  // PostgreSQL quotes values in its messages.
  const [line = ''] = 'severity' in error && 'code' in error ? [String(error.code)] : error.message.split('\n');
  return (
    `The command failed with an unexpected ${error.name}: ${line}. ` +
    'Run it again with LOG_LEVEL=debug, and report it if it persists.'
  );
}

async function flush(stream: NodeJS.WriteStream): Promise<void> {
  await new Promise<void>((resolve) => stream.write('', () => resolve()));
}
