import { z } from 'zod';
import type { WithUnreadable } from '../../domain/records.js';
import { createMalformedError } from '../errors.js';
import type { Route } from '../errors.js';
import type { HttpResponse } from '../http.js';
import { parseContent } from '../json.js';
import { describeIssue, parseRecord, parseRecords } from '../wire.js';
import type { RecordSchemas } from '../wire.js';

/** Records of one page, and the size of the whole collection. */
export interface ListPage<T> {
  readonly records: readonly T[];
  /** Total that the server reports; null when it reports none. */
  readonly total: number | null;
  /** Page size that the server names; null when it names none. */
  readonly limit: number | null;
  /** Place of a record without a readable id, which makes the read incomplete; null where there is none. */
  readonly flaw: string | null;
}

const countSchema = z.union([z.int(), z.string().regex(/^\d+$/).transform(Number)]);

const envelopeSchema = z.looseObject({
  data: z.array(z.unknown()),
  limit: countSchema.nullish().catch(null),
  metadata: z.looseObject({ total_elements: countSchema.nullish() }).nullish(),
});

/**
 * Parses a list: `{ success, data: […], metadata: { total_elements } }`.
 *
 * @throws PersonioError `PersonioMalformedAnswer` for any other shape.
 */
export function parseList<T extends WithUnreadable>(
  route: Route,
  response: HttpResponse,
  schemas: RecordSchemas<T>,
): ListPage<T> {
  const envelope = envelopeSchema.safeParse(parseContent(route, response));
  if (!envelope.success) throw createMalformedError(route, describeIssue(envelope.error, ''));
  const { records, flaw } = parseRecords(envelope.data.data, schemas, route.page ?? null);
  const { metadata, limit } = envelope.data;
  return { records, flaw, total: metadata?.total_elements ?? null, limit: limit ?? null };
}

/**
 * Parses a single record: `{ success, data: {…} }`.
 *
 * @throws PersonioError `PersonioMalformedAnswer` for any other shape.
 */
export function parseOne<T extends WithUnreadable>(route: Route, response: HttpResponse, schemas: RecordSchemas<T>): T {
  const envelope = z.looseObject({ data: z.unknown() }).safeParse(parseContent(route, response));
  if (!envelope.success) throw createMalformedError(route, describeIssue(envelope.error, ''));
  const record = parseRecord(envelope.data.data, schemas, null);
  if (record === null) throw createMalformedError(route, 'data.attributes.id has an unexpected form');
  return record;
}
