import type { Command } from 'commander';
import { CliCommand } from './cli-command.js';
import type { CommandDefinition, Finish } from './command.js';
import { readVersion } from './version.js';

/** Loads each command when it is needed: the libraries of all of them take a second of processor time. */
const COMMANDS: Readonly<Record<string, () => Promise<CommandDefinition>>> = {
  dev: async () => (await import('./commands/dev.js')).devCommand,
  worker: async () => (await import('./commands/worker.js')).workerCommand,
  migrate: async () => (await import('./commands/migrate.js')).migrateCommand,
  schedules: async () => (await import('./commands/schedules.js')).schedulesCommand,
  connections: async () => (await import('./commands/connections/index.js')).connectionsCommand,
  sync: async () => (await import('./commands/sync.js')).syncCommand,
  backfill: async () => (await import('./commands/backfill.js')).backfillCommand,
  preview: async () => (await import('./commands/preview.js')).previewCommand,
  approve: async () => (await import('./commands/approve.js')).approveCommand,
  reject: async () => (await import('./commands/reject.js')).rejectCommand,
  status: async () => (await import('./commands/status.js')).statusCommand,
  explain: async () => (await import('./commands/explain.js')).explainCommand,
  events: async () => (await import('./commands/events.js')).eventsCommand,
  deliveries: async () => (await import('./commands/deliveries.js')).deliveriesCommand,
  redeliver: async () => (await import('./commands/redeliver.js')).redeliverCommand,
  erase: async () => (await import('./commands/erase.js')).eraseCommand,
  readmit: async () => (await import('./commands/readmit.js')).readmitCommand,
  retention: async () => (await import('./commands/retention.js')).retentionCommand,
  keys: async () => (await import('./commands/keys.js')).keysCommand,
  audit: async () => (await import('./commands/audit.js')).auditCommand,
  'codec-server': async () => (await import('./commands/codec-server.js')).codecServerCommand,
  'fake-personio': async () => (await import('./commands/fake-personio.js')).fakePersonioCommand,
};

/**
 * Creates the program with the command that the arguments name, or with all commands where they name none. Usage
 * errors are thrown; each run is passed to `finish`.
 */
export async function createProgram(argv: readonly string[], finish: Finish): Promise<Command> {
  const program = new CliCommand('personio-sync');
  program
    .description(
      'Reads a Personio account into PostgreSQL and tells other Temporal workflows who joins, moves and leaves.',
    )
    .version(readVersion(), '-V, --version', 'print the version');
  for (const define of await loadCommands(argv)) define(program, finish);
  return program;
}

async function loadCommands(argv: readonly string[]): Promise<readonly CommandDefinition[]> {
  if (argv[0] === '--version' || argv[0] === '-V') return [];
  const name = argv.find((argument) => !argument.startsWith('-')) ?? '';
  const load = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
  const loads = load === undefined ? Object.values(COMMANDS) : [load];
  const definitions: CommandDefinition[] = [];
  // One after the other: the commands share most of their modules.
  for (const each of loads) definitions.push(await each());
  return definitions;
}
