import { z } from 'zod';
import type { WithUnreadable } from '../../domain/records.js';
import { createMalformedError } from '../errors.js';
import type { Route } from '../errors.js';
import type { HttpResponse } from '../http.js';
import { parseContent } from '../json.js';
import { describeIssue, parseRecords } from '../wire.js';
import type { RecordSchemas } from '../wire.js';

/** Records of one page, and the server's link to the next. */
export interface CursorPage<T> {
  readonly records: readonly T[];
  /** Path and query of the next page, unchanged; null at the end. */
  readonly next: string | null;
  /** Place of a record without a readable id, which makes the read incomplete; null where there is none. */
  readonly flaw: string | null;
}

const envelopeSchema = z.looseObject({
  _data: z.array(z.unknown()),
  _meta: z
    .looseObject({
      links: z
        .looseObject({ next: z.union([z.looseObject({ href: z.string().min(1) }), z.null()]).optional() })
        .nullish(),
    })
    .nullish(),
});

/**
 * Parses a page: `{ _data: […], _meta: { links: { next: { href } } } }`.
 *
 * @throws PersonioError `PersonioMalformedAnswer` for any other shape, and for a link to another server or path.
 */
export function parseCursorPage<T extends WithUnreadable>(
  { route, origin, ...schemas }: RecordSchemas<T> & { readonly route: Route; readonly origin: string },
  response: HttpResponse,
): CursorPage<T> {
  const envelope = envelopeSchema.safeParse(parseContent(route, response));
  if (!envelope.success) throw createMalformedError(route, describeIssue(envelope.error, ''));
  const { _data: data, _meta: meta } = envelope.data;
  const href = meta?.links?.next?.href;
  return {
    ...parseRecords(data, schemas, route.page ?? null),
    next: href === undefined ? null : parseLinkPath(route, origin, href),
  };
}

/**
 * Returns path and query of a link. Links are absolute since September 2025 and were relative before. The token goes to
 * the configured origin and the same collection only. The query is unchanged, since a cursor may contain a `+`.
 */
function parseLinkPath(route: Route, origin: string, href: string): string {
  const base = new URL(`${origin.replace(/\/$/, '')}${route.template}`);
  const link = URL.canParse(href, base.href) ? new URL(href, base) : null;
  if (link === null) throw createMalformedError(route, '_meta.links.next is not a link');
  if (link.origin !== base.origin)
    throw createMalformedError(route, '_meta.links.next leads to another server, which is not followed');
  if (link.pathname !== base.pathname) throw createMalformedError(route, '_meta.links.next leads to another path');
  return `${link.pathname}${link.search}`;
}
