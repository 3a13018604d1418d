import type { MetricTags } from '@temporalio/common';
import { Runtime } from '@temporalio/worker';

/** Metrics of deliveries. Tags are kinds, states and subscribers, never a person. */
export interface DeliveryMetrics {
  /** Records that Temporal accepted a delivery for the first time, with its delay. */
  readonly recordAccepted: (tags: { readonly subscriber: string; readonly kind: string }, delaySeconds: number) => void;
  readonly recordRefused: (subscriber: string) => void;
  readonly recordOverdue: (subscriber: string) => void;
  readonly recordDead: (subscriber: string) => void;
  readonly recordEscalated: (subscriber: string) => void;
  /** Records an acknowledgement that changed nothing: unknown, repeated, or for a withdrawn delivery. */
  readonly recordIgnoredAcknowledgement: () => void;
  /** Sets the current counts, across all workers. */
  readonly setCounts: (deliveries: DeliveryFigures, events: readonly EventFigure[]) => void;
}

/** Number of events of one kind in the feed. */
export interface EventFigure {
  readonly kind: string;
  readonly events: number;
}

export interface DeliveryFigures {
  readonly waiting: number;
  readonly sent: number;
  readonly overdue: number;
  readonly failed: number;
  readonly dead: number;
  readonly oldestUnacknowledgedSeconds: number | null;
}

/** Buckets in seconds, up to four weeks: a delivery may be on time, or a month late. */
export const METRIC_BUCKETS: Record<string, number[]> = {
  personio_sync_delivery_delay_seconds: [1, 5, 15, 60, 300, 900, 3_600, 14_400, 43_200, 86_400, 604_800, 2_419_200],
};

const STATES = ['waiting', 'sent', 'overdue', 'failed', 'dead'] as const;

let metrics: DeliveryMetrics | undefined;

/** Returns the metrics of this process, on the SDK's meter, so that one address serves both. */
export function getDeliveryMetrics(): DeliveryMetrics {
  metrics ??= createMetrics();
  return metrics;
}

function createMetrics(): DeliveryMetrics {
  const meter = Runtime.instance().metricMeter;
  const createCounter = (name: string, description: string): ((tags: MetricTags) => void) => {
    const created = meter.createCounter(`personio_sync_${name}_total`, undefined, description);
    return (tags) => created.add(1, tags);
  };
  const eventsByKind = meter.createGauge(
    'personio_sync_lifecycle_events',
    'int',
    undefined,
    'Events that are due, by kind',
  );
  const countRefused = createCounter('delivery_refusals', 'Attempts that Temporal did not accept');
  const countOverdue = createCounter('deliveries_overdue', 'Deliveries not acknowledged in time');
  const countDead = createCounter('deliveries_dead', 'Deliveries given up after 28 days');
  const countEscalated = createCounter('delivery_escalations', 'Deliveries escalated to another subscriber');
  const countIgnored = createCounter('answers_ignored', 'Acknowledgements that changed nothing');
  const delay = meter.createHistogram(
    'personio_sync_delivery_delay_seconds',
    'float',
    undefined,
    'Time from when a delivery was due until Temporal accepted it',
  );
  const deliveriesByState = meter.createGauge('personio_sync_deliveries', 'int', undefined, 'Deliveries by state');
  const oldest = meter.createGauge(
    'personio_sync_oldest_unacknowledged_seconds',
    'int',
    undefined,
    'Age of the oldest unacknowledged delivery',
  );
  return {
    recordAccepted: (tags, delaySeconds) => delay.record(Math.max(0, delaySeconds), tags),
    recordRefused: (subscriber) => countRefused({ subscriber }),
    recordOverdue: (subscriber) => countOverdue({ subscriber }),
    recordDead: (subscriber) => countDead({ subscriber }),
    recordEscalated: (subscriber) => countEscalated({ subscriber }),
    recordIgnoredAcknowledgement: () => countIgnored({}),
    setCounts: (figures, events) => {
      for (const state of STATES) deliveriesByState.set(figures[state], { state });
      oldest.set(figures.oldestUnacknowledgedSeconds ?? 0);
      for (const { kind, events: count } of events) eventsByKind.set(count, { kind });
    },
  };
}
