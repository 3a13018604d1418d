import type { Database } from '../../src/store/database.js';

/** Waits until a statement of this database waits for a lock. */
export async function waitForWaiter(database: Database): Promise<void> {
  for (const deadline = Date.now() + 10_000; Date.now() < deadline;) {
    const waiting = await database.query(
      `select from pg_stat_activity
       where datname = current_database()
         and wait_event_type = 'Lock'`,
    );
    if (waiting.length > 0) return;
  }
  throw new Error('Nobody waited for a lock.');
}
