import type { MetricTags } from '@temporalio/common';
import { Runtime } from '@temporalio/worker';

/** What is measured of deliveries. Tags are names of kinds, states and subscribers: never a person. */
export interface DeliveryMetrics {
  /** Temporal accepted a delivery for the first time, so long after the moment that it is about. */
  readonly accepted: (tags: { readonly subscriber: string; readonly kind: string }, delaySeconds: number) => void;
  readonly refused: (subscriber: string) => void;
  readonly overdue: (subscriber: string) => void;
  readonly dead: (subscriber: string) => void;
  readonly escalated: (subscriber: string) => void;
  /** An answer that changed nothing: unknown, given before, or about what was withdrawn. */
  readonly answerIgnored: () => void;
  /** How things stand now, over all workers. */
  readonly standing: (deliveries: DeliveryFigures, events: readonly EventFigure[]) => void;
}

/** How many events of a kind are in the feed. */
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

/** Seconds to weeks: a delivery may be on time, or a month late. */
export const METRIC_BUCKETS: Record<string, number[]> = {
  personio_sync_delivery_delay_seconds: [1, 5, 15, 60, 300, 900, 3_600, 14_400, 43_200, 86_400, 604_800, 2_419_200],
};

const STATES = ['waiting', 'sent', 'overdue', 'failed', 'dead'] as const;

let metrics: DeliveryMetrics | undefined;

/** The metrics of this process, on the SDK's own meter, so that one address serves both. */
export function deliveryMetrics(): DeliveryMetrics {
  metrics ??= createMetrics();
  return metrics;
}

function createMetrics(): DeliveryMetrics {
  const meter = Runtime.instance().metricMeter;
  const counter = (name: string, about: string): ((tags: MetricTags) => void) => {
    const made = meter.createCounter(`personio_sync_${name}_total`, undefined, about);
    return (tags) => made.add(1, tags);
  };
  const inFeed = meter.createGauge('personio_sync_lifecycle_events', 'int', undefined, 'Events that are due, by kind');
  const refused = counter('delivery_refusals', 'Tries that Temporal did not accept');
  const overdue = counter('deliveries_overdue', 'Deliveries that were not acknowledged in time');
  const dead = counter('deliveries_dead', 'Deliveries that were given up after 28 days');
  const escalated = counter(
    'delivery_escalations',
    'Deliveries whose silence or failure was told to another subscriber',
  );
  const ignored = counter('answers_ignored', 'Answers of subscribers that changed nothing');
  const delay = meter.createHistogram(
    'personio_sync_delivery_delay_seconds',
    'float',
    undefined,
    'Time from the moment that a subscriber was to be told until Temporal accepted the delivery',
  );
  const standing = meter.createGauge('personio_sync_deliveries', 'int', undefined, 'Deliveries by state');
  const oldest = meter.createGauge(
    'personio_sync_oldest_unacknowledged_seconds',
    'int',
    undefined,
    'Age of the oldest delivery that was sent and not acknowledged',
  );
  return {
    accepted: (tags, delaySeconds) => delay.record(Math.max(0, delaySeconds), tags),
    refused: (subscriber) => refused({ subscriber }),
    overdue: (subscriber) => overdue({ subscriber }),
    dead: (subscriber) => dead({ subscriber }),
    escalated: (subscriber) => escalated({ subscriber }),
    answerIgnored: () => ignored({}),
    standing: (figures, events) => {
      for (const state of STATES) standing.set(figures[state], { state });
      oldest.set(figures.oldestUnacknowledgedSeconds ?? 0);
      for (const { kind, events: count } of events) inFeed.set(count, { kind });
    },
  };
}
