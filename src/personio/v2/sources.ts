import type { z } from 'zod';
import type { AttendanceRecord, DepartmentRecord } from '../../domain/records.js';
import type { ApiRequest, PersonioApi } from '../api.js';
import { readCursorPages } from '../cursor-paging.js';
import type { CursorSource } from '../cursor-paging.js';
import type { Route } from '../errors.js';
import type { PagesOutcome } from '../paging.js';
import type { ReadSegmentOptions } from '../segment.js';
import { attendancePeriodSchema, orgUnitSchema } from './collections.js';
import { parseCursorPage } from './wire.js';

const ORG_UNITS: Route = { method: 'GET', template: '/v2/org-units' };
const ATTENDANCE_PERIODS: Route = { method: 'GET', template: '/v2/attendance-periods' };
/** What both document as the most; more was answered with 400. */
const MAX_PAGE_SIZE = 100;

/** The departments of v2: a list in beta, by its type. */
export async function readOrgUnits(
  api: PersonioApi,
  { position, pages, onPage }: ReadSegmentOptions,
): Promise<PagesOutcome> {
  const source = createCursorSource(api, {
    route: ORG_UNITS,
    bucket: 'v2-departments',
    beta: true,
    query: { type: 'department', sort: 'id' },
    schema: orgUnitSchema,
    getId: (unit: DepartmentRecord) => unit.recordId,
  });
  return readCursorPages({
    source,
    position,
    pages,
    onPage: async (records, after) => onPage({ endpoint: 'departments', records }, after),
  });
}

/** Attendances of v2, by the day that they count for; every status, as in v1 with the pending ones. */
export async function readAttendancePeriods(api: PersonioApi, options: ReadSegmentOptions): Promise<PagesOutcome> {
  const { chunk, position, pages, onPage } = options;
  if (chunk === null) throw new RangeError('Attendances are read by days.');
  const source = createCursorSource(api, {
    route: ATTENDANCE_PERIODS,
    bucket: 'v2-attendances',
    beta: false,
    query: { 'attribution_date.gte': chunk.from, 'attribution_date.lte': chunk.to },
    schema: attendancePeriodSchema,
    getId: (period: AttendanceRecord) => period.periodId,
  });
  return readCursorPages({
    source,
    position,
    pages,
    onPage: async (records, after) => onPage({ endpoint: 'attendances', records }, after),
  });
}

interface ListOptions<T> extends Pick<ApiRequest, 'bucket' | 'route'> {
  readonly beta: boolean;
  readonly query: Readonly<Record<string, string>>;
  readonly schema: z.ZodType<T>;
  readonly getId: (record: T) => string;
}

function createCursorSource<T>(
  api: PersonioApi,
  { route, bucket, beta, query, schema: record, getId: idOf }: ListOptions<T>,
): CursorSource<T> {
  return {
    maxPageSize: MAX_PAGE_SIZE,
    getId: idOf,
    first: async (limit) => api.get({ route, bucket, beta, path: route.template, query: { ...query, limit } }),
    follow: async (path) => api.get({ route, bucket, beta, path }),
    parse: (response) => parseCursorPage({ route, origin: api.origin, schema: record }, response),
  };
}
