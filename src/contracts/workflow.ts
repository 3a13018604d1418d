import { condition, defineSignal, getExternalWorkflowHandle, setHandler } from '@temporalio/workflow';
import { SIGNAL } from './names.js';
import type { Acknowledgement, LifecycleEvent } from './events.js';

const lifecycleSignal = defineSignal<[LifecycleEvent]>(SIGNAL.lifecycle);

/** How many delivery ids are remembered to drop repeats. A person has a handful of events a year. */
const REMEMBERED_DELIVERIES = 1_000;

/** A workflow's inbox of lifecycle events: each delivery once, in the order in which they came. */
export interface LifecycleEvents {
  /** Waits for the next event. With a timeout (milliseconds or `"30 days"`), undefined when none came in time. */
  readonly next: {
    (): Promise<LifecycleEvent>;
    (timeout: number | string): Promise<LifecycleEvent | undefined>;
  };
  /** Whether an event waits to be taken. Look here before the workflow ends or continues as new. */
  readonly isEmpty: () => boolean;
  /** Plain JSON to pass into continue-as-new, so that nothing is lost and no repeat is taken for news. */
  readonly carryOver: () => LifecycleEventsState;
}

export interface LifecycleEventsState {
  readonly waiting: readonly LifecycleEvent[];
  readonly seen: readonly string[];
}

/**
 * Receives `personio.lifecycle.v1` in a workflow. Call it before the first `await`, so that no early signal is missed.
 *
 * @param state what `carryOver()` gave before a continue-as-new.
 */
export function lifecycleEvents(state: LifecycleEventsState = { waiting: [], seen: [] }): LifecycleEvents {
  const waiting = [...state.waiting];
  const seen = new Set(state.seen);
  setHandler(lifecycleSignal, (event) => {
    if (seen.has(event.deliveryId)) return;
    seen.add(event.deliveryId);
    const [oldest] = seen;
    if (seen.size > REMEMBERED_DELIVERIES && oldest !== undefined) seen.delete(oldest);
    waiting.push(event);
  });
  async function next(): Promise<LifecycleEvent>;
  async function next(timeout: number | string): Promise<LifecycleEvent | undefined>;
  async function next(timeout?: number | string): Promise<LifecycleEvent | undefined> {
    // eslint-disable-next-line @typescript-eslint/no-unsafe-type-assertion -- the SDK's duration type is a template of the same strings
    if (timeout !== undefined) await condition(() => waiting.length > 0, timeout as number);
    else await condition(() => waiting.length > 0);
    return waiting.shift();
  }
  return {
    next,
    isEmpty: () => waiting.length === 0,
    carryOver: () => ({ waiting: [...waiting], seen: [...seen] }),
  };
}

/**
 * Tells personio-sync what became of an event. Only within the namespace of the sender: a workflow cannot signal into another.
 *
 * @param note for people, kept with the delivery; cut at 500 characters. No personal data.
 */
export async function acknowledge(
  event: LifecycleEvent,
  outcome: Acknowledgement['outcome'],
  note?: string,
): Promise<void> {
  const answer: Acknowledgement = { deliveryId: event.deliveryId, outcome, ...(note === undefined ? {} : { note }) };
  await getExternalWorkflowHandle(event.acknowledge.workflowId).signal(event.acknowledge.signal, answer);
}
