import { pino } from 'pino';
import type { Logger } from 'pino';
import pretty from 'pino-pretty';
import type { LogLevel as TemporalLevel, LogMetadata, Logger as TemporalLogger } from '@temporalio/worker';

export type { Logger } from 'pino';

export interface LoggerSettings {
  readonly logLevel: string;
  readonly logFormat: 'pretty' | 'json' | null;
}

/** Fields that could hold a secret or personal data. We never log them; this is a second safeguard. */
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

/** Creates a logger that writes to stderr: pretty on a terminal, otherwise one JSON object per line. */
export function createLogger({ logLevel, logFormat }: LoggerSettings): Logger {
  const format = logFormat ?? (process.stderr.isTTY ? 'pretty' : 'json');
  const options = { level: logLevel, redact: { paths: REDACTED, censor: '[redacted]' }, base: null };
  if (format === 'pretty') return pino(options, pretty({ destination: 2, sync: true, colorize: process.stderr.isTTY }));
  return pino({ ...options, timestamp: pino.stdTimeFunctions.isoTime }, pino.destination({ dest: 2, sync: true }));
}

const PINO_LEVEL = { TRACE: 'trace', DEBUG: 'debug', INFO: 'info', WARN: 'warn', ERROR: 'error' } as const;

/** Adapts the logger for the SDK. Errors become their message; their stacks appear at level debug only. */
export function toTemporalLogger(logger: Logger): TemporalLogger {
  const log = (level: TemporalLevel, message: string, meta?: LogMetadata): void => {
    // Intended for TASK_QUEUE.api, which has activities only.
    if (message.startsWith('No workflows registered')) return;
    logger[PINO_LEVEL[level]](toPlainFields(logger, meta), message);
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
