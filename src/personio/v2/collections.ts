import { z } from 'zod';
import type { AttendanceRecord, DepartmentRecord } from '../../domain/records.js';
import { dateSchema, idSchema, momentSchema, textSchema } from '../wire.js';

/**
 * Department as an org unit of v2. The request filters by `type=department`; a unit of another type gets no department
 * id, so that it counts for completeness but adds no row.
 */
export const orgUnitSchema: z.ZodType<DepartmentRecord> = z
  .looseObject({
    id: idSchema,
    type: textSchema.nullish(),
    name: textSchema.nullish(),
    parent_id: idSchema.nullish(),
  })
  .transform(({ id, type, name, parent_id: parentId }) => ({
    recordId: id,
    departmentId: (type ?? 'department').toLowerCase() === 'department' ? id : null,
    name: name ?? null,
    parentId: parentId ?? null,
  }));

/** Local time without a zone. Drops a zone if there is one: the time of day is what the employee saw. */
const localTimeSchema = z
  .union([
    z.null(),
    z.looseObject({
      date_time: z
        .string()
        .regex(/^\d{4}-\d{2}-\d{2}T([01]\d|2[0-3]):[0-5]\d/)
        .transform((text) => text.slice(0, 16))
        .nullish(),
    }),
  ])
  .nullish()
  .transform((moment) => moment?.date_time ?? null);

/** Attendance period of v2, where breaks are periods of their own. Leaves out the comment on purpose, as in v1. */
export const attendancePeriodSchema: z.ZodType<AttendanceRecord> = z
  .looseObject({
    id: idSchema,
    type: textSchema.nullish(),
    person: z.looseObject({ id: idSchema }),
    start: localTimeSchema,
    end: localTimeSchema,
    attribution_date: dateSchema.nullish(),
    project: z
      .union([z.null(), z.looseObject({ id: idSchema.nullish() })])
      .nullish()
      .transform((project) => project?.id ?? null),
    // v1 sends the status in lower case.
    approval: z
      .union([z.null(), z.looseObject({ status: textSchema.nullish() })])
      .nullish()
      .transform((approval) => approval?.status?.toLowerCase() ?? null),
    updated_at: momentSchema.nullish().transform((moment) => moment ?? null),
  })
  .transform((period, context) => {
    const date = period.attribution_date ?? period.start?.slice(0, 10);
    if (date === undefined) {
      context.addIssue({ code: 'custom', path: ['attribution_date'], message: 'There is no date.' });
      return z.NEVER;
    }
    const kind: 'work' | 'break' = period.type?.toUpperCase() === 'BREAK' ? 'break' : 'work';
    return {
      periodId: period.id,
      periodIdV2: period.id,
      employeeId: period.person.id,
      date,
      startTime: period.start?.slice(11) ?? null,
      endTime: period.end?.slice(11) ?? null,
      breakMinutes: null,
      status: period.approval,
      project: period.project,
      updatedAt: period.updated_at,
      // v2 does not send these two; values stored from v1 are kept.
      isHoliday: null,
      isOnTimeOff: null,
      span: { kind, startsAt: period.start, endsAt: period.end },
    };
  });
