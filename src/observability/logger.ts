import { pino } from 'pino';
import type { Logger } from 'pino';
import pretty from 'pino-pretty';
import type { LogLevel as TemporalLevel, LogMetadata, Logger as TemporalLogger } from '@temporalio/worker';

export type { Logger } from 'pino';

export interface LoggerSettings {
  readonly logLevel: string;
  readonly logFormat: 'pretty' | 'json' | null;
}

/** Names under which a secret or a person's data could ever stand; a second lock behind never logging them. */
const REDACTED = [
  'token',
  'secret',
  'clientSecret',
  'password',
  'authorization',
  'databaseUrl',
  'email',
  'firstName',
  'lastName',
  'record',
  'body',
].flatMap((name) => [name, `*.${name}`]);

/** Logs go to stderr: pretty on a terminal, else one JSON object a line. */
export function createLogger({ logLevel, logFormat }: LoggerSettings): Logger {
  const format = logFormat ?? (process.stderr.isTTY ? 'pretty' : 'json');
  const options = { level: logLevel, redact: { paths: REDACTED, censor: '[redacted]' }, base: null };
  if (format === 'pretty') return pino(options, pretty({ destination: 2, sync: true, colorize: process.stderr.isTTY }));
  return pino({ ...options, timestamp: pino.stdTimeFunctions.isoTime }, pino.destination({ dest: 2, sync: true }));
}

/** Lets the SDK write into the same log. Errors become their message: stacks only at level debug. */
export function toTemporalLogger(logger: Logger): TemporalLogger {
  const log = (level: TemporalLevel, message: string, meta?: LogMetadata): void => {
    // A queue of activities alone is meant: see TASK_QUEUE.api.
    if (message.startsWith('No workflows registered')) return;
    const name =
      level === 'TRACE'
        ? 'trace'
        : level === 'DEBUG'
          ? 'debug'
          : level === 'INFO'
            ? 'info'
            : level === 'WARN'
              ? 'warn'
              : 'error';
    logger[name](toPlainFields(logger, meta), message);
  };
  return {
    log,
    trace: (message, meta) => log('TRACE', message, meta),
    debug: (message, meta) => log('DEBUG', message, meta),
    info: (message, meta) => log('INFO', message, meta),
    warn: (message, meta) => log('WARN', message, meta),
    error: (message, meta) => log('ERROR', message, meta),
  };
}

function toPlainFields(logger: Logger, meta: LogMetadata | undefined): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(meta ?? {}).map(([key, value]: [string, unknown]) => {
      if (!(value instanceof Error)) return [key, value];
      return [key, logger.isLevelEnabled('debug') ? value.stack : `${value.name}: ${value.message}`];
    }),
  );
}
