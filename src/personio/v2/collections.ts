import { z } from 'zod';
import type { AttendanceRecord, DepartmentRecord } from '../../domain/records.js';
import { dateSchema, idSchema, localMomentSchema, momentSchema, textSchema } from '../wire.js';

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

const localTimeSchema = z
  .union([z.null(), z.looseObject({ date_time: localMomentSchema.nullish() })])
  .nullish()
  .transform((moment) => moment?.date_time ?? null);

const personSchema = z.looseObject({ id: idSchema });

const periodSchema = z.looseObject({
  id: idSchema,
  type: textSchema.nullish(),
  person: personSchema.nullish(),
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
});

function toAttendanceRecord(period: z.output<typeof periodSchema>): AttendanceRecord {
  const kind: 'work' | 'break' = period.type?.toUpperCase() === 'BREAK' ? 'break' : 'work';
  return {
    periodId: period.id,
    periodIdV2: period.id,
    employeeId: period.person?.id ?? null,
    date: period.attribution_date ?? period.start?.slice(0, 10) ?? null,
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
}

/** For periods some of whose values cannot be read. */
export const lenientAttendancePeriodSchema: z.ZodType<AttendanceRecord> = periodSchema.transform(toAttendanceRecord);

/** Attendance period of v2, where breaks are periods of their own. Leaves out the comment on purpose, as in v1. */
export const attendancePeriodSchema: z.ZodType<AttendanceRecord> = lenientAttendancePeriodSchema
  .refine(({ employeeId }) => employeeId !== null, { path: ['person'] })
  .refine(({ date }) => date !== null, { path: ['attribution_date'] });
