import type { Activities } from '../src/contracts/internal/activities.js';
import type { Policy } from '../src/domain/policy.js';
import type { Logger } from '../src/observability/logger.js';
import type { Database } from '../src/store/database.js';
import { createCollectActivities } from './collect.js';
import { createLifecycleActivities } from './deliver.js';
import type { DeliveryDependencies } from './deliver-dependencies.js';
import { withHeartbeat, withFailureTranslation } from './failures.js';
import { createDispatch } from './dispatch.js';
import type { PersonioAccess } from './personio-access.js';
import { createSyncActivities } from './sync.js';

export type { DeliveryDependencies as DispatchDependencies } from './deliver-dependencies.js';
export { createDispatch, dispatchPersons as wakePersons } from './dispatch.js';
export { createPersonioAccess } from './personio-access.js';
export type { ConnectionCredentials, PersonioAccess } from './personio-access.js';

export interface ActivityDependencies extends Pick<
  DeliveryDependencies,
  'namespace' | 'getClient' | 'readNamespaceId'
> {
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
    exchangeToken: withFailureTranslation(withHeartbeat(collect.exchangeToken)),
    collectSegment: withFailureTranslation(collect.collectSegment),
    askForMissing: withFailureTranslation(collect.askForMissing),
    collectEmployee: withFailureTranslation(withHeartbeat(collect.collectEmployee)),
    openRun: withFailureTranslation(sync.openRun),
    commitSnapshot: withFailureTranslation(sync.commitSnapshot),
    verifySnapshot: withFailureTranslation(sync.verifySnapshot),
    commitEmployees: withFailureTranslation(sync.commitEmployees),
    decideHeld: withFailureTranslation(sync.decideHeld),
    closeRun: withFailureTranslation(sync.closeRun),
    dispatchEvents: withFailureTranslation(sync.dispatchEvents),
    applyRetention: withFailureTranslation(sync.applyRetention),
    advanceAgenda: withFailureTranslation(lifecycle.advanceAgenda),
  };
}
