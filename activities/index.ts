import type { Activities } from '../src/contracts/internal/activities.js';
import { withCurrentNames } from '../src/contracts/internal/former-names.js';
import type { Policy } from '../src/domain/policy.js';
import type { Logger } from '../src/observability/logger.js';
import type { Database } from '../src/store/database.js';
import { createCollectActivities } from './collect.js';
import { createLifecycleActivities } from './deliver.js';
import { createDispatch } from './dispatch.js';
import { withFailureTranslation, withHeartbeat } from './failures.js';
import type { PersonioAccess } from './personio-access.js';
import type { DeliveryDependencies } from './send.js';
import { createSyncActivities } from './sync.js';
import { cleanUpRuns } from './terminated-runs.js';

export { createDispatch, dispatchPersons } from './dispatch.js';
export { createPersonioAccess } from './personio-access.js';
export type { ConnectionCredentials, PersonioAccess } from './personio-access.js';
export type { DeliveryDependencies } from './send.js';

export interface ActivityDependencies extends Pick<
  DeliveryDependencies,
  'namespace' | 'getClient' | 'readNamespaceId'
> {
  readonly database: Database;
  readonly policy: Policy;
  readonly personio: PersonioAccess;
  /** Keyed digest for event ids. */
  readonly digest: (text: string) => string;
  readonly logger: Logger;
}

/** Creates all activities. Every error is translated at this edge, and requests may have former names of fields. */
export function createActivities(dependencies: ActivityDependencies): Activities {
  const collect = createCollectActivities(dependencies);
  const { database, policy, digest } = dependencies;
  const dispatch = createDispatch(dependencies);
  const cleanUp = async (): Promise<void> => cleanUpRuns(dependencies);
  const sync = createSyncActivities({ database, policy, digest, dispatch, cleanUp });
  const lifecycle = createLifecycleActivities(dependencies);
  return {
    exchangeToken: withFailureTranslation(withHeartbeat(collect.exchangeToken)),
    collectSegment: withFailureTranslation(acceptFormerNames(collect.collectSegment)),
    askForMissing: withFailureTranslation(withHeartbeat(acceptFormerNames(collect.askForMissing))),
    collectEmployee: withFailureTranslation(withHeartbeat(collect.collectEmployee)),
    openRun: withFailureTranslation(withHeartbeat(sync.openRun)),
    commitSnapshot: withFailureTranslation(acceptFormerNames(sync.commitSnapshot)),
    verifySnapshot: withFailureTranslation(acceptFormerNames(sync.verifySnapshot)),
    commitEmployees: withFailureTranslation(acceptFormerNames(sync.commitEmployees)),
    decideHeld: withFailureTranslation(withHeartbeat(acceptFormerNames(sync.decideHeld))),
    closeRun: withFailureTranslation(sync.closeRun),
    dispatchEvents: withFailureTranslation(sync.dispatchEvents),
    applyRetention: withFailureTranslation(sync.applyRetention),
    advanceAgenda: withFailureTranslation(acceptFormerNames(lifecycle.advanceAgenda)),
  };
}

/** Lets an activity take requests of workflows that began under former names of fields. */
function acceptFormerNames<A, R>(activity: (request: A) => Promise<R>): (request: A) => Promise<R> {
  return async (request) => activity(withCurrentNames(request));
}
