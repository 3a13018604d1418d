import { z } from 'zod';
import type { WithUnreadable } from '../domain/records.js';
import { isCalendarDay } from '../domain/zones.js';

const UNREADABLE = Symbol('unreadable');
type ValueParser<T> = (value: unknown) => T | typeof UNREADABLE;

/**
 * Creates a schema of one layer. Values are parsed by the million, and each further layer of a schema costs as much as
 * the value itself.
 */
function createValueSchema<T>(parse: ValueParser<T>): z.ZodType<T> {
  return z.transform((input: unknown, context) => {
    const value = parse(input);
    if (value !== UNREADABLE) return value;
    context.issues.push({ code: 'invalid_value', values: [], input });
    return z.NEVER;
  });
}

/** Returns whether a value is one of Personio's forms of "nothing": null, `""`, `[]` or left out. */
const isEmptyValue = (value: unknown): boolean =>
  value === null || value === undefined || value === '' || (Array.isArray(value) && value.length === 0);

const toNullableParser =
  <T>(parse: ValueParser<T>): ValueParser<T | null> =>
  (value) =>
    isEmptyValue(value) ? null : parse(value);

const parseId: ValueParser<string> = (value) => {
  if (typeof value === 'string' && value !== '') return value;
  return Number.isSafeInteger(value) ? String(value) : UNREADABLE;
};

/** Id as text. v1 sends numbers; large ones leave the JSON parser as text. */
export const idSchema = createValueSchema(parseId);
export const optionalIdSchema = createValueSchema(toNullableParser(parseId));

/** Text, number or boolean, as text. Rejects objects and lists. */
export const textSchema = createValueSchema(
  toNullableParser((value) => {
    if (typeof value === 'string') return value;
    return typeof value === 'number' || typeof value === 'boolean' ? String(value) : UNREADABLE;
  }),
);

const BOOLEANS: ReadonlyMap<unknown, boolean> = new Map<unknown, boolean>([
  ...[true, 1, '1', 'true'].map((value): [unknown, boolean] => [value, true]),
  ...[false, 0, '0', 'false'].map((value): [unknown, boolean] => [value, false]),
]);

/** `true`, `1`, `"1"`, `"true"`, and the same for false. */
export const booleanSchema = createValueSchema(toNullableParser((value) => BOOLEANS.get(value) ?? UNREADABLE));

const DATE = /^\d{4}-\d{2}-\d{2}(?:[T ].*)?$/;

/** Earlier and later dates are no dates of people, and some of them do not fit into a column. */
const isPlausibleYear = (year: number): boolean => year >= 1_800 && year <= 2_999;
/** `9999-12-31` and its like: how some systems write that there is no end. */
const isNoEnd = (year: number): boolean => year >= 9_000 && year <= 9_999;

const parseDate: ValueParser<string> = (value) => {
  if (typeof value !== 'string' || !DATE.test(value)) return UNREADABLE;
  const date = value.slice(0, 10);
  return isPlausibleYear(Number(date.slice(0, 4))) && isCalendarDay(date) ? date : UNREADABLE;
};

const parseOptionalDate: ValueParser<string | null> = (value) => {
  if (isEmptyValue(value)) return null;
  const isForever = typeof value === 'string' && DATE.test(value) && isNoEnd(Number(value.slice(0, 4)));
  return isForever ? null : parseDate(value);
};

/**
 * Calendar date. v1 sends it as midnight in the company's zone, with historic offsets (`1835-02-01T00:00:00+00:53`).
 * Keeps the date as written: in UTC it would be the day before.
 */
export const dateSchema = createValueSchema(parseOptionalDate);
export const requiredDateSchema = createValueSchema(parseDate);

/** Moment as ISO 8601 in UTC. Accepts offsets with and without a colon; no offset means UTC. */
export const momentSchema = createValueSchema(
  toNullableParser((value) => {
    if (typeof value !== 'string') return UNREADABLE;
    const moment = new Date(value.replace(/([+-]\d{2})(\d{2})$/, '$1:$2').replace(/(T[\d:.]+)$/, '$1Z'));
    const year = moment.getUTCFullYear();
    if (isNoEnd(year)) return null;
    return isPlausibleYear(year) ? moment.toISOString() : UNREADABLE;
  }),
);

/** Local moment without a zone, to the minute. Drops a zone if there is one: the time of day is what people saw. */
export const localMomentSchema = createValueSchema(
  toNullableParser((value) => {
    const isMoment = typeof value === 'string' && /^\d{4}-\d{2}-\d{2}T([01]\d|2[0-3]):[0-5]\d/.test(value);
    return isMoment && parseDate(value) !== UNREADABLE ? value.slice(0, 16) : UNREADABLE;
  }),
);

/** Time of day, `09:00`. Drops seconds. `24:00` is the end of a day. */
export const timeOfDaySchema = createValueSchema(
  toNullableParser((value) =>
    typeof value === 'string' && /^(([01]\d|2[0-3]):[0-5]\d|24:00)(:|$)/.test(value) ? value.slice(0, 5) : UNREADABLE,
  ),
);

/** A day has 1,440 minutes. A much larger value is no break, and would not fit the column. */
const MAX_MINUTES = 100_000;

export const minutesSchema = createValueSchema(
  toNullableParser((value) => {
    const minutes = typeof value === 'number' || typeof value === 'string' ? Number(value) : NaN;
    return minutes >= 0 && minutes <= MAX_MINUTES ? Math.round(minutes) : UNREADABLE;
  }),
);

/** Handles empty values before the schema: a union would build an error report for each branch that fails. */
const toNullableSchema = <T>(schema: z.ZodType<T>): z.ZodType<T | null> =>
  z.preprocess((value) => (isEmptyValue(value) ? null : value), schema.nullable());

/** Named thing of v1, `{ type, attributes: { id, name } }`; null when empty. */
export const namedSchema = toNullableSchema(
  z
    .object({ attributes: z.object({ id: optionalIdSchema, name: textSchema }) })
    .transform(({ attributes }) => attributes),
);

/** Schemas of a record. */
export interface RecordSchemas<T> {
  readonly schema: z.ZodType<T>;
  /** For a record some of whose values cannot be read and were left out. Default: `schema`. */
  readonly lenientSchema?: z.ZodType<T>;
}

/**
 * Parses one record. Values that cannot be read are left out and named in `unreadable`.
 *
 * @returns null for a record that has no readable id, or is no record at all.
 */
export function parseRecord<T extends WithUnreadable>(
  item: unknown,
  { schema, lenientSchema = schema }: RecordSchemas<T>,
  page: number | null,
): T | null {
  const parsed = schema.safeParse(item);
  if (parsed.success) return parsed.data;
  const attributes = [...new Set(parsed.error.issues.map(({ path }) => findAttribute(path)))];
  if (!attributes.every((attribute) => attribute !== null)) return null;
  const again = lenientSchema.safeParse(dropAttributes(item, attributes));
  return again.success ? { ...again.data, unreadable: { page, attributes } } : null;
}

/** Parses the records of a page. `flaw` says which of them has no readable id. */
export function parseRecords<T extends WithUnreadable>(
  items: readonly unknown[],
  schemas: RecordSchemas<T>,
  page: number | null,
): { readonly records: readonly T[]; readonly flaw: string | null } {
  const records: T[] = [];
  for (const [index, item] of items.entries()) {
    const record = parseRecord(item, schemas, page);
    if (record === null) return { records, flaw: `record data[${index}] of page ${page ?? 1} has no readable id` };
    records.push(record);
  }
  return { records, flaw: null };
}

/** Returns the attribute that an issue is about; null for the id, and for the record itself. */
function findAttribute([first, second]: readonly PropertyKey[]): string | null {
  const attribute = first === 'attributes' ? second : first;
  return typeof attribute === 'string' && attribute !== 'id' ? attribute : null;
}

function dropAttributes(item: unknown, keys: readonly string[]): unknown {
  if (typeof item !== 'object' || item === null) return item;
  const entries = Object.entries(item).filter(([key]) => !keys.includes(key));
  return Object.fromEntries(
    entries.map(([key, value]) => [key, key === 'attributes' ? dropAttributes(value, keys) : (value as unknown)]),
  );
}

/** Describes the first issue by its place and kind, never by its value. `prefix` is put before the place. */
export function describeIssue(error: z.ZodError, prefix: string): string {
  const [issue] = error.issues;
  const path = (issue?.path ?? [])
    .map((part) => (typeof part === 'number' ? `[${part}]` : `.${String(part)}`))
    .join('');
  const location = `${prefix}${path}`.replace(/^\./, '');
  return `${location === '' ? 'the body' : location} has an unexpected form (${issue?.code ?? 'unknown'})`;
}
