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

/** How many deliveries are remembered to drop repeats. A person has a handful of events a year. */
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
  /** Came, and were not taken yet. */
  readonly waiting: readonly LifecycleEvent[];
  /** Delivery ids that came, the oldest first. */
  readonly seen: readonly string[];
  /** What this workflow has answered, so that a repeat gets the same answer again. */
  readonly answered?: readonly Acknowledgement[];
}

/** Answers of this workflow: Temporal gives each workflow its own copy of this module. */
const acknowledgements = new Map<string, Acknowledgement>();

/**
 * Receives `personio.lifecycle.v1` in a workflow. Call it once, before the first `await`, so that no early signal is missed.
 *
 * A repeat of what was answered with `done` is answered again, since the first answer may have been lost; a repeat of what was answered with `failed`
 * has been sent again by hand, and is handed out once more.
 *
 * @param state what `carryOver()` gave before a continue-as-new.
 */
export function lifecycleEvents(state: LifecycleEventsState = { waiting: [], seen: [] }): LifecycleEvents {
  const waiting = [...state.waiting];
  const seen = new Set(state.seen);
  for (const acknowledgement of state.answered ?? []) acknowledgements.set(acknowledgement.deliveryId, acknowledgement);
  setHandler(lifecycleSignal, (event) => {
    const before = acknowledgements.get(event.deliveryId);
    if (before?.outcome === 'done') {
      // A courtesy that nobody waits for: where it fails, the next repeat asks again.
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
    // eslint-disable-next-line @typescript-eslint/no-unsafe-type-assertion -- the SDK's duration type is a template of the same strings
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
 * Tells personio-sync what became of an event. Within one namespace by a signal; into another through the activity of
 * `personio-sync-contracts/activities`, which the worker of the calling workflow has to be given.
 *
 * @param note for people, kept with the delivery; cut at 500 characters. No personal data.
 * @returns whether somebody took it. False: nobody waits for it any more, since it was answered, withdrawn or given up; nothing is left to do.
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
    // Within a namespace a signal fails for one reason only: there is no such workflow, so nothing of this person is open.
    return false;
  }
}
