import type { EmployeesCommitOutcome, EmployeesCommitRequest } from '../../src/contracts/activities.js';
import { digester } from '../../src/crypto/sealing.js';
import type { Policy } from '../../src/domain/policy.js';
import type { EmployeeRecord } from '../../src/domain/records.js';
import type { Database } from '../../src/store/database.js';
import { commitEmployees } from '../../src/store/employees-commit.js';
import { insertRun } from '../../src/store/runs.js';
import { clearStaging, createStaging, noteGone, stageRecords, unaskedMissing } from '../../src/store/staging.js';

/** Somebody who has been employed for years, with the fields that a test is about. */
export function employee(id: number | string, more: Partial<EmployeeRecord> = {}): EmployeeRecord {
  return {
    ...{
      employeeId: String(id),
      email: `p${id}@example.org`,
      firstName: 'Ada',
      lastName: `No. ${id}`,
      preferredName: null,
    },
    ...{ status: 'active', position: 'Engineer', departmentId: '401', department: 'Engineering', team: 'Platform' },
    ...{
      office: 'Berlin',
      subcompany: 'Example GmbH',
      supervisorId: null,
      employmentType: 'internal',
      hireDate: '2020-01-01',
    },
    ...{
      contractEndDate: null,
      terminationDate: null,
      lastWorkingDay: null,
      terminationType: null,
      weeklyWorkingHours: '40',
    },
    ...{ costCenters: [], attributes: { probation_period_end: null }, absentAttributes: [] },
    ...more,
  };
}

let runs = 0;

/** Stages a company and commits it, as a sync does. */
export async function commitCompany(
  database: Database,
  policy: Policy,
  company: readonly EmployeeRecord[],
  { isAskedById = true, ...more }: Partial<EmployeesCommitRequest> & { readonly isAskedById?: boolean } = {},
): Promise<EmployeesCommitOutcome & { readonly runId: string }> {
  runs += 1;
  const runId = more.runId ?? `run-${runs}`;
  const run = { connectionId: 'default', endpoint: 'employees' as const, runId };
  await insertRun(database, run, new Date().toISOString(), null);
  await createStaging(database, run);
  await clearStaging(database, run, { reading: 1, chunk: null });
  await stageRecords(database, run, { reading: 1, chunk: null }, { endpoint: 'employees', records: company });
  // Personio answers 404 for whoever is missing.
  if (isAskedById) await noteGone(database, run, 1, await unaskedMissing(database, run, 1, 1_000_000));
  const outcome = await commitEmployees(
    database,
    {
      ...{ ...run, source: 'v1' as const, reading: 1, total: company.length, collectedAt: new Date().toISOString() },
      ...{ preview: false, requests: 1, onlyEmployeeId: null },
      ...more,
    },
    { policy, digest: digester(Buffer.alloc(32, 7)) },
  );
  return { ...outcome, runId };
}
