import { proxyActivities, setCurrentDetails } from '@temporalio/workflow';
import type { LifecycleEvent } from 'personio-sync-contracts';
import { acknowledge, lifecycleEvents } from 'personio-sync-contracts/workflow';

/** What another team's worker would bring: its own activities, here one that does nothing but take note. */
interface DemoActivities {
  readonly applyToDirectory: (kind: string, employeeId: string) => Promise<string>;
}

const directory = proxyActivities<DemoActivities>({ startToCloseTimeout: '10 seconds' });

/** How long the workflow stays to hear more of the same person before it ends; the next event starts it again. */
const QUIET_PERIOD = '30 seconds';

/** A demonstration subscriber, written as a team would write its own: takes each event once, acts, acknowledges. */
export async function demoDownstream(): Promise<void> {
  const events = lifecycleEvents();
  let event: LifecycleEvent | undefined = await events.next();
  while (event !== undefined) {
    setCurrentDetails(`Acting on ${event.kind} of employee ${event.employeeId}`);
    const done = await directory.applyToDirectory(event.kind, event.employeeId);
    await acknowledge(event, 'done', done);
    event = await events.next(QUIET_PERIOD);
  }
}
