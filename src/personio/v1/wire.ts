import { z } from 'zod';
import type { HttpAnswer } from '../http.js';
import { contentOf } from '../json.js';
import { malformed } from '../errors.js';
import type { Route } from '../errors.js';
import type { Page } from '../paging.js';

/** An id: v1 sends numbers, large ones come out of the lossless parser as text. */
export const idSchema = z.union([z.int(), z.string().min(1)]).transform(String);

/**
 * Personio says "nothing" as null, `""`, `[]` and by leaving out. Looked at before the schema, and not as one more branch of a union: each
 * branch that does not match costs a report that nobody reads, and these are read by the million.
 */
const orNothing = <T>(schema: z.ZodType<T>): z.ZodType<T | null> =>
  z.preprocess((value) => (isNothing(value) ? null : value), schema.nullable());

const isNothing = (value: unknown): boolean => value === '' || (Array.isArray(value) && value.length === 0);

/** A text, a number or a boolean, as text; objects and lists are refused. */
export const textSchema = orNothing(z.union([z.string(), z.number().transform(String), z.boolean().transform(String)]));

/** `true`, `1`, `"1"`, `"true"`. */
export const booleanSchema = orNothing(
  z.union([
    z.boolean(),
    z.union([z.literal(1), z.literal('1'), z.literal('true')]).transform(() => true),
    z.union([z.literal(0), z.literal('0'), z.literal('false')]).transform(() => false),
  ]),
);

/**
 * A calendar date, which v1 wraps in the midnight of the company's zone, historic offsets included (`1835-02-01T00:00:00+00:53`).
 * The date is taken as written: converted to UTC it would be the day before.
 */
export const dateSchema = orNothing(
  z
    .string()
    .regex(/^\d{4}-\d{2}-\d{2}([T ].*)?$/)
    .transform((text) => text.slice(0, 10))
    .refine(
      (date) =>
        !Number.isNaN(Date.parse(`${date}T00:00:00Z`)) && new Date(`${date}T00:00:00Z`).toISOString().startsWith(date),
    ),
);

/** A moment with an offset, with or without a colon in it; becomes ISO 8601 in UTC. Where no offset is given, it is UTC. */
export const momentSchema = orNothing(
  z
    .string()
    .transform((text) => new Date(text.replace(/([+-]\d{2})(\d{2})$/, '$1:$2').replace(/(T[\d:.]+)$/, '$1Z')))
    .refine((date) => !Number.isNaN(date.getTime()))
    .transform((date) => date.toISOString()),
);

/** `{ type, attributes: { id, name } }`, or one of the ways to say nothing. */
export const namedSchema = orNothing(
  z
    .looseObject({ attributes: z.looseObject({ id: idSchema.nullish(), name: textSchema.nullish() }) })
    .transform(({ attributes }) => ({ id: attributes.id ?? null, name: attributes.name ?? null })),
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
