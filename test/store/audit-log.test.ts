import { afterAll, beforeEach, describe, expect, test } from '@jest/globals';
import type { Database } from '../../src/store/database.js';
import { appendAuditEntry, verifyAuditLog } from '../../src/store/audit-log.js';
import { createMigratedDatabase } from '../support/database.js';

const ROWS = 12;

describe('the audit log', () => {
  const opened: Database[] = [];
  let database: Database;
  beforeEach(async () => {
    database = await createMigratedDatabase();
    opened.push(database);
    // At once, as commands of several operators would.
    await Promise.all(
      Array.from({ length: ROWS }, async (_, index) =>
        database.transaction(async (transaction) =>
          appendAuditEntry(transaction, {
            actor: `Ada "${index}"`,
            what: 'erase',
            subject: `employee ${index}`,
            reason: 'ünïcödé\n\u001b[31m',
          }),
        ),
      ),
    );
  });
  afterAll(async () => Promise.all(opened.map(async (one) => one.close())));

  test('is intact after entries that were appended at once', async () => {
    const { decisions, lastHash, fault } = await verifyAuditLog(database);
    expect([decisions, fault]).toEqual([ROWS, null]);
    expect(lastHash).toMatch(/^[0-9a-f]{64}$/);
  });

  test.each(['actor', 'what', 'subject', 'reason'])('shows a changed %s', async (column) => {
    await database.run(`update personio.decisions set ${column} = 'forged' where decision_id = 5`);
    expect((await verifyAuditLog(database)).fault).toBe('Audit log entry 5 was changed after it was written.');
  });

  test('shows a changed moment', async () => {
    await database.run(`update personio.decisions set at = at - interval '1 second' where decision_id = 1`);
    expect((await verifyAuditLog(database)).fault).toMatch(/entry 1 was changed/);
  });

  test('shows an entry that was changed together with its hash', async () => {
    await database.run(`update personio.decisions set reason = 'x', hash = repeat('0', 64) where decision_id = 5`);
    expect((await verifyAuditLog(database)).fault).toMatch(/entry 5 was changed/);
  });

  test.each([1, 6, ROWS])('shows that entry %i is missing', async (id) => {
    await database.run('delete from personio.decisions where decision_id = $1', [id]);
    expect((await verifyAuditLog(database)).fault).toMatch(/missing/);
  });

  test('shows that all entries are missing', async () => {
    await database.run('delete from personio.decisions');
    expect((await verifyAuditLog(database)).fault).toMatch(/12 were written/);
  });
});
