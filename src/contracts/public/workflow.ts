import {
  condition,
  defineSignal,
  getExternalWorkflowHandle,
  isCancellation,
  proxyActivities,
  setHandler,
  workflowInfo,
} from '@temporalio/workflow';
import { SIGNAL } from './names.js';
import type { Acknowledgement, LifecycleEvent } from './events.js';
import type { AcknowledgeActivities } from './activities.js';

const lifecycleSignal = defineSignal<[LifecycleEvent]>(SIGNAL.lifecycle);

/** Deliveries remembered to drop repeats. A person has a handful of events a year. */
const REMEMBERED_DELIVERIES = 1_000;

/** A workflow's inbox of lifecycle events: each delivery once, in order of arrival. */
export interface LifecycleEvents {
  /**
   * Waits for the next event and takes it. With a timeout (milliseconds, or text such as `"30 days"`) it returns
   * undefined if none arrives in time; without one it waits forever.
   */
  readonly next: {
    (): Promise<LifecycleEvent>;
    (timeout: number | string): Promise<LifecycleEvent | undefined>;
  };
  /**
   * Returns whether no event is waiting. Check it before the workflow ends: one that waits then comes late, as a
   * repeat.
   */
  readonly isEmpty: () => boolean;
  /** Returns the state to pass into continue-as-new, as plain JSON: waiting events survive, and repeats stay known. */
  readonly carryOver: () => LifecycleEventsState;
}

/** State of `LifecycleEvents` between two executions of a workflow. Treat it as opaque. */
export interface LifecycleEventsState {
  /** Events that arrived and are not taken yet. */
  readonly waiting: readonly LifecycleEvent[];
  /** Ids of the deliveries that arrived, oldest first; at most 1,000. */
  readonly seen: readonly string[];
  /** Acknowledgements sent, so that a repeat gets the same one again. Default: none. */
  readonly answered?: readonly Acknowledgement[];
}

/** Acknowledgements of this workflow: Temporal gives each workflow its own copy of this module. */
const acknowledgements = new Map<string, Acknowledgement>();

/**
 * Receives `personio.lifecycle.v1` in a workflow. Call it once, before the first `await`, so that no early signal is
 * missed.
 *
 * Repeats are handled for you. A delivery that was acknowledged as `done` is acknowledged again, since the first
 * signal may have been lost. One that was acknowledged as `failed` and sent again with `redeliver` is returned once
 * more.
 *
 * @param state result of `carryOver()` before a continue-as-new. Default: an empty inbox.
 */
export function lifecycleEvents(state: LifecycleEventsState = { waiting: [], seen: [] }): LifecycleEvents {
  const waiting = [...state.waiting];
  const seen = new Set(state.seen);
  for (const acknowledgement of state.answered ?? []) acknowledgements.set(acknowledgement.deliveryId, acknowledgement);
  setHandler(lifecycleSignal, (event) => {
    const before = acknowledgements.get(event.deliveryId);
    if (before?.outcome === 'done') {
      // Nobody waits for it: if it fails, the next repeat asks again.
      sendAcknowledgement(event, before).catch(() => undefined);
      return;
    }
    if (seen.has(event.deliveryId) && before === undefined) return;
    acknowledgements.delete(event.deliveryId);
    remember(seen, event.deliveryId);
    waiting.push(event);
  });
  async function next(): Promise<LifecycleEvent>;
  async function next(timeout: number | string): Promise<LifecycleEvent | undefined>;
  async function next(timeout?: number | string): Promise<LifecycleEvent | undefined> {
    // The SDK's type of a duration is a template of the same strings.
    // eslint-disable-next-line @typescript-eslint/no-unsafe-type-assertion -- see above
    if (timeout !== undefined) await condition(() => waiting.length > 0, timeout as number);
    else await condition(() => waiting.length > 0);
    return waiting.shift();
  }
  return {
    next,
    isEmpty: () => waiting.length === 0,
    carryOver: () => ({ waiting: [...waiting], seen: [...seen], answered: [...acknowledgements.values()] }),
  };
}

function remember(seen: Set<string>, deliveryId: string): void {
  seen.add(deliveryId);
  const [oldest] = seen;
  if (seen.size <= REMEMBERED_DELIVERIES || oldest === undefined) return;
  seen.delete(oldest);
  acknowledgements.delete(oldest);
}

/**
 * Reports the outcome of an event. Within one namespace it signals directly; into another one it calls
 * the activity from `personio-sync-contracts/activities`, which the worker of the calling workflow must register.
 * Throws `CancelledFailure` if the workflow is cancelled meanwhile; other failures of the signal are retried or mean
 * false.
 *
 * @param outcome `done` is final. `failed` escalates at once and is not repeated.
 * @param note for people, kept with the delivery; cut at 500 characters. No personal data. Default: none.
 * @returns true if the acknowledgement was taken. False if nobody waits for it any more, because the delivery was
 * already acknowledged, withdrawn or given up: there is nothing left to do.
 */
export async function acknowledge(
  event: LifecycleEvent,
  outcome: Acknowledgement['outcome'],
  note?: string,
): Promise<boolean> {
  const acknowledgement: Acknowledgement = {
    deliveryId: event.deliveryId,
    outcome,
    ...(note === undefined ? {} : { note }),
  };
  acknowledgements.set(event.deliveryId, acknowledgement);
  return sendAcknowledgement(event, acknowledgement);
}

const { acknowledgeLifecycleEvent } = proxyActivities<AcknowledgeActivities>({
  startToCloseTimeout: '30 seconds',
  retry: { initialInterval: '1 second', maximumInterval: '5 minutes' },
});

async function sendAcknowledgement(
  { acknowledge: to }: LifecycleEvent,
  acknowledgement: Acknowledgement,
): Promise<boolean> {
  if (to.namespace !== workflowInfo().namespace) return acknowledgeLifecycleEvent({ to, answer: acknowledgement });
  try {
    await getExternalWorkflowHandle(to.workflowId).signal(to.signal, acknowledgement);
    return true;
  } catch (error) {
    if (isCancellation(error)) throw error;
    // Within a namespace a signal fails for one reason only: no such workflow runs, so nothing is open for this person.
    return false;
  }
}
