import { EMPLOYEE_ATTRIBUTES } from '../../domain/records.js';
import type { CostCenter, EmployeeFields, EmployeeRecord } from '../../domain/records.js';
import { TextList } from '../copy-text.js';

/** Each typed column of `employees`, with its type in PostgreSQL. */
const EMPLOYEE_COLUMNS = {
  email: { column: 'email', type: 'text' },
  firstName: { column: 'first_name', type: 'text' },
  lastName: { column: 'last_name', type: 'text' },
  preferredName: { column: 'preferred_name', type: 'text' },
  status: { column: 'status', type: 'text' },
  position: { column: 'position', type: 'text' },
  departmentId: { column: 'department_id', type: 'text' },
  department: { column: 'department', type: 'text' },
  team: { column: 'team', type: 'text' },
  office: { column: 'office', type: 'text' },
  subcompany: { column: 'subcompany', type: 'text' },
  supervisorId: { column: 'supervisor_id', type: 'text' },
  employmentType: { column: 'employment_type', type: 'text' },
  hireDate: { column: 'hire_date', type: 'date' },
  contractEndDate: { column: 'contract_end_date', type: 'date' },
  terminationDate: { column: 'termination_date', type: 'date' },
  lastWorkingDay: { column: 'last_working_day', type: 'date' },
  terminationType: { column: 'termination_type', type: 'text' },
  weeklyWorkingHours: { column: 'weekly_working_hours', type: 'text' },
  costCenters: { column: 'cost_centers', type: 'jsonb' },
} as const satisfies Record<keyof EmployeeFields, { readonly column: string; readonly type: string }>;

const FIELDS: readonly (keyof EmployeeFields)[] = Object.keys(EMPLOYEE_COLUMNS).filter(isField);

function isField(name: string): name is keyof EmployeeFields {
  return Object.hasOwn(EMPLOYEE_COLUMNS, name);
}

/** Names of the columns that a record fills, `attributes` and `absent_attributes` last. */
export const RECORD_COLUMNS: readonly string[] = [
  ...FIELDS.map((field) => EMPLOYEE_COLUMNS[field].column),
  'attributes',
  'absent_attributes',
];

/** For `create table`. */
export const RECORD_COLUMN_TYPES: readonly string[] = [
  ...FIELDS.map((field) => `${EMPLOYEE_COLUMNS[field].column} ${EMPLOYEE_COLUMNS[field].type}`),
  'attributes jsonb',
  'absent_attributes text[]',
];

/** The value of each column that a record fills, in the order of `RECORD_COLUMNS`. */
export function toColumnValues(record: EmployeeRecord): readonly unknown[] {
  return [...FIELDS.map((field) => record[field]), record.attributes, new TextList(record.absentAttributes)];
}

/**
 * The record that counts, as SQL: what a credential may no longer read keeps its last value (`e` is the stored row, `s` the staged).
 */
export const EFFECTIVE_COLUMNS: readonly string[] = [
  ...Object.entries(EMPLOYEE_ATTRIBUTES).flatMap(([attribute, fields]) =>
    fields.map((field) => {
      const { column } = EMPLOYEE_COLUMNS[field];
      return `case when s.record_id is null or s.absent_attributes @> array['${attribute}'] then e.${column} else s.${column} end as ${column}`;
    }),
  ),
  `coalesce(e.attributes, '{}') || coalesce(s.attributes, '{}') as attributes`,
  `coalesce(s.absent_attributes, e.absent_attributes) as absent_attributes`,
];

/** A row as `to_jsonb` gives it. */
export type EmployeeJson = Readonly<Record<string, unknown>> & { readonly employee_id: string };

/** @returns the domain's record of a row. */
export function toEmployeeRecord(row: EmployeeJson): EmployeeRecord {
  const fields = Object.fromEntries(FIELDS.map((field) => [field, row[EMPLOYEE_COLUMNS[field].column] ?? null]));
  // eslint-disable-next-line @typescript-eslint/no-unsafe-type-assertion -- the columns' types are those of the migration
  const typed = fields as unknown as EmployeeFields & { readonly costCenters: readonly CostCenter[] | null };
  return {
    ...typed,
    employeeId: row.employee_id,
    attributes: {},
    absentAttributes: Array.isArray(row['absent_attributes']) ? row['absent_attributes'].map(String) : [],
  };
}
