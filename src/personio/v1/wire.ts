import { z } from 'zod';
import type { HttpResponse } from '../http.js';
import { parseContent } from '../json.js';
import { createMalformedError } from '../errors.js';
import type { Route } from '../errors.js';
import type { Page } from '../paging.js';

const UNREADABLE = Symbol('unreadable');
type ValueParser<T> = (value: unknown) => T | typeof UNREADABLE;

/** A value in one look. Values are read by the million, and each further layer of a schema costs as much as the value itself. */
function createValueSchema<T>(parse: ValueParser<T>): z.ZodType<T> {
  return z.transform((input: unknown, context) => {
    const value = parse(input);
    if (value !== UNREADABLE) return value;
    context.issues.push({ code: 'invalid_value', values: [], input });
    return z.NEVER;
  });
}

/** Personio says "nothing" as null, `""`, `[]` and by leaving out. */
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

/** An id: v1 sends numbers, large ones come out of the parser as text. */
export const idSchema = createValueSchema(parseId);
export const optionalIdSchema = createValueSchema(toNullableParser(parseId));

/** A text, a number or a boolean, as text; objects and lists are refused. */
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

/** `true`, `1`, `"1"`, `"true"`. */
export const booleanSchema = createValueSchema(toNullableParser((value) => BOOLEANS.get(value) ?? UNREADABLE));

const DATE = /^\d{4}-\d{2}-\d{2}(?:[T ].*)?$/;

const parseDate: ValueParser<string> = (value) => {
  if (typeof value !== 'string' || !DATE.test(value)) return UNREADABLE;
  const date = value.slice(0, 10);
  const moment = new Date(`${date}T00:00:00Z`);
  return !Number.isNaN(moment.getTime()) && moment.toISOString().startsWith(date) ? date : UNREADABLE;
};

/**
 * A calendar date, which v1 wraps in the midnight of the company's zone, historic offsets included (`1835-02-01T00:00:00+00:53`).
 * The date is taken as written: converted to UTC it would be the day before.
 */
export const dateSchema = createValueSchema(toNullableParser(parseDate));
export const requiredDateSchema = createValueSchema(parseDate);

/** A moment with an offset, with or without a colon in it; becomes ISO 8601 in UTC. Where no offset is given, it is UTC. */
export const momentSchema = createValueSchema(
  toNullableParser((value) => {
    if (typeof value !== 'string') return UNREADABLE;
    const moment = new Date(value.replace(/([+-]\d{2})(\d{2})$/, '$1:$2').replace(/(T[\d:.]+)$/, '$1Z'));
    return Number.isNaN(moment.getTime()) ? UNREADABLE : moment.toISOString();
  }),
);

/** `09:00`, or with seconds, which are dropped. */
export const timeOfDaySchema = createValueSchema(
  toNullableParser((value) =>
    typeof value === 'string' && /^([01]\d|2[0-4]):[0-5]\d(:|$)/.test(value) ? value.slice(0, 5) : UNREADABLE,
  ),
);

/** A day has 1,440; what is far beyond is no break, and would not fit into the column. */
const MAX_MINUTES = 100_000;

export const minutesSchema = createValueSchema(
  toNullableParser((value) => {
    const minutes = typeof value === 'number' || typeof value === 'string' ? Number(value) : NaN;
    return minutes >= 0 && minutes <= MAX_MINUTES ? Math.round(minutes) : UNREADABLE;
  }),
);

/** Looked at before the schema: a branch of a union that does not match costs a report that nobody reads. */
const toNullableSchema = <T>(schema: z.ZodType<T>): z.ZodType<T | null> =>
  z.preprocess((value) => (isEmptyValue(value) ? null : value), schema.nullable());

/** `{ type, attributes: { id, name } }`, or one of the ways to say nothing. */
export const namedSchema = toNullableSchema(
  z
    .object({ attributes: z.object({ id: optionalIdSchema, name: textSchema }) })
    .transform(({ attributes }) => attributes),
);

const countSchema = z.union([z.int(), z.string().regex(/^\d+$/).transform(Number)]);

const envelopeSchema = z.looseObject({
  data: z.array(z.unknown()),
  metadata: z.looseObject({ total_elements: countSchema.nullish() }).nullish(),
});

/** Reads a list: `{ success, data: […], metadata: { total_elements } }`. */
export function parseList<T>(route: Route, response: HttpResponse, schema: z.ZodType<T>): Page<T> {
  const envelope = envelopeSchema.safeParse(parseContent(route, response));
  if (!envelope.success) throw createMalformedError(route, describeIssue(envelope.error, ''));
  const records = envelope.data.data.map((item, index) => parseRecord(route, item, schema, `data[${index}]`));
  return { records, total: envelope.data.metadata?.total_elements ?? null };
}

/** Reads `{ success, data: {…} }`. */
export function parseOne<T>(route: Route, response: HttpResponse, schema: z.ZodType<T>): T {
  const envelope = z.looseObject({ data: z.unknown() }).safeParse(parseContent(route, response));
  if (!envelope.success) throw createMalformedError(route, describeIssue(envelope.error, ''));
  return parseRecord(route, envelope.data.data, schema, 'data');
}

/** @param location such as `data[3]`, which a message may name. */
export function parseRecord<T>(route: Route, item: unknown, schema: z.ZodType<T>, location: string): T {
  const parsed = schema.safeParse(item);
  if (!parsed.success) throw createMalformedError(route, describeIssue(parsed.error, location));
  return parsed.data;
}

/** Where it is wrong and what kind of fault it is; never the value. */
export function describeIssue(error: z.ZodError, prefix: string): string {
  const [issue] = error.issues;
  const path = (issue?.path ?? [])
    .map((part) => (typeof part === 'number' ? `[${part}]` : `.${String(part)}`))
    .join('');
  const location = `${prefix}${path}`.replace(/^\./, '');
  return `${location === '' ? 'the whole' : location} has an unexpected form (${issue?.code ?? 'unknown'})`;
}
