import type { ReadPosition } from '../contracts/activities.js';
import type { HttpAnswer } from './http.js';
import { PersonioError, errorOfStatus } from './errors.js';
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
  readonly fetch: (offset: number, limit: number) => Promise<HttpAnswer>;
  /** @throws PersonioError `PersonioMalformedAnswer`. */
  readonly read: (answer: HttpAnswer) => Page<T>;
  readonly idOf: (record: T) => string;
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
  readonly moved: string | null;
}

/** Smaller sizes to try where the server refuses the one that was asked for. */
export const FALLBACK_SIZES = [100, 50, 20, 10] as const;
/** Pages that travel while an earlier one is being written. */
const IN_FLIGHT = 4;
/** A collection without a total that never stops growing is a loop. */
const MAX_PAGES_WITHOUT_TOTAL = 1_000;

/**
 * Reads pages from a position on. Advances by the records that came, never by the limit that was asked for, and ends by the server's
 * total. Each page begins with the last record of the one before: where somebody was deleted and somebody else was added meanwhile, the total is the
 * same and one person would be skipped, and this shows it. What does not add up on the way is reported as `moved`, and the caller begins again.
 */
export async function readPages<T>(request: PagesRequest<T>): Promise<PagesOutcome> {
  const first = await fetchFirst(request);
  if (first === null) return { next: null, moved: null };
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
    const answer = await source.fetch(beginOf(position), pageSize);
    const isLast = pageSize === sizes.at(-1);
    if (isRefusedSize(answer) && !isLast) continue;
    return { page: source.read(answer), pageSize };
  }
  return null;
}

/** 400 and 422 are how a server refuses a limit; which of them Personio would use is documented nowhere. */
export function isRefusedSize({ status }: HttpAnswer): boolean {
  return status === 400 || status === 413 || status === 422;
}

async function readByTotal<T>(request: PagesRequest<T>, first: Page<T>, asked: number): Promise<PagesOutcome> {
  const { source, position, pages, onPage } = request;
  const total = position.total ?? first.total ?? 0;
  const pageSize = grantedSize(first, beginOf(position), asked);
  const ahead = new Ahead(source, pageSize);
  let at: ReadPosition = { ...position, total, pageSize };
  let page = first;
  for (let taken = 1; ; taken++) {
    const moved = movedReason(page, at, source.idOf);
    if (moved !== null) {
      await ahead.drop();
      return { next: null, moved };
    }
    const fresh = freshOf(page, at);
    at = advanced(at, fresh, source.idOf);
    const isOver = at.offset >= total;
    if (!isOver) ahead.request(beginOf(at), total, pages - taken);
    const writing = onPage(fresh, at);
    if (isOver || taken >= pages) {
      await writing;
      return { next: isOver ? null : at, moved: null };
    }
    // A page is written while the next one is taken apart. The failure of the writing comes first, and that of the next page must not end the process.
    const taking = ahead.take(beginOf(at));
    taking.catch(() => undefined);
    await writing;
    page = await taking;
  }
}

/** A page begins one record early, with the last one that came. Where a page holds one record, there is no room for that. */
const overlapOf = ({ lastId }: ReadPosition): number => (lastId === undefined ? 0 : 1);
const beginOf = (at: ReadPosition): number => at.offset - overlapOf(at);
const freshOf = <T>({ records }: Page<T>, at: ReadPosition): readonly T[] => records.slice(overlapOf(at));

function advanced<T>(at: ReadPosition, fresh: readonly T[], idOf: (record: T) => string): ReadPosition {
  const last = fresh.at(-1);
  const hasRoom = at.pageSize > 1 && last !== undefined;
  return { ...at, offset: at.offset + fresh.length, ...(hasRoom ? { lastId: idOf(last) } : {}) };
}

/** A first page that is shorter than asked, with more to come, shows what the server grants. */
function grantedSize<T>({ records, total }: Page<T>, offset: number, asked: number): number {
  const isClamped = records.length > 0 && records.length < asked && offset + records.length < (total ?? 0);
  return isClamped ? records.length : asked;
}

function movedReason<T>(page: Page<T>, at: ReadPosition, idOf: (record: T) => string): string | null {
  const total = at.total ?? 0;
  if (page.total !== at.total)
    return `the server's total changed from ${at.total ?? 'none'} to ${page.total ?? 'none'} while it was read`;
  const [first] = page.records;
  if (at.lastId !== undefined && first !== undefined && idOf(first) !== at.lastId)
    return `the records shifted after the first ${at.offset} while they were read`;
  const fresh = freshOf(page, at).length;
  if (fresh === 0 && at.offset < total) return `the server sent an empty page after ${at.offset} of ${total} records`;
  if (at.offset + fresh > total) return `the server sent ${at.offset + fresh} records and says that there are ${total}`;
  return null;
}

/** Pages under way, by their offset. A page that comes short makes the later ones worthless: they are asked for anew. */
class Ahead<T> {
  private readonly source: PagedSource<T>;
  private readonly pageSize: number;
  /** From one page's beginning to the next. */
  private readonly step: number;
  private readonly overlap: number;
  private readonly underWay = new Map<number, Promise<HttpAnswer>>();

  constructor(source: PagedSource<T>, pageSize: number) {
    this.source = source;
    this.pageSize = pageSize;
    this.overlap = pageSize > 1 ? 1 : 0;
    this.step = pageSize - this.overlap;
  }

  request(from: number, total: number, pages: number): void {
    for (const offset of this.underWay.keys()) if ((offset - from) % this.step !== 0) this.forget(offset);
    const count = Math.min(IN_FLIGHT, pages);
    for (let index = 0; index < count; index++) {
      const offset = from + index * this.step;
      if (offset + this.overlap < total && !this.underWay.has(offset)) this.start(offset);
    }
  }

  async take(offset: number): Promise<Page<T>> {
    if (!this.underWay.has(offset)) this.start(offset);
    const answer = this.underWay.get(offset);
    this.underWay.delete(offset);
    if (answer === undefined) throw new RangeError('A page that was asked for is not under way.');
    // Taken apart in its turn: as text, the pages that wait need a fifth of the memory.
    return this.source.read(await answer);
  }

  async drop(): Promise<void> {
    await Promise.allSettled(this.underWay.values());
    this.underWay.clear();
  }

  private start(offset: number): void {
    const answer = this.source.fetch(offset, this.pageSize);
    // Awaited in its turn; without this, a failure of a later page would end the process.
    answer.catch(() => undefined);
    this.underWay.set(offset, answer);
  }

  private forget(offset: number): void {
    this.underWay.delete(offset);
  }
}

/** Until an answer adds no new id: some servers ignore the offset, others answer beyond the end with nothing. */
async function readWithoutTotal<T>(request: PagesRequest<T>, first: Page<T>, pageSize: number): Promise<PagesOutcome> {
  const { source, onPage } = request;
  const seen = new Set<string>();
  let at: ReadPosition = { ...request.position, pageSize };
  let { records } = first;
  for (let pages = 1; pages <= MAX_PAGES_WITHOUT_TOTAL; pages++) {
    const fresh = records.filter((record) => !seen.has(source.idOf(record)));
    if (fresh.length === 0) return { next: null, moved: null };
    for (const record of fresh) seen.add(source.idOf(record));
    at = { ...at, offset: at.offset + records.length };
    await onPage(fresh, at);
    const answer = await source.fetch(at.offset, pageSize);
    // Past the end some servers refuse; what came before is whole.
    if (isRefusedSize(answer) || answer.status === 404) return { next: null, moved: null };
    records = source.read(answer).records;
  }
  return { next: null, moved: `the server gave ${MAX_PAGES_WITHOUT_TOTAL} pages and no end` };
}

/** @returns whether the answer says that the whole collection does not exist there. */
export function isRetired(error: unknown): boolean {
  return error instanceof PersonioError && error.type === 'PersonioEndpointRetired';
}

/** @throws PersonioError where one record is asked for and the answer is neither it nor 404. */
export function isNotFound(route: Route, answer: HttpAnswer): boolean {
  if (answer.status === 404) return true;
  if (answer.status >= 200 && answer.status <= 299) return false;
  throw errorOfStatus(route, answer.status, answer.retryAfterMs);
}
