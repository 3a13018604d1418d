import { z } from 'zod';
import { EMPLOYEE_ATTRIBUTES } from '../../domain/records.js';
import type { DepartmentRecord, EmployeeRecord } from '../../domain/records.js';
import { isStored } from '../sensitive.js';
import { dateSchema, idSchema, namedSchema, textSchema } from './wire.js';

/** Each attribute is wrapped: `{ label, value, type, universal_id }`. Labels are localised and change, so nothing is keyed on them. */
const wrapped = <T>(value: z.ZodType<T>): z.ZodType<T | undefined> =>
  z
    .transform(withValue)
    .pipe(z.object({ value }))
    .transform((attribute) => attribute.value)
    .optional();

/** A wrapper without its value says nothing about the value, not that there is none: whoever has a date would lose it. */
function withValue(wrapper: unknown, context: z.core.ParsePayload): unknown {
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
  email: wrapped(textSchema),
  first_name: wrapped(textSchema),
  last_name: wrapped(textSchema),
  preferred_name: wrapped(textSchema),
  status: wrapped(textSchema),
  position: wrapped(textSchema),
  department: wrapped(namedSchema),
  team: wrapped(namedSchema),
  office: wrapped(namedSchema),
  subcompany: wrapped(namedSchema),
  supervisor: wrapped(supervisorSchema),
  employment_type: wrapped(textSchema),
  hire_date: wrapped(dateSchema),
  contract_end_date: wrapped(dateSchema),
  termination_date: wrapped(dateSchema),
  last_working_day: wrapped(dateSchema),
  termination_type: wrapped(textSchema),
  weekly_working_hours: wrapped(textSchema),
  cost_centers: wrapped(costCentersSchema),
});

type Attributes = z.output<typeof attributesSchema>;

const employeeSchema = z.object({ attributes: attributesSchema });

/** @param attributesToStore as in the policy: `standard`, or keys. What may not be stored is dropped here and goes no further. */
export function employeeRecordSchema(attributesToStore: readonly string[]): z.ZodType<EmployeeRecord> {
  // Which attributes are stored is asked for each of each record, and answered alike within a company.
  const known = new Map<string, boolean>();
  const isKept: AttributeFilter = (key, universalId) => {
    const place = JSON.stringify([key, universalId]);
    const isKnownKept = known.get(place) ?? isStored(key, universalId, attributesToStore);
    known.set(place, isKnownKept);
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
    email: orNull(attributes.email),
    firstName: orNull(attributes.first_name),
    lastName: orNull(attributes.last_name),
    preferredName: orNull(attributes.preferred_name),
    status: orNull(attributes.status),
    position: orNull(attributes.position),
    departmentId: orNull(attributes.department?.id),
    department: nameOf(attributes.department),
    team: nameOf(attributes.team),
    office: nameOf(attributes.office),
    subcompany: nameOf(attributes.subcompany),
    supervisorId: orNull(attributes.supervisor),
    employmentType: orNull(attributes.employment_type),
    hireDate: orNull(attributes.hire_date),
    contractEndDate: orNull(attributes.contract_end_date),
    terminationDate: orNull(attributes.termination_date),
    lastWorkingDay: orNull(attributes.last_working_day),
    terminationType: orNull(attributes.termination_type),
    weeklyWorkingHours: orNull(attributes.weekly_working_hours),
    costCenters: orNull(attributes.cost_centers),
    attributes: othersOf(attributes, isKept),
    absentAttributes: TYPED_KEYS.filter((key) => attributes[key] === undefined),
  };
}

const orNull = <T>(value: T | undefined): T | null => value ?? null;
const nameOf = (named: { readonly name: string | null } | null | undefined): string | null => named?.name ?? null;

const TYPED_KEYS = Object.keys(EMPLOYEE_ATTRIBUTES).sort();
const TYPED = new Set(['id', ...TYPED_KEYS]);

/** The rest, raw, by Personio's stable key. */
function othersOf(attributes: Readonly<Record<string, unknown>>, isKept: AttributeFilter): Record<string, unknown> {
  const others: Record<string, unknown> = {};
  for (const [key, wrapper] of Object.entries(attributes)) {
    if (TYPED.has(key) || typeof wrapper !== 'object' || wrapper === null || !('value' in wrapper)) continue;
    const universalId =
      'universal_id' in wrapper && typeof wrapper.universal_id === 'string' ? wrapper.universal_id : null;
    if (isKept(key, universalId)) others[key] = withoutPerson(wrapper.value);
  }
  return others;
}

/** Another employee inside an attribute is reduced to the id, so that names stand in their own columns alone. */
function withoutPerson(value: unknown): unknown {
  const isPerson = typeof value === 'object' && value !== null && 'type' in value && value.type === 'Employee';
  if (!isPerson) return value;
  const parsed = supervisorSchema.safeParse(value);
  return { type: 'Employee', id: parsed.success ? parsed.data : null };
}
