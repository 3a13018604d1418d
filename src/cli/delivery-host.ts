import { createDispatch } from '../../activities/index.js';
import type { DispatchDependencies } from '../../activities/index.js';
import type { DispatchRequest } from '../contracts/activities.js';
import { deliveryMetrics } from '../observability/metrics.js';
import { eventsByKind } from '../store/feed.js';
import { connectionsWithOpenEvents } from '../store/handover.js';
import { deliveryCounts } from '../store/status.js';

const FIGURES_EVERY_MS = 15_000;
/** Whoever stops a worker waits for a step's end. */
const STEP_MS = 1_000;

/** What a worker does for deliveries beside polling, until it is stopped. */
export interface DeliveryHost {
  /** Resolves when what is under way has ended: until then it needs the database and the Temporal client. */
  readonly stop: () => Promise<void>;
}

/**
 * At start, hands over what is open: subscribers that the policy has gained since get their rows at once, and a rebuilt namespace its
 * workflows, without waiting for the next run. Then keeps the metrics of the tables up to date.
 */
export function startDeliveryHost(dependencies: DispatchDependencies): DeliveryHost {
  const { database, logger } = dependencies;
  let measuring: Promise<void> | null = null;
  let isStopped = false;
  const dispatch = createDispatch(dependencies, STEP_MS);
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
  const count = (): void => {
    measuring ??= attempt(measure, 'Counting deliveries').finally(() => (measuring = null));
  };
  const handingOver = attempt(handOver, 'Handing over open events at start').then(count);
  const timer = setInterval(count, FIGURES_EVERY_MS);
  return {
    stop: async () => {
      isStopped = true;
      clearInterval(timer);
      await handingOver;
      await measuring;
    },
  };
}
