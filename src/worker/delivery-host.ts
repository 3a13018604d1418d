import { setTimeout } from 'node:timers/promises';
import { createDispatch } from '../../activities/index.js';
import type { DeliveryDependencies } from '../../activities/index.js';
import type { DispatchRequest } from '../contracts/internal/activities.js';
import { getDeliveryMetrics } from '../observability/metrics.js';
import { countEventsByKind } from '../store/events/feed.js';
import { listConnectionsWithOpenEvents } from '../store/deliveries/dispatch.js';
import { countDeliveries } from '../store/status.js';

const METRICS_INTERVAL_MS = 15_000;
/** Short, since stopping a worker waits for the end of a step. */
const STEP_MS = 3_000;
const RETRY_AFTER_MS = 15_000;

/** Work for deliveries that a worker process does besides polling, until it is stopped. */
export interface DeliveryHost {
  /** Resolves once everything under way has ended. Until then it needs the database and the Temporal client. */
  readonly stop: () => Promise<void>;
}

/**
 * Dispatches open events at start, so that new subscribers of the policy get their rows, and a rebuilt namespace its
 * workflows, without waiting for the next run. Then keeps the metrics of the tables up to date.
 */
export function startDeliveryHost(dependencies: DeliveryDependencies, retryAfterMs = RETRY_AFTER_MS): DeliveryHost {
  const { database, logger } = dependencies;
  const stopping = new AbortController();
  let measuring: Promise<unknown> | null = null;
  const dispatch = createDispatch(dependencies, STEP_MS);
  const dispatchOpen = async (): Promise<void> => {
    const connections = await listConnectionsWithOpenEvents(database);
    // A step of each connection in turn, so that none waits for the thousands of another.
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
  /** Returns whether the work succeeded. */
  const tryOnce = async (work: () => Promise<void>, name: string): Promise<boolean> => {
    try {
      await work();
      return true;
    } catch (error) {
      const reason = error instanceof Error ? error.name : 'unknown';
      logger.warn({ reason }, `${name} did not succeed; retrying later`);
      return false;
    }
  };
  const dispatchWithRetry = async (): Promise<void> => {
    while (!(await tryOnce(dispatchOpen, 'Dispatching open events at start')) && !stopping.signal.aborted)
      await pause(retryAfterMs, stopping.signal);
  };
  const updateMetrics = (): void => {
    measuring ??= tryOnce(measure, 'Counting deliveries').finally(() => (measuring = null));
  };
  const dispatching = dispatchWithRetry().then(updateMetrics);
  const timer = setInterval(updateMetrics, METRICS_INTERVAL_MS);
  return {
    stop: async () => {
      stopping.abort();
      clearInterval(timer);
      await dispatching;
      await measuring;
    },
  };
}

/** Waits for a time, or until the signal aborts. */
async function pause(ms: number, signal: AbortSignal): Promise<void> {
  await setTimeout(ms, undefined, { signal }).catch(() => undefined);
}
