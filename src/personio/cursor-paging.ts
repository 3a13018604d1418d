import type { ReadPosition } from '../contracts/internal/activities.js';
import type { HttpResponse } from './http.js';
import { FALLBACK_SIZES, isRefusedSize } from './paging.js';
import type { PagesOutcome } from './paging.js';
import type { CursorPage } from './v2/wire.js';

/** How one collection of v2 is paged. */
export interface CursorSource<T> {
  /** The largest page that the server documents. */
  readonly maxPageSize: number;
  readonly first: (limit: number) => Promise<HttpResponse>;
  /** Follows a link that the server gave, with its query as it is. */
  readonly follow: (path: string) => Promise<HttpResponse>;
  /** @throws PersonioError `PersonioMalformedAnswer`. */
  readonly parse: (response: HttpResponse) => CursorPage<T>;
  readonly getId: (record: T) => string;
}

export interface CursorPagesRequest<T> {
  readonly source: CursorSource<T>;
  readonly position: ReadPosition;
  readonly pages: number;
  readonly onPage: (records: readonly T[], after: ReadPosition) => Promise<void>;
}

/** Far beyond any company's week; a chain of links that goes on from there leads in a circle. */
const MAX_RECORDS = 5_000_000;

/**
 * Reads pages along the server's own links. v2 names no total, so what proves that nothing is missing is the chain itself: it begins
 * without a cursor, each page names the next, and it ends with a page that names none, or with an empty one that leads back to where we were.
 * Whatever breaks this proof is reported as `moved`, and the caller begins again: an id that comes twice, records behind which a link leads back,
 * two empty pages in a row.
 */
export async function readCursorPages<T>(request: CursorPagesRequest<T>): Promise<PagesOutcome> {
  const { source, position, pages, onPage } = request;
  const begin = await fetchFirst(request);
  let { page } = begin;
  const followed = new Set(position.cursor === null ? [] : [position.cursor]);
  const seen = new Set<string>();
  let at: ReadPosition = { ...position, pageSize: begin.pageSize };
  for (let taken = 1; ; taken++) {
    const restartReason = findRestartReason(page, { seen, followed, offset: at.offset, getId: source.getId });
    if (restartReason !== null) return { next: null, restartReason };
    for (const record of page.records) seen.add(source.getId(record));
    at = { ...at, offset: at.offset + page.records.length, cursor: page.next };
    await onPage(page.records, at);
    if (page.next === null || followed.has(page.next)) return { next: null, restartReason: null };
    if (taken >= pages) return { next: at, restartReason: null };
    followed.add(page.next);
    const wasEmpty = page.records.length === 0;
    page = source.parse(await source.follow(page.next));
    if (wasEmpty && page.records.length === 0 && page.next !== null && !followed.has(page.next))
      return { next: null, restartReason: `after ${at.offset} records empty pages follow each other` };
  }
}

/** The first page of the segment: behind a cursor, or of the whole with the largest size that the server takes. */
async function fetchFirst<T>({
  source,
  position,
}: CursorPagesRequest<T>): Promise<{ page: CursorPage<T>; pageSize: number }> {
  if (position.cursor !== null)
    return { page: source.parse(await source.follow(position.cursor)), pageSize: position.pageSize };
  const asked = Math.min(position.pageSize, source.maxPageSize);
  for (const pageSize of [asked, ...FALLBACK_SIZES.filter((size) => size < asked)]) {
    const response = await source.first(pageSize);
    if (!isRefusedSize(response)) return { page: source.parse(response), pageSize };
  }
  return { page: source.parse(await source.first(asked)), pageSize: asked };
}

interface Chain<T> {
  readonly seen: ReadonlySet<string>;
  readonly followed: ReadonlySet<string>;
  readonly offset: number;
  readonly getId: (record: T) => string;
}

function findRestartReason<T>(page: CursorPage<T>, { seen, followed, offset, getId: idOf }: Chain<T>): string | null {
  const ids = new Set(page.records.map(idOf));
  if (ids.size < page.records.length || [...ids].some((id) => seen.has(id)))
    return `a record came twice among the first ${offset + page.records.length}`;
  if (page.next !== null && page.records.length > 0 && followed.has(page.next))
    return `after ${offset + page.records.length} records the server's next link leads back`;
  return offset + page.records.length > MAX_RECORDS ? `${MAX_RECORDS} records came and no end` : null;
}
