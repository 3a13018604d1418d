import { z } from 'zod';
import type { HttpAnswer } from '../http.js';
import { contentOf } from '../json.js';
import { malformed } from '../errors.js';
import type { Route } from '../errors.js';
import type { Page } from '../paging.js';

const UNREADABLE = Symbol('unreadable');
type Reader<T> = (value: unknown) => T | typeof UNREADABLE;

/** A value in one look. Values are read by the million, and each further layer of a schema costs as much as the value itself. */
function valueSchema<T>(read: Reader<T>): z.ZodType<T> {
  return z.transform((input: unknown, context) => {
    const value = read(input);
    if (value !== UNREADABLE) return value;
    context.issues.push({ code: 'invalid_value', values: [], input });
    return z.NEVER;
  });
}

/** Personio says "nothing" as null, `""`, `[]` and by leaving out. */
const isNothing = (value: unknown): boolean =>
  value === null || value === undefined || value === '' || (Array.isArray(value) && value.length === 0);

const orNull =
  <T>(read: Reader<T>): Reader<T | null> =>
  (value) =>
    isNothing(value) ? null : read(value);

const readId: Reader<string> = (value) => {
  if (typeof value === 'string' && value !== '') return value;
  return Number.isSafeInteger(value) ? String(value) : UNREADABLE;
};

/** An id: v1 sends numbers, large ones come out of the parser as text. */
export const idSchema = valueSchema(readId);
export const optionalIdSchema = valueSchema(orNull(readId));

/** A text, a number or a boolean, as text; objects and lists are refused. */
export const textSchema = valueSchema(
  orNull((value) => {
    if (typeof value === 'string') return value;
    return typeof value === 'number' || typeof value === 'boolean' ? String(value) : UNREADABLE;
  }),
);

const BOOLEANS: ReadonlyMap<unknown, boolean> = new Map<unknown, boolean>([
  ...[true, 1, '1', 'true'].map((value): [unknown, boolean] => [value, true]),
  ...[false, 0, '0', 'false'].map((value): [unknown, boolean] => [value, false]),
]);

/** `true`, `1`, `"1"`, `"true"`. */
export const booleanSchema = valueSchema(orNull((value) => BOOLEANS.get(value) ?? UNREADABLE));

const DATE = /^\d{4}-\d{2}-\d{2}(?:[T ].*)?$/;

const readDate: Reader<string> = (value) => {
  if (typeof value !== 'string' || !DATE.test(value)) return UNREADABLE;
  const date = value.slice(0, 10);
  const moment = new Date(`${date}T00:00:00Z`);
  return !Number.isNaN(moment.getTime()) && moment.toISOString().startsWith(date) ? date : UNREADABLE;
};

/**
 * A calendar date, which v1 wraps in the midnight of the company's zone, historic offsets included (`1835-02-01T00:00:00+00:53`).
 * The date is taken as written: converted to UTC it would be the day before.
 */
export const dateSchema = valueSchema(orNull(readDate));
export const requiredDateSchema = valueSchema(readDate);

/** A moment with an offset, with or without a colon in it; becomes ISO 8601 in UTC. Where no offset is given, it is UTC. */
export const momentSchema = valueSchema(
  orNull((value) => {
    if (typeof value !== 'string') return UNREADABLE;
    const moment = new Date(value.replace(/([+-]\d{2})(\d{2})$/, '$1:$2').replace(/(T[\d:.]+)$/, '$1Z'));
    return Number.isNaN(moment.getTime()) ? UNREADABLE : moment.toISOString();
  }),
);

/** `09:00`, or with seconds, which are dropped. */
export const timeOfDaySchema = valueSchema(
  orNull((value) =>
    typeof value === 'string' && /^([01]\d|2[0-4]):[0-5]\d(:|$)/.test(value) ? value.slice(0, 5) : UNREADABLE,
  ),
);

/** A day has 1,440; what is far beyond is no break, and would not fit into the column. */
const MAX_MINUTES = 100_000;

export const minutesSchema = valueSchema(
  orNull((value) => {
    const minutes = typeof value === 'number' || typeof value === 'string' ? Number(value) : NaN;
    return minutes >= 0 && minutes <= MAX_MINUTES ? Math.round(minutes) : UNREADABLE;
  }),
);

/** Looked at before the schema: a branch of a union that does not match costs a report that nobody reads. */
const orNothing = <T>(schema: z.ZodType<T>): z.ZodType<T | null> =>
  z.preprocess((value) => (isNothing(value) ? null : value), schema.nullable());

/** `{ type, attributes: { id, name } }`, or one of the ways to say nothing. */
export const namedSchema = orNothing(
  z
    .object({ attributes: z.object({ id: optionalIdSchema, name: textSchema }) })
    .transform(({ attributes }) => attributes),
);

const count = z.union([z.int(), z.string().regex(/^\d+$/).transform(Number)]);

const envelopeSchema = z.looseObject({
  data: z.array(z.unknown()),
  metadata: z.looseObject({ total_elements: count.nullish() }).nullish(),
});

/** Reads a list: `{ success, data: […], metadata: { total_elements } }`. */
export function readList<T>(route: Route, answer: HttpAnswer, record: z.ZodType<T>): Page<T> {
  const envelope = envelopeSchema.safeParse(contentOf(route, answer));
  if (!envelope.success) throw malformed(route, placeOf(envelope.error, ''));
  const records = envelope.data.data.map((item, index) => readRecord(route, item, record, `data[${index}]`));
  return { records, total: envelope.data.metadata?.total_elements ?? null };
}

/** Reads `{ success, data: {…} }`. */
export function readOne<T>(route: Route, answer: HttpAnswer, record: z.ZodType<T>): T {
  const envelope = z.looseObject({ data: z.unknown() }).safeParse(contentOf(route, answer));
  if (!envelope.success) throw malformed(route, placeOf(envelope.error, ''));
  return readRecord(route, envelope.data.data, record, 'data');
}

/** @param place such as `data[3]`, which a message may name. */
export function readRecord<T>(route: Route, item: unknown, schema: z.ZodType<T>, place: string): T {
  const parsed = schema.safeParse(item);
  if (!parsed.success) throw malformed(route, placeOf(parsed.error, place));
  return parsed.data;
}

/** Where it is wrong and what kind of fault it is; never the value. */
export function placeOf(error: z.ZodError, prefix: string): string {
  const [issue] = error.issues;
  const path = (issue?.path ?? [])
    .map((part) => (typeof part === 'number' ? `[${part}]` : `.${String(part)}`))
    .join('');
  const place = `${prefix}${path}`.replace(/^\./, '');
  return `${place === '' ? 'the whole' : place} has an unexpected form (${issue?.code ?? 'unknown'})`;
}
