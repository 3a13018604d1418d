import { appendAuditEntry } from './audit-log.js';
import type { AuditEntry } from './audit-log.js';
import type { Database } from './database.js';
import { eraseConnection } from './employees/erasure.js';
import { lockConnection } from './locks.js';
import { dropLeftOvers } from './staging.js';

/**
 * Deletes a connection with its secret and tokens, and with `shouldErase` everything that was read from it, what runs
 * have staged included. Waits for its commits; a later one finds that its run is gone.
 *
 * @returns the number of deleted rows of data.
 */
export async function removeConnection(
  database: Database,
  connectionId: string,
  entry: AuditEntry,
  shouldErase: boolean,
): Promise<number> {
  const rows = await database.transaction(async (transaction) => {
    await lockConnection(transaction, connectionId);
    await transaction.run(
      `update personio.connection_state
       set sealed_token = null,
         token_fingerprint = null,
         sealed_token_v2 = null,
         token_v2_fingerprint = null
       where connection_id = $1`,
      [connectionId],
    );
    await transaction.run('delete from personio.connections where connection_id = $1', [connectionId]);
    const erased = shouldErase ? await eraseConnection(transaction, connectionId) : 0;
    // Last, since all connections share its lock.
    await appendAuditEntry(transaction, entry);
    return erased;
  });
  await dropLeftOvers(database);
  return rows;
}
