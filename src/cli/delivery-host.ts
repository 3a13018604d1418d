import { createDispatch } from '../../activities/index.js';
import type { DispatchDependencies } from '../../activities/index.js';
import type { DispatchRequest } from '../contracts/activities.js';
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
  let isStopped = false;
  const dispatch = createDispatch(dependencies);
  const handOver = async (): Promise<void> => {
    const connections = await connectionsWithOpenEvents(database);
    // A step of each in turn, so that nobody waits for the crowd of another company.
    let requests: readonly DispatchRequest[] = connections.map((connectionId) => ({ connectionId }));
    while (requests.length > 0 && !isStopped) {
      const unfinished: DispatchRequest[] = [];
      for (const request of requests) {
        const { left } = await dispatch(request);
        if (left > 0) unfinished.push({ ...request, left });
      }
      requests = unfinished;
    }
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
  return {
    stop: () => {
      isStopped = true;
      clearInterval(timer);
    },
  };
}
