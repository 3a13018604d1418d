import type { z } from 'zod';
import type { AttendanceRecord, DepartmentRecord } from '../../domain/records.js';
import type { ApiRequest, PersonioApi } from '../api.js';
import { readCursorPages } from '../cursor-paging.js';
import type { CursorSource } from '../cursor-paging.js';
import type { Route } from '../errors.js';
import type { PagesOutcome } from '../paging.js';
import type { SegmentReading } from '../segment.js';
import { attendancePeriodSchema, orgUnitSchema } from './collections.js';
import { readCursorPage } from './wire.js';

const ORG_UNITS: Route = { method: 'GET', template: '/v2/org-units' };
const ATTENDANCE_PERIODS: Route = { method: 'GET', template: '/v2/attendance-periods' };
/** What both document as the most; more was answered with 400. */
const MAX_PAGE_SIZE = 100;

/** The departments of v2: a list in beta, by its type. */
export async function readOrgUnits(
  api: PersonioApi,
  { position, pages, onPage }: SegmentReading,
): Promise<PagesOutcome> {
  const source = listOf(api, {
    ...{ route: ORG_UNITS, bucket: 'v2-departments', beta: true, query: { type: 'department', sort: 'id' } },
    ...{ record: orgUnitSchema, idOf: (unit: DepartmentRecord) => unit.recordId },
  });
  return readCursorPages({
    ...{ source, position, pages },
    onPage: async (records, after) => onPage({ endpoint: 'departments', records }, after),
  });
}

/** Attendances of v2, by the day that they count for; every status, as in v1 with the pending ones. */
export async function readAttendancePeriods(api: PersonioApi, reading: SegmentReading): Promise<PagesOutcome> {
  const { chunk, position, pages, onPage } = reading;
  if (chunk === null) throw new RangeError('Attendances are read by days.');
  const source = listOf(api, {
    ...{ route: ATTENDANCE_PERIODS, bucket: 'v2-attendances', beta: false },
    query: { 'attribution_date.gte': chunk.from, 'attribution_date.lte': chunk.to },
    ...{ record: attendancePeriodSchema, idOf: (period: AttendanceRecord) => period.periodId },
  });
  return readCursorPages({
    ...{ source, position, pages },
    onPage: async (records, after) => onPage({ endpoint: 'attendances', records }, after),
  });
}

interface ListOptions<T> extends Pick<ApiRequest, 'bucket' | 'route'> {
  readonly beta: boolean;
  readonly query: Readonly<Record<string, string>>;
  readonly record: z.ZodType<T>;
  readonly idOf: (record: T) => string;
}

function listOf<T>(api: PersonioApi, { route, bucket, beta, query, record, idOf }: ListOptions<T>): CursorSource<T> {
  return {
    ...{ maxPageSize: MAX_PAGE_SIZE, idOf },
    first: async (limit) => api.get({ route, bucket, beta, path: route.template, query: { ...query, limit } }),
    follow: async (path) => api.get({ route, bucket, beta, path }),
    read: (answer) => readCursorPage({ route, origin: api.origin, record }, answer),
  };
}
