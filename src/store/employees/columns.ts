import { EMPLOYEE_ATTRIBUTES, EMPLOYEE_STATUSES } from '../../domain/records.js';
import type { CostCenter, EmployeeFields, EmployeeRecord } from '../../domain/records.js';
import { toColumnName } from '../column-map.js';
import { TextList } from '../copy-text.js';

/** Type in PostgreSQL of each typed column of `employees`. */
const FIELD_TYPES = {
  email: 'text',
  firstName: 'text',
  lastName: 'text',
  preferredName: 'text',
  status: 'text',
  position: 'text',
  departmentId: 'text',
  department: 'text',
  teamId: 'text',
  team: 'text',
  officeId: 'text',
  office: 'text',
  subcompanyId: 'text',
  subcompany: 'text',
  supervisorId: 'text',
  employmentType: 'text',
  hireDate: 'date',
  contractEndDate: 'date',
  terminationDate: 'date',
  lastWorkingDay: 'date',
  terminationType: 'text',
  weeklyWorkingHours: 'text',
  costCenters: 'jsonb',
} as const satisfies Record<keyof EmployeeFields, string>;

const FIELDS: readonly (keyof EmployeeFields)[] = Object.keys(FIELD_TYPES).filter(isField);

function isField(name: string): name is keyof EmployeeFields {
  return Object.hasOwn(FIELD_TYPES, name);
}

/** Names of the columns that a record fills, `attributes` and `absent_attributes` last. */
export const RECORD_COLUMNS: readonly string[] = [...FIELDS.map(toColumnName), 'attributes', 'absent_attributes'];

/** Definitions of the columns that a record fills, for `create table`. */
export const RECORD_COLUMN_TYPES: readonly string[] = [
  ...FIELDS.map((field) => `${toColumnName(field)} ${FIELD_TYPES[field]}`),
  'attributes jsonb',
  'absent_attributes text[]',
];

/** Returns the value of each column that a record fills, in the order of `RECORD_COLUMNS`. */
export function toColumnValues(record: EmployeeRecord): readonly unknown[] {
  return [...FIELDS.map((field) => record[field]), record.attributes, new TextList(record.absentAttributes)];
}

/** A column, and the SQL of its value. */
interface EffectiveColumn {
  readonly column: string;
  readonly value: string;
}

const knownStatuses = EMPLOYEE_STATUSES.map((name) => `'${name}'`).join(', ');
const isNoStatus = `seen.status is null or seen.status not in (${knownStatuses})`;

/**
 * Columns of the record that counts: an attribute that the credential may no longer read, and a status that is no fact,
 * keep the last value. `stored` is the row in `employees`, `seen` the row that was read.
 */
export const EFFECTIVE_COLUMNS: readonly EffectiveColumn[] = [
  ...Object.entries(EMPLOYEE_ATTRIBUTES).flatMap(([attribute, fields]) =>
    fields.map((field) => {
      const column = toColumnName(field);
      const isAbsent = `seen.record_id is null or seen.absent_attributes @> array['${attribute}']`;
      const isKept = attribute === 'status' ? `${isAbsent} or ${isNoStatus}` : isAbsent;
      return { column, value: `case when ${isKept} then stored.${column} else seen.${column} end` };
    }),
  ),
  { column: 'attributes', value: `coalesce(stored.attributes, '{}') || coalesce(seen.attributes, '{}')` },
  { column: 'absent_attributes', value: `coalesce(seen.absent_attributes, stored.absent_attributes)` },
];

/** A row of `employees` as `to_jsonb` gives it. */
export type EmployeeJson = Readonly<Record<string, unknown>> & { readonly employee_id: string };

/** Returns the domain's record of a row. */
export function toEmployeeRecord(row: EmployeeJson): EmployeeRecord {
  const fields = Object.fromEntries(FIELDS.map((field) => [field, row[toColumnName(field)] ?? null]));
  // eslint-disable-next-line @typescript-eslint/no-unsafe-type-assertion -- the migration has the columns' types
  const typed = fields as unknown as EmployeeFields & { readonly costCenters: readonly CostCenter[] | null };
  return {
    ...typed,
    employeeId: row.employee_id,
    attributes: {},
    absentAttributes: Array.isArray(row['absent_attributes']) ? row['absent_attributes'].map(String) : [],
  };
}
