import { toCloudEvent } from '../../domain/cloud-event.js';
import type { FeedEvent } from '../../domain/cloud-event.js';
import type { Database } from '../../store/database.js';
import { StoreError } from '../../store/errors.js';
import { listFeedEvents, listPlannedEvents } from '../../store/events/feed.js';
import type { CommandDefinition } from '../command.js';
import { withDatabase } from '../database-only.js';
import { CommandError, EXIT } from '../exit.js';
import type { ExitCode } from '../exit.js';
import { createOutput } from '../output.js';
import type { Output } from '../output.js';

interface Options {
  readonly after?: string;
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
    .description('the lifecycle feed: what has become due, in commit order')
    .option('--after <cursor>', 'begin after this sequence; default: with the oldest')
    .option('--follow', 'go on with what becomes due, until Ctrl-C')
    .option('--planned', 'what is to come, in the order of its moments')
    .option('--json', 'print CloudEvents 1.0, one a line')
    .action(async (options: Options) => finish(run(options)));
};

async function run(options: Options): Promise<ExitCode> {
  const output = createOutput(options.json === true, process.stdout, process.stderr);
  const cursor = parseCursor(options);
  return withDatabase('events', async (database) => {
    const printer = new FeedPrinter(database, output);
    if (options.planned === true) await printer.printPlanned();
    else if (options.follow === true) await printer.follow(cursor);
    else await printer.printDue(cursor);
    return EXIT.done;
  });
}

function parseCursor({ after, follow, planned }: Options): number {
  if (planned === true && (after !== undefined || follow === true)) {
    throw new CommandError(
      '--planned shows what is to come and has no cursor: leave out --after and --follow.',
      EXIT.usage,
    );
  }
  if (after === undefined) return 0;
  if (!/^\d{1,15}$/.test(after)) {
    throw new CommandError('--after takes a cursor: the `sequence` of an event, a whole number.', EXIT.usage);
  }
  return Number(after);
}

class FeedPrinter {
  private readonly database: Database;
  private readonly output: Output;
  private isOver = false;

  constructor(database: Database, output: Output) {
    this.database = database;
    this.output = output;
    // Whoever reads may have seen enough, as in `| head`.
    process.stdout.on('error', () => (this.isOver = true));
  }

  /** @returns the cursor of the newest event. */
  async printDue(cursor: number): Promise<number> {
    for (let last = cursor; ;) {
      const page = await listFeedEvents(this.database, last, PAGE);
      for (const event of page) this.show(event);
      last = page.at(-1)?.sequence ?? last;
      if (page.length < PAGE || this.isOver) return last;
    }
  }

  async printPlanned(): Promise<void> {
    for (let offset = 0; ; offset += PAGE) {
      const page = await listPlannedEvents(this.database, offset, PAGE);
      for (const event of page) this.show(event);
      if (page.length < PAGE || this.isOver) return;
    }
  }

  /** Outlasts a database that is restarted. */
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

  private show(event: FeedEvent): void {
    if (this.isOver) return;
    if (this.output.isJson) this.output.printJsonLine(toCloudEvent(event));
    else this.output.say(formatFeedEvent(event));
  }
}

function formatFeedEvent({
  sequence,
  kind,
  employeeId,
  connectionId,
  effectiveAt,
  timeZone,
  late,
  changes,
}: FeedEvent): string {
  const what = changes.length === 0 ? '' : ` (${changes.map(({ attribute }) => attribute).join(', ')})`;
  const place = sequence === null ? 'planned' : String(sequence);
  return `${place.padStart(7)}  ${kind.padEnd(19)}  employee ${employeeId} of ${connectionId}, ${effectiveAt} (${timeZone})${what}${late ? ', late' : ''}`;
}
