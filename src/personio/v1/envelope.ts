import { z } from 'zod';
import { createMalformedError } from '../errors.js';
import type { Route } from '../errors.js';
import type { HttpResponse } from '../http.js';
import { parseContent } from '../json.js';
import { describeIssue, parseRecord } from '../wire.js';

/** Records of one page, and the size of the whole collection. */
export interface ListPage<T> {
  readonly records: readonly T[];
  /** Total that the server reports; null when it reports none. */
  readonly total: number | null;
}

const countSchema = z.union([z.int(), z.string().regex(/^\d+$/).transform(Number)]);

const envelopeSchema = z.looseObject({
  data: z.array(z.unknown()),
  metadata: z.looseObject({ total_elements: countSchema.nullish() }).nullish(),
});

/**
 * Parses a list: `{ success, data: […], metadata: { total_elements } }`.
 *
 * @throws PersonioError `PersonioMalformedAnswer` for any other shape.
 */
export function parseList<T>(route: Route, response: HttpResponse, schema: z.ZodType<T>): ListPage<T> {
  const envelope = envelopeSchema.safeParse(parseContent(route, response));
  if (!envelope.success) throw createMalformedError(route, describeIssue(envelope.error, ''));
  const records = envelope.data.data.map((item, index) => parseRecord(route, item, schema, `data[${index}]`));
  return { records, total: envelope.data.metadata?.total_elements ?? null };
}

/**
 * Parses a single record: `{ success, data: {…} }`.
 *
 * @throws PersonioError `PersonioMalformedAnswer` for any other shape.
 */
export function parseOne<T>(route: Route, response: HttpResponse, schema: z.ZodType<T>): T {
  const envelope = z.looseObject({ data: z.unknown() }).safeParse(parseContent(route, response));
  if (!envelope.success) throw createMalformedError(route, describeIssue(envelope.error, ''));
  return parseRecord(route, envelope.data.data, schema, 'data');
}
