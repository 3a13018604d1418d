import type { Command } from 'commander';
import type { ExitCode } from './exit.js';

/** One command: registers itself, and gives `finish` the run that ends with its exit code. */
export type CommandDefinition = (program: Command, finish: (run: Promise<ExitCode>) => Promise<void>) => void;
