import { Runtime } from '@temporalio/worker';
import type { Logger } from '../observability/logger.js';
import { listConnections } from '../store/connections.js';
import type { Database } from '../store/database.js';

const DAY_MS = 86_400_000;
/** How long before it is due a secret is spoken of. */
const NOTICE_DAYS = 14;
const METRIC = 'personio_sync_secret_age_days';
const EVERY_MS = 30_000;

interface SecretAge {
  /** Whole days. */
  readonly days: number;
  readonly isDue: boolean;
}

/** @returns null for the environment's secret, whose age nobody knows. */
export function calculateSecretAge(setAt: string | null, rotationDays: number, now = Date.now()): SecretAge | null {
  if (setAt === null) return null;
  const days = Math.floor((now - Date.parse(setAt)) / DAY_MS);
  return { days, isDue: days >= rotationDays };
}

/** @returns a line for the two weeks before a secret is due; null before and after. */
export function formatSecretNotice(
  connectionId: string,
  setAt: string | null,
  dueAt: string | null,
  now = Date.now(),
): string | null {
  if (setAt === null || dueAt === null) return null;
  const daysLeft = Math.ceil((Date.parse(dueAt) - now) / DAY_MS);
  if (daysLeft > NOTICE_DAYS || daysLeft <= 0) return null;
  return `The secret is to be changed in ${daysLeft} ${daysLeft === 1 ? 'day' : 'days'}, by ${dueAt.slice(0, 10)}. ${describeRotation(connectionId)}`;
}

/** What to do about a secret that is due. */
export function describeRotation(connectionId: string): string {
  return `In Personio, under Settings > Integrations > API credentials, generate a new secret, then run \`personio-sync connections rotate ${connectionId}\`.`;
}

/** Keeps the metric of the secrets' ages up to date. @returns how to stop that. */
export function reportSecretAges(database: Database, logger: Logger): () => void {
  const gauge = Runtime.instance().metricMeter.createGauge(METRIC, 'float', 'd', 'Age of a stored API secret in days');
  const report = async (): Promise<void> => {
    try {
      for (const { connectionId, secretSetAt } of await listConnections(database))
        gauge.set((Date.now() - Date.parse(secretSetAt)) / DAY_MS, { connection: connectionId });
    } catch (error) {
      // The database is away: every activity says so, and the next round is soon.
      logger.debug(
        { reason: error instanceof Error ? error.name : 'unknown' },
        'The ages of secrets could not be read',
      );
    }
  };
  void report();
  const timer = setInterval(() => void report(), EVERY_MS);
  timer.unref();
  return () => clearInterval(timer);
}
