import { z } from 'zod';
import type { AttendanceRecord, DepartmentRecord, TimeOffTypeRecord } from '../../domain/records.js';
import { booleanSchema, dateSchema, idSchema, momentSchema, namedSchema, textSchema } from './wire.js';

/** Not Personio's published API but its customers' guides: the shape follows the other endpoints. */
export const departmentSchema: z.ZodType<DepartmentRecord> = z
  .looseObject({
    id: idSchema.nullish(),
    attributes: z
      .looseObject({ id: idSchema.nullish(), name: textSchema.nullish(), parent_id: idSchema.nullish() })
      .nullish(),
    name: textSchema.nullish(),
    parent_id: idSchema.nullish(),
  })
  .transform(({ id, attributes, name, parent_id: parentId }) => ({
    departmentId: attributes?.id ?? id ?? null,
    name: attributes?.name ?? name ?? null,
    parentId: attributes?.parent_id ?? parentId ?? null,
  }))
  .refine(({ departmentId }) => departmentId !== null, { path: ['attributes', 'id'] })
  .transform((department) => ({ ...department, recordId: department.departmentId ?? '' }));

/** `09:00`, or with seconds, which are dropped. */
const timeOfDay = textSchema
  .nullish()
  .transform((text) => text ?? null)
  .refine((text) => text === null || /^([01]\d|2[0-4]):[0-5]\d(:|$)/.test(text))
  .transform((text) => text?.slice(0, 5) ?? null);
/** A day has 1,440; what is far beyond is no break, and would not fit into the column. */
const minutes = z.coerce.number().min(0).max(100_000).transform(Math.round);

/** The comment is left out on purpose: people write all kinds of things into it. */
export const attendanceSchema: z.ZodType<AttendanceRecord> = z
  .looseObject({
    id: idSchema,
    id_v2: idSchema.nullish(),
    attributes: z.looseObject({
      id_v2: idSchema.nullish(),
      employee: idSchema,
      date: dateSchema.refine((date) => date !== null),
      start_time: timeOfDay,
      end_time: timeOfDay,
      break: z.union([z.union([z.null(), z.literal('')]).transform(() => null), minutes]).optional(),
      status: textSchema.nullish(),
      is_holiday: booleanSchema.nullish(),
      is_on_time_off: booleanSchema.nullish(),
      updated_at: momentSchema.nullish(),
      // An older specification had a list; the first one counts.
      project: z.union([namedSchema, z.array(namedSchema).transform((projects) => projects[0] ?? null)]).nullish(),
    }),
  })
  .transform(({ id, id_v2: outerIdV2, attributes }) => ({
    periodId: id,
    periodIdV2: attributes.id_v2 ?? outerIdV2 ?? null,
    employeeId: attributes.employee,
    date: attributes.date,
    startTime: attributes.start_time,
    endTime: attributes.end_time,
    breakMinutes: attributes.break ?? null,
    status: attributes.status ?? null,
    project: attributes.project?.name ?? attributes.project?.id ?? null,
    isHoliday: attributes.is_holiday ?? null,
    isOnTimeOff: attributes.is_on_time_off ?? null,
    updatedAt: attributes.updated_at ?? null,
    span: null,
  }));

export const timeOffTypeSchema: z.ZodType<TimeOffTypeRecord> = z
  .looseObject({
    attributes: z.looseObject({
      id: idSchema,
      name: textSchema.nullish(),
      category: textSchema.nullish(),
      unit: textSchema.nullish(),
      approval_required: booleanSchema.nullish(),
    }),
  })
  .transform(({ attributes }) => ({
    timeOffTypeId: attributes.id,
    name: attributes.name ?? null,
    category: attributes.category ?? null,
    unit: attributes.unit ?? null,
    approvalRequired: attributes.approval_required ?? null,
  }));
