import { z } from 'zod';
import { EMPLOYEE_ATTRIBUTES } from '../../domain/records.js';
import type { DepartmentRecord, EmployeeRecord } from '../../domain/records.js';
import { isStored } from '../sensitive.js';
import { dateSchema, idSchema, namedSchema, textSchema } from './wire.js';

/** Each attribute is wrapped: `{ label, value, type, universal_id }`. Labels are localised and change, so nothing is keyed on them. */
const createAttributeSchema = <T>(value: z.ZodType<T>): z.ZodType<T | undefined> =>
  z
    .transform(requireValue)
    .pipe(z.object({ value }))
    .transform((attribute) => attribute.value)
    .optional();

/** A wrapper without its value says nothing about the value, not that there is none: whoever has a date would lose it. */
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

/** A supervisor comes as a nested employee, reduced to the id or not. */
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

/** @param attributesToStore as in the policy: `standard`, or keys. What may not be stored is dropped here and goes no further. */
export function createEmployeeRecordSchema(attributesToStore: readonly string[]): z.ZodType<EmployeeRecord> {
  // Which attributes are stored is asked for each of each record, and answered alike within a company.
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

/** An employee's department, for where Personio has no endpoint of departments. */
export const derivedDepartmentSchema: z.ZodType<DepartmentRecord & { readonly isReadable: boolean }> =
  employeeSchema.transform(({ attributes: { id, department } }) => ({
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
    team: getName(attributes.team),
    office: getName(attributes.office),
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

/** The rest, raw, by Personio's stable key. */
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

/** Another employee inside an attribute is reduced to the id, so that names stand in their own columns alone. */
function reducePersonToId(value: unknown): unknown {
  const isPerson = typeof value === 'object' && value !== null && 'type' in value && value.type === 'Employee';
  if (!isPerson) return value;
  const parsed = supervisorSchema.safeParse(value);
  return { type: 'Employee', id: parsed.success ? parsed.data : null };
}
