import { z } from 'zod';
import { createMalformedError } from './errors.js';
import type { Route } from './errors.js';

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

const parseDate: ValueParser<string> = (value) => {
  if (typeof value !== 'string' || !DATE.test(value)) return UNREADABLE;
  const date = value.slice(0, 10);
  const moment = new Date(`${date}T00:00:00Z`);
  return !Number.isNaN(moment.getTime()) && moment.toISOString().startsWith(date) ? date : UNREADABLE;
};

/**
 * Calendar date. v1 sends it as midnight in the company's zone, with historic offsets (`1835-02-01T00:00:00+00:53`).
 * Keeps the date as written: in UTC it would be the day before.
 */
export const dateSchema = createValueSchema(toNullableParser(parseDate));
export const requiredDateSchema = createValueSchema(parseDate);

/** Moment as ISO 8601 in UTC. Accepts offsets with and without a colon; no offset means UTC. */
export const momentSchema = createValueSchema(
  toNullableParser((value) => {
    if (typeof value !== 'string') return UNREADABLE;
    const moment = new Date(value.replace(/([+-]\d{2})(\d{2})$/, '$1:$2').replace(/(T[\d:.]+)$/, '$1Z'));
    return Number.isNaN(moment.getTime()) ? UNREADABLE : moment.toISOString();
  }),
);

/** Time of day, `09:00`. Drops seconds. */
export const timeOfDaySchema = createValueSchema(
  toNullableParser((value) =>
    typeof value === 'string' && /^([01]\d|2[0-4]):[0-5]\d(:|$)/.test(value) ? value.slice(0, 5) : UNREADABLE,
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

/**
 * Parses one record.
 *
 * @param location place of the record for the message, such as `data[3]`.
 * @throws PersonioError `PersonioMalformedAnswer`, which names the place within the record.
 */
export function parseRecord<T>(route: Route, item: unknown, schema: z.ZodType<T>, location: string): T {
  const parsed = schema.safeParse(item);
  if (!parsed.success) throw createMalformedError(route, describeIssue(parsed.error, location));
  return parsed.data;
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
