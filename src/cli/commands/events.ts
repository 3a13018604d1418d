import { InvalidArgumentError } from 'commander';
import { readSettings } from '../../config/settings.js';
import { toCloudEvent } from '../../domain/cloud-event.js';
import type { FeedEvent } from '../../domain/cloud-event.js';
import type { Database } from '../../store/database.js';
import { StoreError } from '../../store/errors.js';
import { listFeedEvents, listPlannedEvents } from '../../store/events/feed.js';
import type { CommandDefinition } from '../command.js';
import { CommandError, EXIT } from '../exit.js';
import type { ExitCode } from '../exit.js';
import { formatFeedEvent } from '../format-event.js';
import { createOutput } from '../output.js';
import type { Output } from '../output.js';
import { withDatabase } from '../with-database.js';

interface Options {
  readonly after?: number;
  readonly follow?: boolean;
  readonly planned?: boolean;
  readonly json?: boolean;
}

const PAGE = 1_000;
const FOLLOW_EVERY_MS = 1_000;

/** `events [--after CURSOR] [--follow] [--planned] [--json]` */
export const eventsCommand: CommandDefinition = (program, finish) => {
  program
    .command('events')
    .description('print the lifecycle feed: the events that are due, in commit order')
    .option('--after <cursor>', 'start after this sequence number (default: with the oldest event)', parseCursor)
    .option('--follow', 'keep printing events as they become due, until Ctrl-C')
    .option('--planned', 'print the planned events instead, earliest first')
    .option('--json', 'print CloudEvents 1.0, one per line')
    .action(async (options: Options) => finish(run(options)));
};

function parseCursor(text: string): number {
  if (!/^\d{1,15}$/.test(text)) throw new InvalidArgumentError('must be the `sequence` of an event, a whole number.');
  return Number(text);
}

async function run(options: Options): Promise<ExitCode> {
  const { after, follow = false, planned = false } = options;
  const output = createOutput(options.json === true, process.stdout, process.stderr);
  if (planned && (after !== undefined || follow)) {
    throw new CommandError(
      '--planned cannot be combined with --after or --follow: planned events have no sequence.',
      EXIT.usage,
    );
  }
  return withDatabase(readSettings(), 'events', async (database) => {
    const printer = new FeedPrinter(database, output);
    if (planned) await printer.printPlanned();
    else if (follow) await printer.follow(after ?? 0);
    else await printer.printDue(after ?? 0);
    return EXIT.done;
  });
}

class FeedPrinter {
  private readonly database: Database;
  private readonly output: Output;
  private isOver = false;

  constructor(database: Database, output: Output) {
    this.database = database;
    this.output = output;
    // The reader may close the pipe early, as in `| head`.
    process.stdout.on('error', () => (this.isOver = true));
  }

  /** Prints the events after a cursor. Returns the cursor of the newest one. */
  async printDue(cursor: number): Promise<number> {
    for (let last = cursor; ;) {
      const page = await listFeedEvents(this.database, last, PAGE);
      for (const event of page) this.print(event);
      last = page.at(-1)?.sequence ?? last;
      if (page.length < PAGE || this.isOver) return last;
    }
  }

  async printPlanned(): Promise<void> {
    for (let offset = 0; ; offset += PAGE) {
      const page = await listPlannedEvents(this.database, offset, PAGE);
      for (const event of page) this.print(event);
      if (page.length < PAGE || this.isOver) return;
    }
  }

  /** Prints events as they become due, also after a restart of the database. */
  async follow(cursor: number): Promise<void> {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => (this.isOver = true));
    for (let last = cursor; !this.isOver;) {
      try {
        last = await this.printDue(last);
      } catch (error) {
        if (!(error instanceof StoreError && error.type === 'StoreUnavailable')) throw error;
        this.output.note(`${error.message} Trying again.`);
      }
      for (let waitedMs = 0; waitedMs < FOLLOW_EVERY_MS && !this.hasEnded(); waitedMs += 100)
        await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }

  private hasEnded(): boolean {
    return this.isOver;
  }

  private print(event: FeedEvent): void {
    if (this.isOver) return;
    if (this.output.isJson) this.output.printJsonLine(toCloudEvent(event));
    else this.output.say(formatFeedEvent(event));
  }
}
