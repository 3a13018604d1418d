import {
  ActivityFailure,
  condition,
  continueAsNew,
  defineSignal,
  proxyActivities,
  setCurrentDetails,
  setHandler,
  workflowInfo,
} from '@temporalio/workflow';
import type { LifecycleEvent } from 'personio-sync-contracts';
import { acknowledge, lifecycleEvents } from 'personio-sync-contracts/workflow';
import type { LifecycleEventsState } from 'personio-sync-contracts/workflow';
import type { DirectoryActivities } from './activities.js';

/** Sent when the laptop is back, with a name: `temporal workflow signal --name laptopReturned --input '"Kim"'`. */
export const laptopReturned = defineSignal<[string]>('laptopReturned');

const directory = proxyActivities<DirectoryActivities>({
  startToCloseTimeout: '1 minute',
  // Covers more than an hour without the directory, so that no account stays open.
  retry: { initialInterval: '1 second', maximumInterval: '5 minutes', maximumAttempts: 20 },
});

/**
 * Time to listen for more events of the same person, such as a correction, before the workflow ends. The next event
 * starts it again.
 */
const QUIET_PERIOD = '1 hour';

/**
 * Closes the accounts of one person who leaves. personio-sync starts it with the first event and passes no input;
 * `state` comes from its own continue-as-new.
 */
export async function offboardEmployee(state?: LifecycleEventsState): Promise<void> {
  // Before the first await, so that the signal that started the workflow finds its handler.
  const events = lifecycleEvents(state);
  let returnedTo: string | null = null;
  setHandler(laptopReturned, (by) => {
    returnedTo = by;
  });
  for (;;) {
    const event = await events.next(QUIET_PERIOD);
    if (event === undefined) return;
    await handle(event, async () => {
      setCurrentDetails(
        `Accounts are closed. Waiting for somebody to confirm that the laptop of employee ${event.employeeId} is back.`,
      );
      await condition(() => returnedTo !== null);
      return `laptop received by ${returnedTo ?? ''}`;
    });
    if (workflowInfo().continueAsNewSuggested) await continueAsNew<typeof offboardEmployee>(events.carryOver());
  }
}

async function handle(event: LifecycleEvent, waitForLaptop: () => Promise<string>): Promise<void> {
  try {
    await acknowledge(event, 'done', await act(event, waitForLaptop));
  } catch (error) {
    if (!(error instanceof ActivityFailure)) throw error;
    // Stored with the delivery, and escalated to `escalateTo`. `personio-sync redeliver` sends it again.
    await acknowledge(event, 'failed', 'the directory did not do it; see the workflow');
  }
}

/** Acts on an event. Returns a note for people. */
async function act({ kind, employeeId }: LifecycleEvent, waitForLaptop: () => Promise<string>): Promise<string> {
  if (kind === 'leaver.left' || kind === 'leaver.deleted') {
    setCurrentDetails(`Closing the accounts of employee ${employeeId}`);
    await directory.disableAccounts(employeeId);
    return waitForLaptop();
  }
  if (kind === 'joiner.rehired') {
    await directory.enableAccounts(employeeId);
    return 'accounts are open again';
  }
  return 'nothing to do';
}
