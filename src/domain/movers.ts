import type { AttributeChange } from '../contracts/public/events.js';
import type { EmployeeRecord } from './records.js';

type IdentitySelector = (record: EmployeeRecord, other: EmployeeRecord) => unknown;
type ValueSelector = (record: EmployeeRecord) => unknown;

interface MoverAttribute {
  readonly attribute: string;
  readonly identity: IdentitySelector;
  readonly value: ValueSelector;
}

/** Attributes whose change is a move: what is compared, and the value in the event. */
const MOVER_ATTRIBUTES: readonly MoverAttribute[] = [
  compareById('department', 'departmentId'),
  compareById('team', 'teamId'),
  compareById('office', 'officeId'),
  { attribute: 'position', identity: (r) => r.position, value: (r) => r.position },
  { attribute: 'supervisor', identity: (r) => r.supervisorId, value: (r) => r.supervisorId },
  compareById('subcompany', 'subcompanyId'),
  { attribute: 'cost_centers', identity: toCostCenterKey, value: (r) => r.costCenters },
  { attribute: 'employment_type', identity: (r) => r.employmentType, value: (r) => r.employmentType },
  { attribute: 'weekly_working_hours', identity: parseHours, value: (r) => r.weeklyWorkingHours },
];

/** Compares by id if both have one: a renamed office does not move two hundred people. */
function compareById(
  name: 'department' | 'team' | 'office' | 'subcompany',
  id: 'departmentId' | 'teamId' | 'officeId' | 'subcompanyId',
): MoverAttribute {
  return {
    attribute: name,
    identity: (r, other) => (r[id] === null || other[id] === null ? r[name] : r[id]),
    value: (r) => r[name] ?? r[id],
  };
}

/** Attributes whose change is a rename. The event names them, never their values. */
const NAME_ATTRIBUTES = [
  { attribute: 'first_name', value: (r: EmployeeRecord) => r.firstName },
  { attribute: 'last_name', value: (r: EmployeeRecord) => r.lastName },
  { attribute: 'preferred_name', value: (r: EmployeeRecord) => r.preferredName },
  { attribute: 'email', value: (r: EmployeeRecord) => r.email },
] as const;

/** Finds moves, with the values before and after. Skips attributes that the policy ignores. */
export function findMoves(
  before: EmployeeRecord,
  after: EmployeeRecord,
  ignored: readonly string[],
): readonly AttributeChange[] {
  return MOVER_ATTRIBUTES.filter(
    ({ attribute, identity, value }) =>
      !ignored.includes(attribute) &&
      isKnown(before, attribute, value) &&
      identity(before, after) !== identity(after, before),
  ).map(({ attribute, value }) => ({ attribute, from: value(before), to: value(after) }));
}

/** Finds renames. The new values are only for the digest in the event id. */
export function findRenames(
  before: EmployeeRecord,
  after: EmployeeRecord,
  ignored: readonly string[],
): { readonly changes: readonly AttributeChange[]; readonly newValues: readonly unknown[] } {
  const changed = NAME_ATTRIBUTES.filter(
    ({ attribute, value }) =>
      !ignored.includes(attribute) && isKnown(before, attribute, value) && value(before) !== value(after),
  );
  return {
    changes: changed.map(({ attribute }) => ({ attribute })),
    newValues: changed.map(({ value }) => value(after)),
  };
}

/** Checks that there is a former value to compare with: a permission granted later moves nobody. */
function isKnown(before: EmployeeRecord, attribute: string, value: ValueSelector): boolean {
  return value(before) !== null || !before.absentAttributes.includes(attribute);
}

/** Ignores the order in which Personio lists cost centres. */
function toCostCenterKey(record: EmployeeRecord): string {
  const shares = (record.costCenters ?? []).map(({ id, percentage }) => `${id}=${percentage ?? ''}`);
  return shares.sort().join(',');
}

/** Treats `40` and `40.0` as equal. */
function parseHours(record: EmployeeRecord): number | string | null {
  const text = record.weeklyWorkingHours;
  if (text === null) return null;
  const number = Number(text);
  return Number.isNaN(number) ? text : number;
}
