import type { ReadPosition } from '../../contracts/internal/activities.js';
import type { WithUnreadable } from '../../domain/records.js';
import type { PersonioApi } from '../api.js';
import type { Route } from '../errors.js';
import type { HttpResponse } from '../http.js';
import { fetchLargestPage } from '../pages.js';
import type { Collection, CollectionReader, PageGenerator, ReadRequest } from '../pages.js';
import { parseCursorPage } from './envelope.js';
import type { CursorPage } from './envelope.js';

/** Collection of v2, paged by the server's own links. */
export interface CursorCollection<T extends WithUnreadable> extends Collection<T> {
  /** True for an endpoint that Personio calls beta. Default: false. */
  readonly isBeta?: boolean;
}

/** An open collection: its requests and their parser. */
interface CursorSource<T extends WithUnreadable> extends Pick<CursorCollection<T>, 'getId'> {
  readonly fetchFirst: (limit: number) => Promise<HttpResponse>;
  /** Follows a link from a response, with its query unchanged. */
  readonly follow: (path: string) => Promise<HttpResponse>;
  /** @throws PersonioError */
  readonly parse: (response: HttpResponse, page: number) => CursorPage<T>;
}

/** Largest page that both collections document; larger ones were answered with 400. */
const MAX_PAGE_SIZE = 100;
/** More than any company has in a week: a chain of links that is longer leads in a circle. */
const MAX_RECORDS = 5_000_000;

/**
 * Creates a reader of a v2 collection. v2 reports no total, so the chain of links itself proves that nothing is
 * missing: it begins without a cursor, each page names the next, and it ends with a page that names none, or with an
 * empty page that leads back to an earlier one. Anything else ends the read with a `restartReason`: an id that comes
 * twice, a link that leads back behind records, two empty pages in a row.
 */
export const createCursorReader =
  <T extends WithUnreadable>(collection: CursorCollection<T>): CollectionReader<T> =>
  (api, request) =>
    readPages(openSource(api, collection, request), request);

function openSource<T extends WithUnreadable>(
  api: PersonioApi,
  { path, bucket, query, schema, lenientSchema, getId, isBeta: beta = false }: CursorCollection<T>,
  { attributesToStore, ...request }: ReadRequest,
): CursorSource<T> {
  const route: Route = { method: 'GET', template: path };
  const lenient = lenientSchema === undefined ? {} : { lenientSchema };
  const options = { origin: api.origin, schema: schema(attributesToStore), ...lenient };
  const filters = query?.(request);
  return {
    getId,
    fetchFirst: async (limit) => api.get({ route, bucket, beta, path, query: { ...filters, limit } }),
    follow: async (link) => api.get({ route, bucket, beta, path: link }),
    parse: (response, page) => parseCursorPage({ ...options, route: { ...route, page } }, response),
  };
}

async function* readPages<T extends WithUnreadable>(
  source: CursorSource<T>,
  { position: begin, pages }: ReadRequest,
): PageGenerator<T> {
  const { response, pageSize } = await fetchFirstPage(source, begin);
  const before = Math.ceil(begin.offset / pageSize);
  let page = source.parse(response, before + 1);
  const followed = new Set(begin.cursor === null ? [] : [begin.cursor]);
  const seen = new Set<string>();
  let position: ReadPosition = { ...begin, pageSize };
  for (let taken = 1; ; taken++) {
    const { records, next } = page;
    const end = position.offset + records.length;
    const restartReason = findRestartReason(page, { seen, followed, end, getId: source.getId });
    if (restartReason !== null) return { next: null, restartReason };
    for (const record of records) seen.add(source.getId(record));
    position = { ...position, offset: end, cursor: next };
    yield { records, position };
    if (next === null || followed.has(next)) return { next: null, restartReason: null };
    if (taken >= pages) return { next: position, restartReason: null };
    followed.add(next);
    page = source.parse(await source.follow(next), before + taken + 1);
    const isEmptyAgain = records.length === 0 && page.records.length === 0;
    if (isEmptyAgain && page.next !== null && !followed.has(page.next))
      return { next: null, restartReason: `the server sent two empty pages in a row after ${end} records` };
  }
}

async function fetchFirstPage<T extends WithUnreadable>(
  source: CursorSource<T>,
  { cursor, pageSize }: ReadPosition,
): ReturnType<typeof fetchLargestPage> {
  if (cursor !== null) return { response: await source.follow(cursor), pageSize };
  return fetchLargestPage(Math.min(pageSize, MAX_PAGE_SIZE), source.fetchFirst);
}

interface Chain<T extends WithUnreadable> extends Pick<CursorSource<T>, 'getId'> {
  readonly seen: ReadonlySet<string>;
  readonly followed: ReadonlySet<string>;
  /** Number of records up to the end of the page. */
  readonly end: number;
}

function findRestartReason<T extends WithUnreadable>(
  { records, next, flaw }: CursorPage<T>,
  { seen, followed, end, getId }: Chain<T>,
): string | null {
  if (flaw !== null) return flaw;
  const ids = new Set(records.map(getId));
  if (ids.size < records.length || [...ids].some((id) => seen.has(id)))
    return `a record came twice among the first ${end}`;
  if (next !== null && records.length > 0 && followed.has(next))
    return `the server's next link leads back after ${end} records`;
  return end > MAX_RECORDS ? `the server sent ${MAX_RECORDS} records without an end` : null;
}
