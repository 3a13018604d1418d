import type { ReadPosition } from '../contracts/internal/activities.js';
import type { HttpResponse } from './http.js';
import { PersonioError, toStatusError } from './errors.js';
import type { Route } from './errors.js';

/** One page as a server granted it. */
export interface Page<T> {
  readonly records: readonly T[];
  /** What the server says that there is in all; null where it does not say. */
  readonly total: number | null;
}

/** How one endpoint of one source is paged. */
export interface PagedSource<T> {
  readonly route: Route;
  readonly fetch: (offset: number, limit: number) => Promise<HttpResponse>;
  /** @throws PersonioError `PersonioMalformedAnswer`. */
  readonly parse: (response: HttpResponse) => Page<T>;
  readonly getId: (record: T) => string;
}

export interface PagesRequest<T> {
  readonly source: PagedSource<T>;
  readonly position: ReadPosition;
  /** How many pages at most. */
  readonly pages: number;
  /** Called for each page in order, when the one before is written. */
  readonly onPage: (records: readonly T[], after: ReadPosition) => Promise<void>;
}

export interface PagesOutcome {
  /** Where to go on; null at the end. */
  readonly next: ReadPosition | null;
  readonly restartReason: string | null;
}

/** Smaller sizes to try where the server refuses the one that was asked for. */
export const FALLBACK_SIZES = [100, 50, 20, 10] as const;
/** Pages that travel while an earlier one is being written. */
const MAX_IN_FLIGHT = 4;
/** A collection without a total that never stops growing is a loop. */
const MAX_PAGES_WITHOUT_TOTAL = 1_000;

/**
 * Reads pages from a position on. Advances by the records that came, never by the limit that was asked for, and ends by the server's
 * total. Each page begins with the last record of the one before: where somebody was deleted and somebody else was added meanwhile, the total is the
 * same and one person would be skipped, and this shows it. What does not add up on the way is reported as `moved`, and the caller begins again.
 */
export async function readPages<T>(request: PagesRequest<T>): Promise<PagesOutcome> {
  const first = await fetchFirst(request);
  if (first === null) return { next: null, restartReason: null };
  const { page, pageSize } = first;
  return page.total === null ? readWithoutTotal(request, page, pageSize) : readByTotal(request, page, pageSize);
}

/** The first page of the segment, with the largest size that the server takes. */
async function fetchFirst<T>({
  source,
  position,
}: PagesRequest<T>): Promise<{ page: Page<T>; pageSize: number } | null> {
  const sizes = [position.pageSize, ...FALLBACK_SIZES.filter((size) => size < position.pageSize)];
  for (const pageSize of sizes) {
    const response = await source.fetch(toStartOffset(position), pageSize);
    const isLast = pageSize === sizes.at(-1);
    if (isRefusedSize(response) && !isLast) continue;
    return { page: source.parse(response), pageSize };
  }
  return null;
}

/** 400 and 422 are how a server refuses a limit; which of them Personio would use is documented nowhere. */
export function isRefusedSize({ status }: HttpResponse): boolean {
  return status === 400 || status === 413 || status === 422;
}

async function readByTotal<T>(request: PagesRequest<T>, first: Page<T>, asked: number): Promise<PagesOutcome> {
  const { source, position, pages, onPage } = request;
  const total = position.total ?? first.total ?? 0;
  const pageSize = detectPageSize(first, toStartOffset(position), asked);
  const queue = new PrefetchQueue(source, pageSize);
  let at: ReadPosition = { ...position, total, pageSize };
  let page = first;
  for (let taken = 1; ; taken++) {
    const restartReason = findRestartReason(page, at, source.getId);
    if (restartReason !== null) {
      await queue.drain();
      return { next: null, restartReason };
    }
    const fresh = skipOverlap(page, at);
    at = advancePosition(at, fresh, source.getId);
    const isOver = at.offset >= total;
    if (!isOver) queue.prefetch(toStartOffset(at), total, pages - taken);
    const pendingWrite = onPage(fresh, at);
    if (isOver || taken >= pages) {
      await pendingWrite;
      return { next: isOver ? null : at, restartReason: null };
    }
    // A page is written while the next one is taken apart. The failure of the writing comes first, and that of the next page must not end the process.
    const pendingPage = queue.take(toStartOffset(at));
    pendingPage.catch(() => undefined);
    await pendingWrite;
    page = await pendingPage;
  }
}

/** A page begins one record early, with the last one that came. Where a page holds one record, there is no room for that. */
const getOverlap = ({ lastId }: ReadPosition): number => (lastId === undefined ? 0 : 1);
const toStartOffset = (at: ReadPosition): number => at.offset - getOverlap(at);
const skipOverlap = <T>({ records }: Page<T>, at: ReadPosition): readonly T[] => records.slice(getOverlap(at));

function advancePosition<T>(at: ReadPosition, fresh: readonly T[], getId: (record: T) => string): ReadPosition {
  const last = fresh.at(-1);
  const hasRoom = at.pageSize > 1 && last !== undefined;
  return { ...at, offset: at.offset + fresh.length, ...(hasRoom ? { lastId: getId(last) } : {}) };
}

/** A first page that is shorter than asked, with more to come, shows what the server grants. */
function detectPageSize<T>({ records, total }: Page<T>, offset: number, asked: number): number {
  const isClamped = records.length > 0 && records.length < asked && offset + records.length < (total ?? 0);
  return isClamped ? records.length : asked;
}

function findRestartReason<T>(page: Page<T>, at: ReadPosition, getId: (record: T) => string): string | null {
  const total = at.total ?? 0;
  if (page.total !== at.total)
    return `the server's total changed from ${at.total ?? 'none'} to ${page.total ?? 'none'} while it was read`;
  const [first] = page.records;
  if (at.lastId !== undefined && first !== undefined && getId(first) !== at.lastId)
    return `the records shifted after the first ${at.offset} while they were read`;
  const fresh = skipOverlap(page, at).length;
  if (fresh === 0 && at.offset < total) return `the server sent an empty page after ${at.offset} of ${total} records`;
  if (at.offset + fresh > total) return `the server sent ${at.offset + fresh} records and says that there are ${total}`;
  return null;
}

/** Pages under way, by their offset. A page that comes short makes the later ones worthless: they are asked for anew. */
class PrefetchQueue<T> {
  private readonly source: PagedSource<T>;
  private readonly pageSize: number;
  /** From one page's beginning to the next. */
  private readonly step: number;
  private readonly overlap: number;
  private readonly inFlight = new Map<number, Promise<HttpResponse>>();

  constructor(source: PagedSource<T>, pageSize: number) {
    this.source = source;
    this.pageSize = pageSize;
    this.overlap = pageSize > 1 ? 1 : 0;
    this.step = pageSize - this.overlap;
  }

  prefetch(from: number, total: number, pages: number): void {
    for (const offset of this.inFlight.keys()) if ((offset - from) % this.step !== 0) this.discard(offset);
    const count = Math.min(MAX_IN_FLIGHT, pages);
    for (let index = 0; index < count; index++) {
      const offset = from + index * this.step;
      if (offset + this.overlap < total && !this.inFlight.has(offset)) this.start(offset);
    }
  }

  async take(offset: number): Promise<Page<T>> {
    if (!this.inFlight.has(offset)) this.start(offset);
    const response = this.inFlight.get(offset);
    this.inFlight.delete(offset);
    if (response === undefined) throw new RangeError('A page that was asked for is not under way.');
    // Taken apart in its turn: as text, the pages that wait need a fifth of the memory.
    return this.source.parse(await response);
  }

  async drain(): Promise<void> {
    await Promise.allSettled(this.inFlight.values());
    this.inFlight.clear();
  }

  private start(offset: number): void {
    const response = this.source.fetch(offset, this.pageSize);
    // Awaited in its turn; without this, a failure of a later page would end the process.
    response.catch(() => undefined);
    this.inFlight.set(offset, response);
  }

  private discard(offset: number): void {
    this.inFlight.delete(offset);
  }
}

/** Until an answer adds no new id: some servers ignore the offset, others answer beyond the end with nothing. */
async function readWithoutTotal<T>(request: PagesRequest<T>, first: Page<T>, pageSize: number): Promise<PagesOutcome> {
  const { source, onPage } = request;
  const seen = new Set<string>();
  let at: ReadPosition = { ...request.position, pageSize };
  let { records } = first;
  for (let pages = 1; pages <= MAX_PAGES_WITHOUT_TOTAL; pages++) {
    const fresh = records.filter((record) => !seen.has(source.getId(record)));
    if (fresh.length === 0) return { next: null, restartReason: null };
    for (const record of fresh) seen.add(source.getId(record));
    at = { ...at, offset: at.offset + records.length };
    await onPage(fresh, at);
    const response = await source.fetch(at.offset, pageSize);
    // Past the end some servers refuse; what came before is whole.
    if (isRefusedSize(response) || response.status === 404) return { next: null, restartReason: null };
    records = source.parse(response).records;
  }
  return { next: null, restartReason: `the server gave ${MAX_PAGES_WITHOUT_TOTAL} pages and no end` };
}

/** @returns whether the answer says that the whole collection does not exist there. */
export function isSourceGone(error: unknown): boolean {
  return error instanceof PersonioError && error.type === 'PersonioEndpointRetired';
}

/** @throws PersonioError where one record is asked for and the answer is neither it nor 404. */
export function isNotFound(route: Route, response: HttpResponse): boolean {
  if (response.status === 404) return true;
  if (response.status >= 200 && response.status <= 299) return false;
  throw toStatusError(route, response.status, response.retryAfterMs);
}
