import type { CommitRequest } from '../../contracts/internal/activities.js';
import type { Endpoint } from '../../contracts/internal/names.js';

/** Endpoints whose records are stored as they come, without a history and without events. */
export type Collection = Exclude<Endpoint, 'employees'>;

export interface CollectionTable {
  readonly table: string;
  readonly key: string;
  /** Columns that are compared and written. */
  readonly columns: readonly string[];
  /** True if a row that is gone from Personio is kept with `missing_since`, false if it is deleted. */
  readonly shouldKeepMissing: boolean;
  /** Attributes of Personio that fill a column, where they have another name. */
  readonly attributes?: Readonly<Record<string, readonly string[]>>;
  /** Columns without which a record that is not stored yet is left out. Default: none. */
  readonly essential?: readonly string[];
}

export const TABLES: Readonly<Record<Collection, CollectionTable>> = {
  departments: {
    table: 'personio.departments',
    key: 'department_id',
    columns: ['name', 'parent_id', 'source'],
    shouldKeepMissing: true,
  },
  'time-off-types': {
    table: 'personio.time_off_types',
    key: 'time_off_type_id',
    shouldKeepMissing: true,
    columns: ['name', 'category', 'unit', 'approval_required'],
  },
  attendances: {
    table: 'personio.attendance_periods',
    key: 'period_id',
    shouldKeepMissing: false,
    columns: [
      'period_id_v2',
      'employee_id',
      'date',
      'start_time',
      'end_time',
      'break_minutes',
      'status',
      'project',
      'is_holiday',
      'is_on_time_off',
      'updated_at',
    ],
    // Of both versions of the API.
    attributes: {
      period_id_v2: ['id_v2'],
      employee_id: ['employee', 'person'],
      date: ['date', 'attribution_date', 'start', 'type'],
      start_time: ['start_time', 'start'],
      end_time: ['end_time', 'end'],
      break_minutes: ['break', 'start', 'end'],
      status: ['status', 'approval'],
    },
    essential: ['employee_id', 'date', 'start_time', 'end_time'],
  },
};

/** Returns `stored.name, stored.status, …`: columns of a table alias. */
export function listColumns(alias: string, columns: readonly string[]): string {
  return columns.map((column) => `${alias}.${column}`).join(', ');
}

/** Returns the condition that a column of a snapshot's row cannot be read. */
export function buildUnreadableCondition({ attributes }: CollectionTable, column: string): string {
  const names = attributes?.[column] ?? [column];
  return `snapshot.unreadable && array[${names.map((name) => `'${name}'`).join(', ')}]`;
}

/** Returns the condition of the stored rows that a chunk of days is about. */
export const buildDayCondition = (alias: string, { chunk }: CommitRequest): string =>
  `${alias}.date between ${toDateLiteral(chunk?.from)} and ${toDateLiteral(chunk?.to)}`;

/**
 * Returns the condition of the stored rows among which most of a snapshot is found. A second read is of few people and
 * many days: its rows are found by their keys alone.
 */
export function buildNearCondition(alias: string, request: CommitRequest): string {
  if (request.chunk === null) return 'true';
  return request.isConfirming === true ? 'false' : buildDayCondition(alias, request);
}

/** Returns the condition of the staged rows of one attempt. */
export const buildAttemptCondition = ({ attempt, chunk }: CommitRequest): string =>
  `reading = ${attempt} and chunk is not distinct from ${toDateLiteral(chunk?.from)}`;

/** `create table as` takes no parameters. The days of a chunk come from our own code. */
function toDateLiteral(day: string | undefined): string {
  if (day === undefined) return 'null';
  if (!/^\d{4}-\d{2}-\d{2}$/.test(day)) throw new RangeError('A chunk begins on a calendar day.');
  return `date '${day}'`;
}
