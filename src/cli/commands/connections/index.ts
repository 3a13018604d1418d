import type { CommandDefinition } from '../../command.js';
import { addCommand } from './add.js';
import { listCommand } from './list.js';
import { removeCommand } from './remove.js';
import { rotateCommand } from './rotate.js';
import { testCommand } from './test.js';

/** `connections add|list|test|rotate|remove` */
export const connectionsCommand: CommandDefinition = (program, finish) => {
  const connections = program.command('connections').description('manage connections to Personio accounts');
  for (const define of [addCommand, listCommand, testCommand, rotateCommand, removeCommand])
    define(connections, finish);
};
