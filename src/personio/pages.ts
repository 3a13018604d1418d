import type { z } from 'zod';
import type { ReadPosition, SegmentRequest } from '../contracts/internal/activities.js';
import type { Endpoint } from '../contracts/internal/names.js';
import type { EndpointRecords, StagedRecords, WithUnreadable } from '../domain/records.js';
import type { PersonioApi, RequestBucket } from './api.js';
import type { HttpQuery, HttpResponse } from './http.js';

/** Segment to read: at most `pages` pages of an endpoint from a position on. Attendances need `chunk`, their days. */
export interface ReadRequest<E extends Endpoint = Endpoint> extends Pick<SegmentRequest, 'source' | 'chunk' | 'pages'> {
  readonly endpoint: E;
  readonly position: ReadPosition;
  /** Attendances of these people only. Default: everybody's. */
  readonly employeeIds?: readonly string[];
  /** As in the policy: `standard`, or keys of attributes. */
  readonly attributesToStore: readonly string[];
}

/** Records of one page that are new, and the position after them. */
export interface Page<T> {
  readonly records: readonly T[];
  readonly position: ReadPosition;
}

/** End of a segment. */
export interface ReadOutcome {
  /** Position of the next segment; null when the collection was read to its end, or must be read again. */
  readonly next: ReadPosition | null;
  /** Reason why the read proves nothing and must begin again; null when it is sound. */
  readonly restartReason: string | null;
}

/** Pages in order, then the outcome as the return value. */
export type PageGenerator<T> = AsyncGenerator<Page<T>, ReadOutcome, undefined>;

/** Reads a segment of one collection. Both APIs have a reader of their own. */
export type CollectionReader<T> = (api: PersonioApi, request: ReadRequest) => PageGenerator<T>;

/** Collection of one of Personio's APIs: where it is, and how its records are parsed. */
export interface Collection<T extends WithUnreadable> {
  readonly path: string;
  readonly bucket: RequestBucket;
  /** Parameters beside those of paging. Default: none. */
  readonly query?: (request: Pick<ReadRequest, 'chunk' | 'employeeIds'>) => HttpQuery;
  readonly schema: (attributesToStore: readonly string[]) => z.ZodType<T>;
  /** For records some of whose values cannot be read. Default: `schema`. */
  readonly lenientSchema?: z.ZodType<T>;
  readonly getId: (record: T) => string;
}

/** One page of a segment, ready to be staged. */
export type SegmentPage<E extends Endpoint = Endpoint> = StagedRecords<E> & Pick<Page<unknown>, 'position'>;

/**
 * Pages of a segment. Iterate once with `for await`; then `outcome` says how the segment ended. The next page is on its
 * way while the caller works on the one before.
 */
export class SegmentPages<E extends Endpoint = Endpoint> implements AsyncIterable<SegmentPage<E>> {
  private readonly endpoint: E;
  private readonly pages: PageGenerator<EndpointRecords[E]>;
  private ended: ReadOutcome | null = null;

  constructor(endpoint: E, pages: PageGenerator<EndpointRecords[E]>) {
    this.endpoint = endpoint;
    this.pages = pages;
  }

  /** @throws RangeError before the last page has come. */
  get outcome(): ReadOutcome {
    if (this.ended === null) throw new RangeError('The segment has not been read to its end.');
    return this.ended;
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<SegmentPage<E>, void, undefined> {
    const { endpoint, pages } = this;
    for (let step = await pages.next(); ; step = await pages.next()) {
      if (step.done === true) {
        this.ended = step.value;
        return;
      }
      const { records, position } = step.value;
      yield { endpoint, records, position };
    }
  }
}

/** Smaller page sizes to try when the server refuses the one asked for. */
const FALLBACK_SIZES = [100, 50, 20, 10] as const;

/** Fetches a page with the size asked for, or with the largest smaller one that the server accepts. */
export async function fetchLargestPage(
  asked: number,
  fetch: (pageSize: number) => Promise<HttpResponse>,
): Promise<{ readonly response: HttpResponse; readonly pageSize: number }> {
  let pageSize = asked;
  let response = await fetch(pageSize);
  for (const smaller of FALLBACK_SIZES.filter((size) => size < asked)) {
    if (!isRefusedSize(response)) break;
    pageSize = smaller;
    response = await fetch(pageSize);
  }
  return { response, pageSize };
}

/** Returns whether a server refuses the page size. Personio documents no status for it; 400, 413 and 422 are usual. */
function isRefusedSize({ status }: HttpResponse): boolean {
  return status === 400 || status === 413 || status === 422;
}
