import type {
  EmployeesCommitOutcome,
  EmployeesCommitRequest,
  RunRef,
} from '../../src/contracts/internal/activities.js';
import { createDigester } from '../../src/crypto/sealing.js';
import type { Policy } from '../../src/domain/policy.js';
import { createEmptyRecord } from '../../src/domain/records.js';
import type { AttendanceRecord, EmployeeRecord } from '../../src/domain/records.js';
import type { Database } from '../../src/store/database.js';
import { commitEmployees } from '../../src/store/employees/commit.js';
import { insertRun } from '../../src/store/runs.js';
import { beginStaging, recordGone, stageRecords, listUnaskedMissing } from '../../src/store/staging.js';

/** Returns a person who has been employed for years, with the fields that a test is about. */
export function employee(id: number | string, more: Partial<EmployeeRecord> = {}): EmployeeRecord {
  return {
    ...createEmptyRecord(String(id)),
    email: `p${id}@example.org`,
    firstName: 'Ada',
    lastName: `No. ${id}`,
    status: 'active',
    position: 'Engineer',
    departmentId: '401',
    department: 'Engineering',
    team: 'Platform',
    office: 'Berlin',
    subcompany: 'Example GmbH',
    employmentType: 'internal',
    hireDate: '2020-01-01',
    weeklyWorkingHours: '40',
    costCenters: [],
    attributes: { probation_period_end: null },
    ...more,
  };
}

/** Returns a day of work, with the fields that a test is about. */
export function attendance(id: number | string, more: Partial<AttendanceRecord> = {}): AttendanceRecord {
  return {
    periodId: String(id),
    periodIdV2: null,
    employeeId: '1',
    date: '2026-11-03',
    startTime: '09:00',
    endTime: '17:00',
    breakMinutes: 30,
    status: 'confirmed',
    project: null,
    isHoliday: false,
    isOnTimeOff: false,
    updatedAt: null,
    span: null,
    ...more,
  };
}

let runs = 0;

interface StepOptions extends Partial<EmployeesCommitRequest> {
  readonly isAskedById?: boolean;
}

/** A read of employees, taken one step at a time. */
export class SteppedRead {
  readonly runId: string;
  private readonly database: Database;
  private readonly policy: Policy;
  private readonly more: Partial<EmployeesCommitRequest>;
  private readonly isAskedById: boolean;
  private received = 0;

  constructor(database: Database, policy: Policy, { isAskedById = true, ...more }: StepOptions = {}) {
    runs += 1;
    this.runId = more.runId ?? `run-${runs}`;
    [this.database, this.policy, this.more, this.isAskedById] = [database, policy, more, isAskedById];
  }

  private get run(): RunRef {
    return { connectionId: this.more.connectionId ?? 'default', endpoint: 'employees', runId: this.runId };
  }

  /** Opens the run and begins its first attempt. */
  async begin(): Promise<this> {
    await insertRun(this.database, this.run, new Date().toISOString(), null);
    await beginStaging(this.database, this.run, { attempt: 1, chunk: null });
    return this;
  }

  /** Stages what Personio has; answers 404 for everybody who is missing. */
  async stage(company: readonly EmployeeRecord[]): Promise<this> {
    const { database, run } = this;
    await stageRecords(database, run, { attempt: 1, chunk: null }, { endpoint: 'employees', records: company });
    this.received = company.length;
    if (this.isAskedById && (this.more.onlyEmployeeId ?? null) === null)
      await recordGone(database, run, 1, await listUnaskedMissing(database, run, 1, 1_000_000));
    return this;
  }

  async commit(): Promise<EmployeesCommitOutcome & { readonly runId: string }> {
    const request = {
      ...this.run,
      source: 'v1' as const,
      attempt: 1,
      total: this.received,
      collectedAt: new Date().toISOString(),
      preview: false,
      requests: 1,
      onlyEmployeeId: null,
      ...this.more,
    };
    const digest = createDigester(Buffer.alloc(32, 7));
    const outcome = await commitEmployees(this.database, request, { policy: this.policy, digest });
    return { ...outcome, runId: this.runId };
  }
}

/** Stages a company and commits it, as a sync does. */
export async function commitCompany(
  database: Database,
  policy: Policy,
  company: readonly EmployeeRecord[],
  more: StepOptions = {},
): Promise<EmployeesCommitOutcome & { readonly runId: string }> {
  const read = await new SteppedRead(database, policy, more).begin();
  return (await read.stage(company)).commit();
}

/**
 * Copies a planned event to people who exist nowhere else, not even in Temporal: `crowd-1`, `crowd-2` and so on.
 *
 * @param like employee whose planned event is copied; default: the first one.
 * @param columns columns that differ in the copies.
 */
export async function addCrowd(
  database: Database,
  size: number,
  { like = null, ...columns }: { like?: string | null; connection_id?: string; handed_over_to?: null } = {},
): Promise<void> {
  await database.run(
    `insert into personio.lifecycle_events
     select (jsonb_populate_record(
       events,
       $3::jsonb || jsonb_build_object(
         'event_id', concat_ws(':', events.event_id, $3::jsonb ->> 'connection_id', number),
         'employee_id', 'crowd-' || number
       )
     )).*
     from personio.lifecycle_events as events
     cross join generate_series(1, $1::integer) as number
     where events.event_id = (
       select min(event_id)
       from personio.lifecycle_events
       where state = 'planned'
         and ($2::text is null or employee_id = $2)
     )`,
    [size, like, columns],
  );
}
