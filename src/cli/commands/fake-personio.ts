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
    .description("run only the demo company's Personio server, until stopped")
    .option('--port <number>', 'port on the loopback address; 0 picks a free one', parseWholeNumber, 8080)
    .option('--employees <number>', 'number of employees', parseWholeNumber, 250)
    .option('--seed <number>', 'seed; the same seed creates the same company', parseWholeNumber, 1)
    .action(async (options: Options) => finish(run(options)));
};

function parseWholeNumber(text: string): number {
  if (!/^\d{1,9}$/.test(text)) throw new InvalidArgumentError('must be a whole number.');
  return Number(text);
}

async function run({ port, employees, seed }: Options): Promise<ExitCode> {
  const output = createOutput(false, process.stdout, process.stderr);
  const stopped = waitForSignal();
  const company = await startFakePersonio({ port, employees, seed, foundedOn: new Date().toISOString().slice(0, 10) });
  output.say(`A demo company of ${employees} people answers at ${company.url}; any client ID and secret work.`);
  await stopped;
  await company.close();
  return EXIT.done;
}
