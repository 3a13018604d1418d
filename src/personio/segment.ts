import type { ReadPosition, Source } from '../contracts/activities.js';
import type { Endpoint } from '../contracts/names.js';
import type { DayWindow } from '../contracts/sync.js';
import type { StagedRecords } from '../domain/records.js';

/** Some pages of an endpoint, as one activity reads them. */
export interface SegmentReading {
  readonly endpoint: Endpoint;
  readonly source: Source;
  /** Attendances: the days, both included. */
  readonly chunk: DayWindow | null;
  readonly position: ReadPosition;
  readonly pages: number;
  readonly attributesToStore: readonly string[];
  readonly onPage: (page: StagedRecords, after: ReadPosition) => Promise<void>;
}
