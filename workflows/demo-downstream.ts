import { proxyActivities, setCurrentDetails } from '@temporalio/workflow';
import type { LifecycleEvent } from 'personio-sync-contracts';
import { acknowledge, lifecycleEvents } from 'personio-sync-contracts/workflow';

/** Activities that another team's worker would bring. This one only takes note. */
interface DemoActivities {
  readonly applyToDirectory: (kind: string, employeeId: string) => Promise<string>;
}

const directory = proxyActivities<DemoActivities>({ startToCloseTimeout: '10 seconds' });

/** Time to wait for another event of the same person before the workflow ends. The next event starts it again. */
const QUIET_PERIOD = '30 seconds';

/** A demo subscriber, written as a team would write its own: takes each event once, acts and acknowledges. */
export async function demoDownstream(): Promise<void> {
  const events = lifecycleEvents();
  let event: LifecycleEvent | undefined = await events.next();
  while (event !== undefined) {
    setCurrentDetails(`Acting on ${event.kind} of employee ${event.employeeId}`);
    const note = await directory.applyToDirectory(event.kind, event.employeeId);
    await acknowledge(event, 'done', note);
    event = await events.next(QUIET_PERIOD);
  }
}
