import { z } from 'zod';
import { malformed } from '../errors.js';
import type { Route } from '../errors.js';
import type { HttpAnswer } from '../http.js';
import { contentOf } from '../json.js';
import { placeOf, readRecord } from '../v1/wire.js';

/** One page of v2: what it holds, and where the server says that the next one is. */
export interface CursorPage<T> {
  readonly records: readonly T[];
  /** Path and query of the next page, as the server gave them; null at the end. */
  readonly next: string | null;
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

/** Reads `{ _data: […], _meta: { links: { next: { href } } } }`. */
export function readCursorPage<T>(
  { route, origin, record }: { readonly route: Route; readonly origin: string; readonly record: z.ZodType<T> },
  answer: HttpAnswer,
): CursorPage<T> {
  const envelope = envelopeSchema.safeParse(contentOf(route, answer));
  if (!envelope.success) throw malformed(route, placeOf(envelope.error, ''));
  const { _data: data, _meta: meta } = envelope.data;
  const href = meta?.links?.next?.href;
  return {
    records: data.map((item, index) => readRecord(route, item, record, `_data[${index}]`)),
    next: href === undefined ? null : pathOfLink(route, origin, href),
  };
}

/**
 * Links are absolute since September 2025 and were relative before. The token goes to the configured origin and to the same collection only;
 * the query is kept as it is, since a cursor may hold a `+`.
 */
function pathOfLink(route: Route, origin: string, href: string): string {
  const base = new URL(`${origin.replace(/\/$/, '')}${route.template}`);
  const link = URL.canParse(href, base.href) ? new URL(href, base) : null;
  if (link === null) throw malformed(route, '_meta.links.next is no link');
  if (link.origin !== base.origin)
    throw malformed(route, '_meta.links.next leads to another server, and that is not followed');
  if (link.pathname !== base.pathname) throw malformed(route, '_meta.links.next leads to another path');
  return `${link.pathname}${link.search}`;
}
