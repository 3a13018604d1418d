import { z } from 'zod';
import { EMPLOYEE_ATTRIBUTES } from '../../domain/records.js';
import type { DepartmentRecord, EmployeeRecord } from '../../domain/records.js';
import { isStored } from '../../domain/stored-attributes.js';
import { dateSchema, idSchema, namedSchema, textSchema } from '../wire.js';

/**
 * Creates the schema of a wrapped attribute, `{ label, value, type, universal_id }`. Nothing depends on labels, which
 * are localised and change.
 */
const createAttributeSchema = <T>(value: z.ZodType<T>): z.ZodType<T | undefined> =>
  z
    .transform(requireValue)
    .pipe(z.object({ value }))
    .transform((attribute) => attribute.value)
    .optional();

/** Rejects a wrapper without a value: it does not mean an empty value, and would delete the stored one. */
function requireValue(wrapper: unknown, context: z.core.ParsePayload): unknown {
  if (typeof wrapper === 'object' && wrapper !== null && !('value' in wrapper))
    context.issues.push({ code: 'invalid_value', values: [], input: wrapper, path: ['value'] });
  return wrapper;
}

const costCentersSchema = z.union([
  z.union([z.null(), z.literal('')]).transform(() => []),
  z.array(
    z
      .object({
        attributes: z.object({ id: idSchema, name: textSchema, percentage: z.coerce.number().nullish() }),
      })
      .transform(({ attributes: { id, name, percentage } }) => ({ id, name, percentage: percentage ?? null })),
  ),
]);

/** Id of the supervisor, who comes as a nested employee with all attributes or with the bare id. */
const supervisorSchema = z.union([
  z.union([z.null(), z.literal(''), z.tuple([])]).transform(() => null),
  z
    .object({
      attributes: z.object({ id: z.union([z.object({ value: idSchema }).transform((id) => id.value), idSchema]) }),
    })
    .transform(({ attributes }) => attributes.id),
]);

const attributesSchema = z.looseObject({
  id: z.object({ value: idSchema }).transform((id) => id.value),
  email: createAttributeSchema(textSchema),
  first_name: createAttributeSchema(textSchema),
  last_name: createAttributeSchema(textSchema),
  preferred_name: createAttributeSchema(textSchema),
  status: createAttributeSchema(textSchema),
  position: createAttributeSchema(textSchema),
  department: createAttributeSchema(namedSchema),
  team: createAttributeSchema(namedSchema),
  office: createAttributeSchema(namedSchema),
  subcompany: createAttributeSchema(namedSchema),
  supervisor: createAttributeSchema(supervisorSchema),
  employment_type: createAttributeSchema(textSchema),
  hire_date: createAttributeSchema(dateSchema),
  contract_end_date: createAttributeSchema(dateSchema),
  termination_date: createAttributeSchema(dateSchema),
  last_working_day: createAttributeSchema(dateSchema),
  termination_type: createAttributeSchema(textSchema),
  weekly_working_hours: createAttributeSchema(textSchema),
  cost_centers: createAttributeSchema(costCentersSchema),
});

type Attributes = z.output<typeof attributesSchema>;

const employeeSchema = z.object({ attributes: attributesSchema });

/**
 * Creates the schema of an employee. Drops attributes that may not be stored, so that they go no further.
 *
 * @param attributesToStore as in the policy: `standard`, or keys of attributes.
 */
export function createEmployeeRecordSchema(attributesToStore: readonly string[]): z.ZodType<EmployeeRecord> {
  // The answer is the same for all employees, and the question comes up for each attribute of each of them.
  const known = new Map<string, boolean>();
  const isKept: AttributeFilter = (key, universalId) => {
    const cacheKey = JSON.stringify([key, universalId]);
    const isKnownKept = known.get(cacheKey) ?? isStored(key, universalId, attributesToStore);
    known.set(cacheKey, isKnownKept);
    return isKnownKept;
  };
  return employeeSchema.transform(({ attributes }) => toRecord(attributes, isKept));
}

type AttributeFilter = (key: string, universalId: string | null) => boolean;

export interface DerivedDepartment extends DepartmentRecord {
  /** False when the credential may not read the department of this employee. */
  readonly isReadable: boolean;
}

/** Department of an employee, for accounts without an endpoint of departments. */
export const derivedDepartmentSchema: z.ZodType<DerivedDepartment> = z
  .object({ attributes: attributesSchema.pick({ id: true, department: true }) })
  .transform(({ attributes: { id, department } }) => ({
    recordId: id,
    departmentId: department?.id ?? department?.name ?? null,
    name: department?.name ?? null,
    parentId: null,
    isReadable: department !== undefined,
  }));

function toRecord(attributes: Attributes, isKept: AttributeFilter): EmployeeRecord {
  return {
    employeeId: attributes.id,
    email: toNullable(attributes.email),
    firstName: toNullable(attributes.first_name),
    lastName: toNullable(attributes.last_name),
    preferredName: toNullable(attributes.preferred_name),
    status: toNullable(attributes.status),
    position: toNullable(attributes.position),
    departmentId: toNullable(attributes.department?.id),
    department: getName(attributes.department),
    teamId: toNullable(attributes.team?.id),
    team: getName(attributes.team),
    officeId: toNullable(attributes.office?.id),
    office: getName(attributes.office),
    subcompanyId: toNullable(attributes.subcompany?.id),
    subcompany: getName(attributes.subcompany),
    supervisorId: toNullable(attributes.supervisor),
    employmentType: toNullable(attributes.employment_type),
    hireDate: toNullable(attributes.hire_date),
    contractEndDate: toNullable(attributes.contract_end_date),
    terminationDate: toNullable(attributes.termination_date),
    lastWorkingDay: toNullable(attributes.last_working_day),
    terminationType: toNullable(attributes.termination_type),
    weeklyWorkingHours: toNullable(attributes.weekly_working_hours),
    costCenters: toNullable(attributes.cost_centers),
    attributes: collectOtherAttributes(attributes, isKept),
    absentAttributes: TYPED_KEYS.filter((key) => attributes[key] === undefined),
  };
}

const toNullable = <T>(value: T | undefined): T | null => value ?? null;
const getName = (named: { readonly name: string | null } | null | undefined): string | null => named?.name ?? null;

const TYPED_KEYS = Object.keys(EMPLOYEE_ATTRIBUTES).sort();
const TYPED = new Set(['id', ...TYPED_KEYS]);

/** Collects the attributes without a column of their own, raw, by Personio's stable key. */
function collectOtherAttributes(
  attributes: Readonly<Record<string, unknown>>,
  isKept: AttributeFilter,
): Record<string, unknown> {
  const others: Record<string, unknown> = {};
  for (const [key, wrapper] of Object.entries(attributes)) {
    if (TYPED.has(key) || typeof wrapper !== 'object' || wrapper === null || !('value' in wrapper)) continue;
    const universalId =
      'universal_id' in wrapper && typeof wrapper.universal_id === 'string' ? wrapper.universal_id : null;
    if (isKept(key, universalId)) others[key] = reducePersonToId(wrapper.value);
  }
  return others;
}

/** Reduces an employee inside an attribute to the id, so that names stay in their own columns. */
function reducePersonToId(value: unknown): unknown {
  const isPerson = typeof value === 'object' && value !== null && 'type' in value && value.type === 'Employee';
  if (!isPerson) return value;
  const parsed = supervisorSchema.safeParse(value);
  return { type: 'Employee', id: parsed.success ? parsed.data : null };
}
