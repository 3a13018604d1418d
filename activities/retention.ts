import { cancellationSignal } from '@temporalio/activity';
import { ApplicationFailure } from '@temporalio/common';
import type { StoreActivities } from '../src/contracts/internal/activities.js';
import type { Policy } from '../src/domain/policy.js';
import type { Database } from '../src/store/database.js';
import { applyRetention } from '../src/store/retention.js';
import { dropLeftOvers } from '../src/store/staging.js';

/** What is gone stays gone, so whoever goes on after a shutdown or a cancellation begins where this one stopped. */
export function createRetention(database: Database, { retention }: Policy): StoreActivities['applyRetention'] {
  return async () => {
    await dropLeftOvers(database);
    return applyRetention(database, retention, () => {
      if (cancellationSignal().aborted)
        throw ApplicationFailure.retryable('The forgetting was stopped between two batches.', 'WorkerShutdown');
    });
  };
}
