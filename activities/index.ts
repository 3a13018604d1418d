import type { Activities } from '../src/contracts/activities.js';
import type { Policy } from '../src/domain/policy.js';
import type { Logger } from '../src/observability/logger.js';
import type { Database } from '../src/store/database.js';
import { createCollectActivities } from './collect.js';
import { createDispatch, createLifecycleActivities } from './deliver.js';
import type { DeliverDependencies } from './deliver.js';
import { translatingFailures } from './failures.js';
import type { PersonioAccess } from './personio-access.js';
import { createSyncActivities } from './sync.js';

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
  const deliver = { ...dependencies, subscribers: dependencies.policy.subscribers };
  const collect = createCollectActivities(dependencies);
  const sync = createSyncActivities({ ...dependencies, dispatch: createDispatch(deliver) });
  const lifecycle = createLifecycleActivities(deliver);
  return {
    exchangeToken: translatingFailures(collect.exchangeToken),
    collectSegment: translatingFailures(collect.collectSegment),
    collectEmployee: translatingFailures(collect.collectEmployee),
    openRun: translatingFailures(sync.openRun),
    commitSnapshot: translatingFailures(sync.commitSnapshot),
    verifySnapshot: translatingFailures(sync.verifySnapshot),
    commitEmployees: translatingFailures(sync.commitEmployees),
    closeRun: translatingFailures(sync.closeRun),
    dispatchEvents: translatingFailures(sync.dispatchEvents),
    applyRetention: translatingFailures(sync.applyRetention),
    advanceAgenda: translatingFailures(lifecycle.advanceAgenda),
    recordAcknowledgements: translatingFailures(lifecycle.recordAcknowledgements),
  };
}
