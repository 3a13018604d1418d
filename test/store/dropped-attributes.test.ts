import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { EmployeeRecord } from '../../src/domain/records.js';
import type { Database } from '../../src/store/database.js';
import { createMigratedDatabase } from '../support/database.js';
import { createPolicy } from '../support/policy.js';
import { commitCompany, employee } from '../support/staging.js';

const WIDE = createPolicy('attributes: { store: [standard, dynamic_1, salary] }');
const NARROW = createPolicy('attributes: { store: [standard] }');
const SENSITIVE = { dynamic_1: 'x', salary: 5 };

let database: Database;
beforeEach(async () => {
  database = await createMigratedDatabase();
  await commitCompany(database, WIDE, createCompany('Engineer', SENSITIVE));
  await commitCompany(database, WIDE, createCompany('Manager', SENSITIVE));
});
afterEach(async () => database.close());

function createCompany(position: string, attributes: Record<string, unknown>): EmployeeRecord[] {
  return [1, 2, 3].map((id) => employee(id, { position, attributes: { probation: null, ...attributes } }));
}

/** Lists the stored attributes of everybody, and how many rows have them. */
async function listAttributes(): Promise<readonly unknown[]> {
  return database.query(
    `select attributes, count(*) as rows
     from (
       select attributes from personio.employees
       union all
       select attributes from personio.employee_history
     ) as stored
     group by attributes
     order by attributes`,
  );
}

const [wide, narrow] = [{ probation: null, ...SENSITIVE }, { probation: null }];

describe('an attribute that the policy no longer names', () => {
  test('goes from people and their history with the next commit, without a new version', async () => {
    expect(await listAttributes()).toEqual([{ attributes: wide, rows: 9 }]);
    const { result } = await commitCompany(database, NARROW, createCompany('Manager', {}));
    expect(result).toMatchObject({ outcome: 'succeeded', updated: 0, unchanged: 3 });
    expect(await listAttributes()).toEqual([{ attributes: narrow, rows: 9 }]);
  });

  test('goes from people who are missing, too', async () => {
    await commitCompany(database, NARROW, createCompany('Manager', {}).slice(1));
    expect(await listAttributes()).toEqual([{ attributes: narrow, rows: expect.any(Number) }]);
  });

  test('goes from the one person that a refresh commits', async () => {
    const [person] = createCompany('Manager', {});
    await commitCompany(database, NARROW, person === undefined ? [] : [person], { onlyEmployeeId: '1' });
    expect(await listAttributes()).toEqual([
      { attributes: narrow, rows: 3 },
      { attributes: wide, rows: 6 },
    ]);
  });

  test('stays while the policy names it, although the credential may no longer read it', async () => {
    await commitCompany(database, WIDE, createCompany('Manager', {}));
    expect(await listAttributes()).toEqual([{ attributes: wide, rows: 9 }]);
  });
});
