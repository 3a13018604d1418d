import type { Activities } from '../src/contracts/activities.js';
import type { Policy } from '../src/domain/policy.js';
import type { Logger } from '../src/observability/logger.js';
import type { Database } from '../src/store/database.js';
import { createCollectActivities } from './collect.js';
import { createLifecycleActivities } from './deliver.js';
import type { DeliverDependencies } from './deliver-dependencies.js';
import { heartbeating, translatingFailures } from './failures.js';
import { createDispatch } from './handover.js';
import type { PersonioAccess } from './personio-access.js';
import { createSyncActivities } from './sync.js';

export type { DeliverDependencies as DispatchDependencies } from './deliver-dependencies.js';
export { createDispatch, wakePersons } from './handover.js';
export { createPersonioAccess } from './personio-access.js';
export type { ConnectionCredentials, PersonioAccess } from './personio-access.js';

export interface ActivityDependencies extends Pick<DeliverDependencies, 'namespace' | 'clientOf' | 'namespaceId'> {
  readonly database: Database;
  readonly policy: Policy;
  readonly personio: PersonioAccess;
  readonly digest: (text: string) => string;
  readonly logger: Logger;
}

/** All activities, with every error translated at this edge. */
export function createActivities(dependencies: ActivityDependencies): Activities {
  const collect = createCollectActivities(dependencies);
  const { database, policy, digest } = dependencies;
  const sync = createSyncActivities({ database, policy, digest, dispatch: createDispatch(dependencies) });
  const lifecycle = createLifecycleActivities(dependencies);
  return {
    exchangeToken: translatingFailures(heartbeating(collect.exchangeToken)),
    collectSegment: translatingFailures(collect.collectSegment),
    askForMissing: translatingFailures(collect.askForMissing),
    collectEmployee: translatingFailures(heartbeating(collect.collectEmployee)),
    openRun: translatingFailures(sync.openRun),
    commitSnapshot: translatingFailures(sync.commitSnapshot),
    verifySnapshot: translatingFailures(sync.verifySnapshot),
    commitEmployees: translatingFailures(sync.commitEmployees),
    decideHeld: translatingFailures(sync.decideHeld),
    closeRun: translatingFailures(sync.closeRun),
    dispatchEvents: translatingFailures(sync.dispatchEvents),
    applyRetention: translatingFailures(sync.applyRetention),
    advanceAgenda: translatingFailures(lifecycle.advanceAgenda),
  };
}
