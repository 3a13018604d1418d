import type { Command } from 'commander';
import { CliCommand } from './cli-command.js';
import type { CommandDefinition, Finish } from './command.js';
import { approveCommand } from './commands/approve.js';
import { auditCommand } from './commands/audit.js';
import { backfillCommand } from './commands/backfill.js';
import { codecServerCommand } from './commands/codec-server.js';
import { connectionsCommand } from './commands/connections/index.js';
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
import { readVersion } from './version.js';

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

/** Creates the program with all commands. Usage errors are thrown; each run is passed to `finish`. */
export function createProgram(finish: Finish): Command {
  const program = new CliCommand('personio-sync');
  program
    .description(
      'Reads a Personio account into PostgreSQL and tells other Temporal workflows who joins, moves and leaves.',
    )
    .version(readVersion(), '-V, --version', 'print the version');
  for (const define of COMMANDS) define(program, finish);
  return program;
}
