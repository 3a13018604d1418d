import { createDispatch } from '../../activities/index.js';
import type { DispatchDependencies } from '../../activities/index.js';
import { deliveryMetrics } from '../observability/metrics.js';
import { eventsByKind } from '../store/feed.js';
import { connectionsWithOpenEvents } from '../store/handover.js';
import { deliveryCounts } from '../store/status.js';

const FIGURES_EVERY_MS = 15_000;

/** What a worker does for deliveries beside polling, until it is stopped. */
export interface DeliveryHost {
  readonly stop: () => void;
}

/**
 * At start, hands over what is open: subscribers that the policy has gained since get their rows at once, and a rebuilt namespace its
 * workflows, without waiting for the next run. Then keeps the metrics of the tables up to date.
 */
export function startDeliveryHost(dependencies: DispatchDependencies): DeliveryHost {
  const { database, logger } = dependencies;
  let isBusy = false;
  const dispatch = createDispatch(dependencies);
  const handOver = async (): Promise<void> => {
    for (const connectionId of await connectionsWithOpenEvents(database)) await dispatch({ connectionId });
  };
  const measure = async (): Promise<void> => {
    deliveryMetrics().standing(await deliveryCounts(database), await eventsByKind(database));
  };
  const attempt = async (work: () => Promise<void>, what: string): Promise<void> => {
    try {
      await work();
    } catch (error) {
      const reason = error instanceof Error ? error.name : 'unknown';
      logger.warn({ reason }, `${what} did not succeed; it is done again later`);
    }
  };
  void attempt(handOver, 'Handing over open events at start').then(async () => attempt(measure, 'Counting deliveries'));
  const timer = setInterval(() => {
    if (isBusy) return;
    isBusy = true;
    void attempt(measure, 'Counting deliveries').finally(() => (isBusy = false));
  }, FIGURES_EVERY_MS);
  return { stop: () => clearInterval(timer) };
}
