import { Runtime } from '@temporalio/worker';
import type { Logger } from '../observability/logger.js';
import { listConnections } from '../store/connections.js';
import type { Database } from '../store/database.js';

const DAY_MS = 86_400_000;
/** Days before its due date on which a secret is first announced. */
const NOTICE_DAYS = 14;
const METRIC = 'personio_sync_secret_age_days';
const INTERVAL_MS = 30_000;

interface SecretAge {
  /** Whole days. */
  readonly days: number;
  readonly isDue: boolean;
}

/** Returns null for the environment's secret, whose age is unknown. */
export function calculateSecretAge(setAt: string | null, rotationDays: number, now = Date.now()): SecretAge | null {
  if (setAt === null) return null;
  const days = Math.floor((now - Date.parse(setAt)) / DAY_MS);
  return { days, isDue: days >= rotationDays };
}

/** Returns a notice during the two weeks before a secret is due; null before and after. */
export function formatSecretNotice(
  connectionId: string,
  setAt: string | null,
  dueAt: string | null,
  now = Date.now(),
): string | null {
  if (setAt === null || dueAt === null) return null;
  const daysLeft = Math.ceil((Date.parse(dueAt) - now) / DAY_MS);
  if (daysLeft > NOTICE_DAYS || daysLeft <= 0) return null;
  const days = `${daysLeft} ${daysLeft === 1 ? 'day' : 'days'}`;
  return `Rotate this secret within ${days}, by ${dueAt.slice(0, 10)}. ${describeRotation(connectionId)}`;
}

/** Returns the steps to rotate a secret. */
export function describeRotation(connectionId: string): string {
  return (
    'In Personio, under Settings > Integrations > API credentials, generate a new secret, ' +
    `then run \`personio-sync connections rotate ${connectionId}\`.`
  );
}

/** Keeps the metric of the secrets' ages up to date. Returns a function that stops it. */
export function reportSecretAges(database: Database, logger: Logger): () => void {
  const gauge = Runtime.instance().metricMeter.createGauge(METRIC, 'float', 'd', 'Age of a stored API secret in days');
  const report = async (): Promise<void> => {
    try {
      for (const { connectionId, secretSetAt } of await listConnections(database))
        gauge.set((Date.now() - Date.parse(secretSetAt)) / DAY_MS, { connection: connectionId });
    } catch (error) {
      // The database is unreachable: every activity reports it, and the next round is soon.
      logger.debug({ reason: error instanceof Error ? error.name : 'unknown' }, 'Could not read the ages of secrets');
    }
  };
  void report();
  const timer = setInterval(() => void report(), INTERVAL_MS);
  timer.unref();
  return () => clearInterval(timer);
}
