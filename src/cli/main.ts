import { Command, CommanderError } from 'commander';
import { SettingsError } from '../config/settings.js';
import { ServerUnavailableError } from '../embedded/processes.js';
import { TemporalUnreachableError } from '../temporal/connection.js';
import { WorkerStartError } from '../worker/errors.js';
import type { CommandDefinition } from './command.js';
import { approveCommand } from './commands/approve.js';
import { auditCommand } from './commands/audit.js';
import { backfillCommand } from './commands/backfill.js';
import { codecServerCommand } from './commands/codec-server.js';
import { connectionsCommand } from './commands/connections.js';
import { deliveriesCommand } from './commands/deliveries.js';
import { devCommand } from './commands/dev.js';
import { eraseCommand } from './commands/erase.js';
import { eventsCommand } from './commands/events.js';
import { explainCommand } from './commands/explain.js';
import { fakePersonioCommand } from './commands/fake-personio.js';
import { keysCommand } from './commands/keys.js';
import { migrateCommand } from './commands/migrate.js';
import { previewCommand } from './commands/preview.js';
import { readmitCommand } from './commands/readmit.js';
import { redeliverCommand } from './commands/redeliver.js';
import { rejectCommand } from './commands/reject.js';
import { retentionCommand } from './commands/retention.js';
import { schedulesCommand } from './commands/schedules.js';
import { statusCommand } from './commands/status.js';
import { syncCommand } from './commands/sync.js';
import { workerCommand } from './commands/worker.js';
import { CommandError, EXIT } from './exit.js';
import type { ExitCode } from './exit.js';
import { createOutput } from './output.js';

const COMMANDS: readonly CommandDefinition[] = [
  devCommand,
  workerCommand,
  migrateCommand,
  schedulesCommand,
  connectionsCommand,
  syncCommand,
  backfillCommand,
  previewCommand,
  approveCommand,
  rejectCommand,
  statusCommand,
  explainCommand,
  eventsCommand,
  deliveriesCommand,
  redeliverCommand,
  eraseCommand,
  readmitCommand,
  retentionCommand,
  keysCommand,
  auditCommand,
  codecServerCommand,
  fakePersonioCommand,
];

/** Runs one command line and ends the process with its exit code: the only `process.exit`. */
export async function main(argv: readonly string[]): Promise<never> {
  const output = createOutput(argv.includes('--json'), process.stdout, process.stderr);
  let exitCode: ExitCode = EXIT.done;
  try {
    await parse(argv, (code) => {
      exitCode = code;
    });
  } catch (error) {
    const { sentence, code } = describeError(error);
    if (sentence !== '') output.note(sentence);
    exitCode = code;
    if (code !== EXIT.done) output.printJson({ ok: false, exitCode: code, message: sentence });
  }
  await flush(process.stdout);
  await flush(process.stderr);
  process.exit(exitCode);
}

async function parse(argv: readonly string[], onDone: (code: ExitCode) => void): Promise<void> {
  const program = new Command('personio-sync');
  program
    .description('Reads Personio into PostgreSQL on Temporal, and tells other workflows who joins, moves and leaves.')
    .exitOverride()
    .configureOutput({ writeErr: (text) => process.stderr.write(text), outputError: () => undefined })
    .showHelpAfterError(false);
  for (const define of COMMANDS) {
    define(program, async (run) => {
      onDone(await run);
    });
  }
  silence(program);
  await program.parseAsync([...argv], { from: 'user' });
}

/** Commands that are made by name do not inherit from their parent that it is not they who exit and write. */
function silence(command: Command): void {
  for (const child of command.commands) {
    child.exitOverride().configureOutput({ outputError: () => undefined });
    silence(child);
  }
}

function describeError(error: unknown): { readonly sentence: string; readonly code: ExitCode } {
  if (error instanceof CommandError) return { sentence: error.message, code: error.exitCode };
  if (error instanceof SettingsError) return { sentence: error.message, code: EXIT.usage };
  if (error instanceof CommanderError) return describeUsageError(error);
  if (
    error instanceof TemporalUnreachableError ||
    error instanceof ServerUnavailableError ||
    error instanceof WorkerStartError
  )
    return { sentence: error.message, code: EXIT.failed };
  if (error instanceof Error && 'type' in error) return { sentence: error.message, code: EXIT.failed };
  return { sentence: describeUnexpectedError(error), code: EXIT.failed };
}

function describeUsageError(error: CommanderError): { readonly sentence: string; readonly code: ExitCode } {
  if (error.exitCode === 0) return { sentence: '', code: EXIT.done };
  if (error.code === 'commander.help') return { sentence: '', code: EXIT.usage };
  const sentence = error.message.replace(/^error: /, '');
  return { sentence: `${sentence}. See \`personio-sync --help\`.`.replace('..', '.'), code: EXIT.usage };
}

/** Only the kind of an unforeseen error is shown: its message may carry data of a person. */
function describeUnexpectedError(error: unknown): string {
  if (!(error instanceof Error)) return 'The command ended with something that is not an error.';
  return `The command failed with an unexpected ${error.name}: ${error.message.split('\n')[0] ?? ''}. Run it again with LOG_LEVEL=debug, and report it if it stays.`;
}

async function flush(stream: NodeJS.WriteStream): Promise<void> {
  await new Promise<void>((resolve) => stream.write('', () => resolve()));
}
