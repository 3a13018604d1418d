import type { Client } from '@temporalio/client';
import type { Policy } from '../src/domain/policy.js';
import type { Logger } from '../src/observability/logger.js';
import type { Database } from '../src/store/database.js';

/** What delivering needs of the process that it runs in. */
export interface DeliveryDependencies {
  readonly database: Database;
  readonly policy: Policy;
  readonly namespace: string;
  readonly getClient: (namespace: string) => Client;
  /** Tells one namespace from a rebuilt one of the same name. */
  readonly readNamespaceId: () => Promise<string>;
  readonly logger: Logger;
}
