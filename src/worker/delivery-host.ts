import { setTimeout } from 'node:timers/promises';
import { createDispatch } from '../../activities/index.js';
import type { DispatchDependencies } from '../../activities/index.js';
import type { DispatchRequest } from '../contracts/internal/activities.js';
import { getDeliveryMetrics } from '../observability/metrics.js';
import { countEventsByKind } from '../store/events/feed.js';
import { listConnectionsWithOpenEvents } from '../store/deliveries/dispatch.js';
import { countDeliveries } from '../store/status.js';

const FIGURES_EVERY_MS = 15_000;
/** Whoever stops a worker waits for a step's end. */
const STEP_MS = 3_000;
const RETRY_AFTER_MS = 15_000;

/** What a worker does for deliveries beside polling, until it is stopped. */
export interface DeliveryHost {
  /** Resolves when what is under way has ended: until then it needs the database and the Temporal client. */
  readonly stop: () => Promise<void>;
}

/**
 * At start, hands over what is open: subscribers that the policy has gained since get their rows at once, and a rebuilt namespace its
 * workflows, without waiting for the next run. Then keeps the metrics of the tables up to date.
 */
export function startDeliveryHost(dependencies: DispatchDependencies, retryAfterMs = RETRY_AFTER_MS): DeliveryHost {
  const { database, logger } = dependencies;
  const stopping = new AbortController();
  let measuring: Promise<unknown> | null = null;
  const dispatch = createDispatch(dependencies, STEP_MS);
  const dispatchOpen = async (): Promise<void> => {
    const connections = await listConnectionsWithOpenEvents(database);
    // A step of each in turn, so that nobody waits for the crowd of another company.
    let requests: readonly DispatchRequest[] = connections.map((connectionId) => ({ connectionId }));
    while (requests.length > 0) {
      const unfinished: DispatchRequest[] = [];
      for (const request of requests) {
        if (stopping.signal.aborted) return;
        const { left } = await dispatch(request);
        if (left > 0) unfinished.push({ ...request, left });
      }
      requests = unfinished;
    }
  };
  const measure = async (): Promise<void> => {
    getDeliveryMetrics().setCounts(await countDeliveries(database), await countEventsByKind(database));
  };
  /** @returns whether it succeeded. */
  const tryOnce = async (work: () => Promise<void>, what: string): Promise<boolean> => {
    try {
      await work();
      return true;
    } catch (error) {
      const reason = error instanceof Error ? error.name : 'unknown';
      logger.warn({ reason }, `${what} did not succeed; it is done again later`);
      return false;
    }
  };
  const dispatchWithRetry = async (): Promise<void> => {
    while (!(await tryOnce(dispatchOpen, 'Handing over open events at start')) && !stopping.signal.aborted)
      await pause(retryAfterMs, stopping.signal);
  };
  const updateMetrics = (): void => {
    measuring ??= tryOnce(measure, 'Counting deliveries').finally(() => (measuring = null));
  };
  const dispatching = dispatchWithRetry().then(updateMetrics);
  const timer = setInterval(updateMetrics, FIGURES_EVERY_MS);
  return {
    stop: async () => {
      stopping.abort();
      clearInterval(timer);
      await dispatching;
      await measuring;
    },
  };
}

/** Until so many milliseconds have passed, or the signal has come. */
async function pause(ms: number, signal: AbortSignal): Promise<void> {
  await setTimeout(ms, undefined, { signal }).catch(() => undefined);
}
