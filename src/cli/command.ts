import type { Command } from 'commander';
import type { ExitCode } from './exit.js';

/** Passes the run of a command on to the program, which ends the process with its exit code. */
export type Finish = (run: Promise<ExitCode>) => Promise<void>;

/** One command: adds itself to its parent and passes each run to `finish`. */
export type CommandDefinition = (parent: Command, finish: Finish) => void;
