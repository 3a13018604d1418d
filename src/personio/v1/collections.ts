import { z } from 'zod';
import type { AttendanceRecord, DepartmentRecord, TimeOffTypeRecord } from '../../domain/records.js';
import {
  booleanSchema,
  dateSchema,
  idSchema,
  minutesSchema,
  momentSchema,
  namedSchema,
  optionalIdSchema,
  requiredDateSchema,
  textSchema,
  timeOfDaySchema,
} from '../wire.js';

/**
 * Department. The endpoint is not in Personio's published API but in its customers' guides; the shape follows the other
 * endpoints.
 */
export const departmentSchema: z.ZodType<DepartmentRecord> = z
  .object({
    id: optionalIdSchema,
    attributes: z.object({ id: optionalIdSchema, name: textSchema, parent_id: optionalIdSchema }).nullish(),
    name: textSchema,
    parent_id: optionalIdSchema,
  })
  .transform(({ id, attributes, name, parent_id: parentId }) => ({
    departmentId: attributes?.id ?? id,
    name: attributes?.name ?? name,
    parentId: attributes?.parent_id ?? parentId,
  }))
  .refine(({ departmentId }) => departmentId !== null, { path: ['attributes', 'id'] })
  .transform((department) => ({ ...department, recordId: department.departmentId ?? '' }));

/** Schemas of the values without which an attendance period means nothing. */
interface EssentialSchemas {
  readonly employee: z.ZodType<string | null>;
  readonly date: z.ZodType<string | null>;
}

/** Attendance period. Leaves out the comment on purpose: people write private remarks into it. */
const createAttendanceSchema = ({ employee, date }: EssentialSchemas): z.ZodType<AttendanceRecord> =>
  z
    .object({
      id: idSchema,
      id_v2: optionalIdSchema,
      attributes: z.object({
        id_v2: optionalIdSchema,
        employee,
        date,
        start_time: timeOfDaySchema,
        end_time: timeOfDaySchema,
        break: minutesSchema,
        status: textSchema,
        is_holiday: booleanSchema,
        is_on_time_off: booleanSchema,
        updated_at: momentSchema,
        // An older specification has a list of projects; the first counts.
        project: z.union([namedSchema, z.array(namedSchema).transform((projects) => projects[0] ?? null)]).nullish(),
      }),
    })
    .transform(({ id, id_v2: outerIdV2, attributes }) => ({
      periodId: id,
      periodIdV2: attributes.id_v2 ?? outerIdV2,
      employeeId: attributes.employee,
      date: attributes.date,
      startTime: attributes.start_time,
      endTime: attributes.end_time,
      breakMinutes: attributes.break,
      status: attributes.status,
      project: attributes.project?.name ?? attributes.project?.id ?? null,
      isHoliday: attributes.is_holiday,
      isOnTimeOff: attributes.is_on_time_off,
      updatedAt: attributes.updated_at,
      span: null,
    }));

export const attendanceSchema = createAttendanceSchema({ employee: idSchema, date: requiredDateSchema });
/** For periods some of whose values cannot be read. */
export const lenientAttendanceSchema = createAttendanceSchema({ employee: optionalIdSchema, date: dateSchema });

export const timeOffTypeSchema: z.ZodType<TimeOffTypeRecord> = z
  .object({
    attributes: z.object({
      id: idSchema,
      name: textSchema,
      category: textSchema,
      unit: textSchema,
      approval_required: booleanSchema,
    }),
  })
  .transform(({ attributes }) => ({
    timeOffTypeId: attributes.id,
    name: attributes.name,
    category: attributes.category,
    unit: attributes.unit,
    approvalRequired: attributes.approval_required,
  }));
