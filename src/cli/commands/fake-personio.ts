import { InvalidArgumentError } from 'commander';
import { startFakePersonio } from '../../fake-personio/server.js';
import type { CommandDefinition } from '../command.js';
import { EXIT } from '../exit.js';
import type { ExitCode } from '../exit.js';
import { createOutput } from '../output.js';
import { waitForSignal } from '../../worker/worker-host.js';

interface Options {
  readonly port: number;
  readonly employees: number;
  readonly seed: number;
}

/** `fake-personio [--port N] [--employees N] [--seed N]` */
export const fakePersonioCommand: CommandDefinition = (program, finish) => {
  program
    .command('fake-personio')
    .description('run the made-up company alone, until Ctrl-C')
    .option('--port <number>', 'port on the loopback address; 0 takes a free one', parseWholeNumber, 8080)
    .option('--employees <number>', 'how many people the company has', parseWholeNumber, 250)
    .option('--seed <number>', 'the same seed gives the same company', parseWholeNumber, 1)
    .action(async (options: Options) => finish(run(options)));
};

function parseWholeNumber(text: string): number {
  if (!/^\d{1,9}$/.test(text)) throw new InvalidArgumentError('It has to be a whole number.');
  return Number(text);
}

async function run({ port, employees, seed }: Options): Promise<ExitCode> {
  const output = createOutput(false, process.stdout, process.stderr);
  const stopped = waitForSignal();
  const company = await startFakePersonio({ port, employees, seed, foundedOn: new Date().toISOString().slice(0, 10) });
  output.say(`A made-up company of ${employees} people answers at ${company.url}; any client id and secret will do.`);
  await stopped;
  await company.close();
  return EXIT.done;
}
