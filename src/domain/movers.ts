import type { AttributeChange } from '../contracts/public/events.js';
import type { EmployeeRecord } from './records.js';

type IdentitySelector = (record: EmployeeRecord, other: EmployeeRecord) => unknown;
type ValueSelector = (record: EmployeeRecord) => unknown;

/** What makes a mover: the attribute, what is compared, and what the event shows. */
const MOVER_ATTRIBUTES: readonly {
  readonly attribute: string;
  readonly identity: IdentitySelector;
  readonly shown: ValueSelector;
}[] = [
  // By id where both have one: a department that is renamed is not two hundred movers.
  {
    attribute: 'department',
    identity: (r, other) => (r.departmentId === null || other.departmentId === null ? r.department : r.departmentId),
    shown: (r) => r.department ?? r.departmentId,
  },
  { attribute: 'team', identity: (r) => r.team, shown: (r) => r.team },
  { attribute: 'office', identity: (r) => r.office, shown: (r) => r.office },
  { attribute: 'position', identity: (r) => r.position, shown: (r) => r.position },
  { attribute: 'supervisor', identity: (r) => r.supervisorId, shown: (r) => r.supervisorId },
  { attribute: 'subcompany', identity: (r) => r.subcompany, shown: (r) => r.subcompany },
  { attribute: 'cost_centers', identity: toCostCenterKey, shown: (r) => r.costCenters },
  { attribute: 'employment_type', identity: (r) => r.employmentType, shown: (r) => r.employmentType },
  { attribute: 'weekly_working_hours', identity: parseHours, shown: (r) => r.weeklyWorkingHours },
];

/** Attributes whose change is a rename: the event names them and never their values. */
const NAME_ATTRIBUTES = [
  { attribute: 'first_name', value: (r: EmployeeRecord) => r.firstName },
  { attribute: 'last_name', value: (r: EmployeeRecord) => r.lastName },
  { attribute: 'preferred_name', value: (r: EmployeeRecord) => r.preferredName },
  { attribute: 'email', value: (r: EmployeeRecord) => r.email },
] as const;

/** @returns what moved, with the values before and after; nothing for attributes that the policy leaves out. */
export function findMoves(
  before: EmployeeRecord,
  after: EmployeeRecord,
  ignored: readonly string[],
): readonly AttributeChange[] {
  return MOVER_ATTRIBUTES.filter(
    ({ attribute, identity, shown }) =>
      !ignored.includes(attribute) &&
      isKnown(before, attribute, shown) &&
      identity(before, after) !== identity(after, before),
  ).map(({ attribute, shown }) => ({ attribute, from: shown(before), to: shown(after) }));
}

/** @returns the attributes of the name that changed, and the new values for the digest of the event's id only. */
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

/** An attribute that could never be read has no value to differ from: permission that comes late moves nobody. */
function isKnown(before: EmployeeRecord, attribute: string, value: ValueSelector): boolean {
  return value(before) !== null || !before.absentAttributes.includes(attribute);
}

/** The order in which Personio lists cost centres means nothing. */
function toCostCenterKey(record: EmployeeRecord): string {
  const shares = (record.costCenters ?? []).map(({ id, percentage }) => `${id}=${percentage ?? ''}`);
  return shares.sort().join(',');
}

/** `40` and `40.0` are the same week. */
function parseHours(record: EmployeeRecord): number | string | null {
  const text = record.weeklyWorkingHours;
  if (text === null) return null;
  const number = Number(text);
  return Number.isNaN(number) ? text : number;
}
