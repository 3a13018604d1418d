import type { ReadPosition } from '../../contracts/internal/activities.js';
import type { WithUnreadable } from '../../domain/records.js';
import type { PersonioApi } from '../api.js';
import { createMalformedError } from '../errors.js';
import type { Route } from '../errors.js';
import type { HttpResponse } from '../http.js';
import { fetchLargestPage } from '../pages.js';
import type { Collection, CollectionReader, PageGenerator, ReadRequest } from '../pages.js';
import { parseList } from './envelope.js';
import type { ListPage } from './envelope.js';

/** Collection of v1, paged by `limit` and `offset`. */
export interface OffsetCollection<T extends WithUnreadable> extends Collection<T> {
  /** Throws when the new records of a page must not be used. */
  readonly check?: (records: readonly T[]) => void;
  /** True where Personio documents no total. Default: a list without a total is malformed. */
  readonly isTotalOptional?: boolean;
}

/** An open collection: its requests and their parser. */
interface OffsetSource<T extends WithUnreadable> extends Pick<
  OffsetCollection<T>,
  'getId' | 'check' | 'isTotalOptional'
> {
  readonly route: Route;
  readonly fetch: (offset: number, limit: number) => Promise<HttpResponse>;
  /** @throws PersonioError */
  readonly parse: (response: HttpResponse, page: number) => ListPage<T>;
}

/** Pages in flight while an earlier one is written. */
const MAX_IN_FLIGHT = 4;
/** Smallest page that is taken for the server's limit, unless the server names a smaller one. */
const MIN_GRANTED_SIZE = 10;
/** Guards against a collection without a total that never ends. */
const MAX_PAGES_WITHOUT_TOTAL = 1_000;

/**
 * Creates a reader of a v1 collection. It advances by the records that came, never by the limit asked for, and ends at
 * the server's total, which may grow meanwhile. Each page begins with the last record of the page before: when one
 * record is deleted and another added meanwhile, the total is unchanged and one record would be skipped, and this
 * overlap reveals it. Whatever does not add up ends the read with a `restartReason`.
 */
export const createOffsetReader =
  <T extends WithUnreadable>(collection: OffsetCollection<T>): CollectionReader<T> =>
  (api, request) =>
    readPages(openSource(api, collection, request), request);

function openSource<T extends WithUnreadable>(
  api: PersonioApi,
  { path, bucket, query, schema, lenientSchema, ...rest }: OffsetCollection<T>,
  { attributesToStore, ...request }: ReadRequest,
): OffsetSource<T> {
  const route: Route = { method: 'GET', template: path };
  const lenient = lenientSchema === undefined ? {} : { lenientSchema };
  const schemas = { schema: schema(attributesToStore), ...lenient };
  const filters = query?.(request);
  return {
    ...rest,
    route,
    fetch: async (offset, limit) => api.get({ route, path, bucket, query: { ...filters, limit, offset } }),
    parse: (response, page) => parseList({ ...route, page }, response, schemas),
  };
}

async function* readPages<T extends WithUnreadable>(source: OffsetSource<T>, request: ReadRequest): PageGenerator<T> {
  const { position } = request;
  const start = toStartOffset(position);
  const { response, pageSize: asked } = await fetchLargestPage(position.pageSize, async (size) =>
    source.fetch(start, size),
  );
  const first = source.parse(response, countPage(start, asked));
  if (first.total === null) {
    if (source.isTotalOptional !== true)
      throw createMalformedError({ ...source.route, page: 1 }, 'metadata.total_elements is missing');
    return yield* readWithoutTotal(source, first, { ...position, pageSize: asked });
  }
  const pageSize = detectPageSize(first, start, asked);
  const total = position.total ?? first.total;
  return yield* readByTotal(source, first, { ...position, total, pageSize }, request.pages);
}

async function* readByTotal<T extends WithUnreadable>(
  source: OffsetSource<T>,
  first: ListPage<T>,
  begin: ReadPosition,
  maxPages: number,
): PageGenerator<T> {
  const queue = new PrefetchQueue(source, begin.pageSize);
  let position = begin;
  let page = first;
  for (let taken = 1; ; taken++) {
    const restartReason = findRestartReason(page, position, source.getId);
    if (restartReason !== null) {
      await queue.drain();
      return { next: null, restartReason };
    }
    const records = skipOverlap(page, position);
    position = advancePosition(noteGrowth(position, page), records, source.getId);
    const total = position.total ?? 0;
    const isOver = position.offset >= total;
    if (!isOver) queue.prefetch(toStartOffset(position), total, maxPages - taken);
    source.check?.(records);
    // The next page is received and parsed while the caller writes this one.
    const pending = isOver || taken >= maxPages ? null : queue.take(toStartOffset(position));
    // When the caller fails first, nobody awaits the next page, and its failure must not end the process.
    pending?.catch(() => undefined);
    yield { records, position };
    if (pending === null) return { next: isOver ? null : position, restartReason: null };
    page = await pending;
  }
}

/** Number of records by which a page overlaps the one before. A page of one record has no room for an overlap. */
const getOverlap = ({ lastId }: ReadPosition): number => (lastId === undefined ? 0 : 1);
/** Returns the number of the page that begins at an offset, from 1, as if all pages before it were full. */
const countPage = (start: number, pageSize: number): number => Math.ceil(start / Math.max(pageSize - 1, 1)) + 1;
const toStartOffset = (position: ReadPosition): number => position.offset - getOverlap(position);
const skipOverlap = <T extends WithUnreadable>({ records }: ListPage<T>, position: ReadPosition): readonly T[] =>
  records.slice(getOverlap(position));

function advancePosition<T extends WithUnreadable>(
  position: ReadPosition,
  records: readonly T[],
  getId: (record: T) => string,
): ReadPosition {
  const last = records.at(-1);
  const offset = position.offset + records.length;
  return position.pageSize > 1 && last !== undefined
    ? { ...position, offset, lastId: getId(last) }
    : { ...position, offset };
}

/**
 * Returns the position with the largest total so far. A list that grows at its end is read on to its new end. Pages in
 * flight overtake each other, so that a total may be smaller than the one before, but never than the first.
 */
function noteGrowth<T extends WithUnreadable>(position: ReadPosition, { total }: ListPage<T>): ReadPosition {
  if (position.total === null || total === null || total <= position.total) return position;
  return { ...position, total, firstTotal: position.firstTotal ?? position.total };
}

/**
 * Returns the page size that the server grants. A first page shorter than asked, with more to come, reveals it. A very
 * short one may be a hiccup: then the next pages are asked for in full.
 */
function detectPageSize<T extends WithUnreadable>(
  { records, total, limit }: ListPage<T>,
  offset: number,
  asked: number,
): number {
  const isClamped = records.length > 0 && records.length < asked && offset + records.length < (total ?? 0);
  const isGranted = records.length >= MIN_GRANTED_SIZE || records.length === limit;
  return isClamped && isGranted ? records.length : asked;
}

function findRestartReason<T extends WithUnreadable>(
  page: ListPage<T>,
  position: ReadPosition,
  getId: (record: T) => string,
): string | null {
  const { offset, lastId } = position;
  if (page.flaw !== null) return page.flaw;
  const [first] = page.records;
  const isShifted = lastId !== undefined && first !== undefined && getId(first) !== lastId;
  const shift = isShifted ? `the records shifted after the first ${offset} during the read` : null;
  return findTotalReason(page, position) ?? shift ?? findEndReason(page, position);
}

function findTotalReason<T extends WithUnreadable>({ total }: ListPage<T>, position: ReadPosition): string | null {
  const firstTotal = position.firstTotal ?? position.total ?? 0;
  if (total !== null && total >= firstTotal) return null;
  return `the server's total changed from ${firstTotal} to ${total ?? 'none'} during the read`;
}

function findEndReason<T extends WithUnreadable>(page: ListPage<T>, position: ReadPosition): string | null {
  const { offset } = position;
  const total = noteGrowth(position, page).total ?? 0;
  const end = offset + skipOverlap(page, position).length;
  if (end === offset && offset < total) return `the server sent an empty page after ${offset} of ${total} records`;
  if (end > total) return `the server sent ${end} records but reports a total of ${total}`;
  return null;
}

/** Pages in flight, by offset. A short page makes the later ones useless; they are requested again. */
class PrefetchQueue<T extends WithUnreadable> {
  private readonly source: OffsetSource<T>;
  private readonly pageSize: number;
  /** Distance between the beginnings of two pages. */
  private readonly step: number;
  private readonly overlap: number;
  private readonly inFlight = new Map<number, Promise<HttpResponse>>();

  constructor(source: OffsetSource<T>, pageSize: number) {
    this.source = source;
    this.pageSize = pageSize;
    this.overlap = pageSize > 1 ? 1 : 0;
    this.step = pageSize - this.overlap;
  }

  prefetch(from: number, total: number, pages: number): void {
    for (const offset of this.inFlight.keys()) if ((offset - from) % this.step !== 0) this.inFlight.delete(offset);
    const count = Math.min(MAX_IN_FLIGHT, pages);
    for (let index = 0; index < count; index++) {
      const offset = from + index * this.step;
      if (offset + this.overlap < total && !this.inFlight.has(offset)) this.start(offset);
    }
  }

  async take(offset: number): Promise<ListPage<T>> {
    if (!this.inFlight.has(offset)) this.start(offset);
    const response = this.inFlight.get(offset);
    this.inFlight.delete(offset);
    if (response === undefined) throw new RangeError('No page was requested at this offset.');
    // Parsed only now: waiting pages need a fifth of the memory as text.
    return this.source.parse(await response, countPage(offset, this.pageSize));
  }

  async drain(): Promise<void> {
    await Promise.allSettled(this.inFlight.values());
    this.inFlight.clear();
  }

  private start(offset: number): void {
    const response = this.source.fetch(offset, this.pageSize);
    // Awaited later, in order; until then a failure must not end the process.
    response.catch(() => undefined);
    this.inFlight.set(offset, response);
  }
}

/**
 * Reads until an answer repeats what came before. Each request begins with the last record that came, so that an honest
 * server repeats it at the end, and one that ignores the offset repeats everything. A refusal or an empty answer in
 * place of that record is no end.
 */
async function* readWithoutTotal<T extends WithUnreadable>(
  source: OffsetSource<T>,
  first: ListPage<T>,
  begin: ReadPosition,
): PageGenerator<T> {
  const seen = new Set(begin.lastId === undefined ? [] : [begin.lastId]);
  let position = begin;
  let page = first.records.length > 0 ? first : await fetchUnlessEmpty(source, position);
  for (let pages = 1; pages <= MAX_PAGES_WITHOUT_TOTAL; pages++) {
    const records = page.records.filter((record) => !seen.has(source.getId(record)));
    const restartReason = page.flaw ?? (await findGap(source, first, page, position));
    if (restartReason !== null || records.length === 0) return { next: null, restartReason };
    for (const record of records) seen.add(source.getId(record));
    position = { ...position, offset: position.offset + records.length };
    const last = records.at(-1);
    // A page of one record has no room for an overlap.
    if (page.records.length > 1 && last !== undefined) position = { ...position, lastId: source.getId(last) };
    source.check?.(records);
    yield { records, position };
    page = await fetchUnlessEmpty(source, position);
  }
  return { next: null, restartReason: `the server sent ${MAX_PAGES_WITHOUT_TOTAL} pages without an end` };
}

/** Returns the restart reason of an empty page where the last record of the page before must come again. */
async function findGap<T extends WithUnreadable>(
  source: OffsetSource<T>,
  first: ListPage<T>,
  page: ListPage<T>,
  position: ReadPosition,
): Promise<string | null> {
  if (page.records.length > 0 || position.lastId === undefined) return null;
  if (await isOnlyPage(source, first, position)) return null;
  return `the server sent an empty page after ${position.offset} records`;
}

/** Fetches the next page. Asks again for an empty one, which may be a hiccup. */
async function fetchUnlessEmpty<T extends WithUnreadable>(
  source: OffsetSource<T>,
  position: ReadPosition,
): Promise<ListPage<T>> {
  const fetchPage = async (): Promise<ListPage<T>> =>
    source.parse(
      await source.fetch(toStartOffset(position), position.pageSize),
      countPage(toStartOffset(position), position.pageSize),
    );
  const page = await fetchPage();
  return page.records.length > 0 ? page : fetchPage();
}

/**
 * Tells whether a server counts pages instead of records, as Personio does elsewhere, and has only one: its page 1 is
 * the first page again, and its page 2 is empty.
 */
async function isOnlyPage<T extends WithUnreadable>(
  source: OffsetSource<T>,
  first: ListPage<T>,
  { pageSize }: ReadPosition,
): Promise<boolean> {
  const listIds = ({ records }: ListPage<T>): string => JSON.stringify(records.map(source.getId));
  const one = source.parse(await source.fetch(1, pageSize), 1);
  if (listIds(one) !== listIds(first)) return false;
  return source.parse(await source.fetch(2, pageSize), 2).records.length === 0;
}
