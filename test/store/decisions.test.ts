import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { Database } from '../../src/store/database.js';
import { appendDecision, hashOf } from '../../src/store/decisions.js';
import { migratedDatabase } from '../support/database.js';

let database: Database;
beforeAll(async () => {
  database = await migratedDatabase();
});
afterAll(async () => database.close());

interface Row {
  readonly at: string;
  readonly actor: string;
  readonly what: string;
  readonly subject: string;
  readonly reason: string;
  readonly previousHash: string | null;
  readonly hash: string;
}

test('decisions that are taken at once become one chain, each row bound to the one before', async () => {
  const decide = async (index: number): Promise<void> =>
    database.transaction(async (transaction) =>
      appendDecision(transaction, { actor: 'Ada', what: 'approve', subject: `run-${index}`, reason: 'they have left' }),
    );
  await Promise.all([1, 2, 3, 4, 5].map(decide));
  const rows = await database.rows<Row>(
    'select at, actor, what, subject, reason, previous_hash as "previousHash", hash from personio.decisions order by decision_id',
  );
  expect(rows).toHaveLength(5);
  let before: string | null = null;
  for (const { hash, ...link } of rows) {
    expect(link.previousHash).toBe(before);
    expect(hash).toBe(hashOf(link));
    before = hash;
  }
});
